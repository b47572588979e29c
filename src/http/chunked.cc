#include "http/chunked.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/text.h"

namespace berth::http {

namespace {

constexpr std::size_t kDigitsMax = 16;
constexpr std::size_t kExtensionBytesMax = 256;  // of one chunk
constexpr std::size_t kTrailerBytesMax = 8 << 10;

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::unexpected<Error> malformed(std::string_view what) {
    return fail(Errc::invalid, std::string("the chunked body is malformed: ").append(what));
}

}  // namespace

Result<ChunkedDecoder::Step> ChunkedDecoder::decode(Bytes in, MutableBytes out) {
    Step step;
    while (step.consumed < in.size() && !done()) {
        if (state_ != State::data) {
            BERTH_CHECK(take(static_cast<char>(in[step.consumed])));
            ++step.consumed;
            continue;
        }
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(
            left_, std::min(in.size() - step.consumed, out.size() - step.produced)));
        if (count == 0) break;
        std::memmove(out.data() + step.produced, in.data() + step.consumed, count);
        step.consumed += count;
        step.produced += count;
        left_ -= count;
        if (left_ == 0) state_ = State::data_end_cr;
    }
    return step;
}

Result<void> ChunkedDecoder::take(char c) {
    switch (state_) {
        case State::size:
            return take_size(c);
        case State::blank:
            if (c == ';') state_ = State::extension;
            if (c == ';' || is_blank(c)) return take_dropped(c, kExtensionBytesMax, state_);
            return malformed("white space in a chunk's size");
        case State::extension:
            return take_dropped(c, kExtensionBytesMax, State::size_end);
        case State::size_end:
            return expect(c, '\n', left_ > 0 ? State::data : State::trailer_start);
        case State::data_end_cr:
            return expect(c, '\r', State::data_end);
        case State::data_end:
            digits_ = 0;
            dropped_ = 0;
            return expect(c, '\n', State::size);
        case State::trailer_start:
            if (c == '\r') return expect(c, '\r', State::empty_line_end);
            if (!is_token(c)) return malformed("a trailer's name");
            state_ = State::trailer;
            return take_dropped(c, kTrailerBytesMax, State::trailer_end);
        case State::trailer:
            return take_dropped(c, kTrailerBytesMax, State::trailer_end);
        case State::trailer_end:
            return expect(c, '\n', State::trailer_start);
        case State::empty_line_end:
            return expect(c, '\n', State::done);
        case State::data:
        case State::done:
            break;
    }
    return malformed("bytes after its end");
}

Result<void> ChunkedDecoder::take_size(char c) {
    if (const int digit = hex_digit(c); digit >= 0) {
        if (++digits_ > kDigitsMax) return malformed("a chunk's size has too many digits");
        left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
        return {};
    }
    if (digits_ == 0) return malformed("a chunk without a size");
    if (c == '\r') return expect(c, '\r', State::size_end);
    if (c != ';' && !is_blank(c)) return malformed("a chunk's size");
    state_ = c == ';' ? State::extension : State::blank;
    return {};
}

// One character of what is dropped; CR leads to `next`.
Result<void> ChunkedDecoder::take_dropped(char c, std::size_t bytes_max, State next) {
    if (c == '\r') return expect(c, '\r', next);
    if (is_control(c) && c != '\t') return malformed("a control character in its framing");
    if (++dropped_ > bytes_max) return malformed("an extension or its trailers are too long");
    return {};
}

Result<void> ChunkedDecoder::expect(char c, char expected, State next) {
    if (c != expected) return malformed("a line or a chunk does not end with CRLF");
    state_ = next;
    return {};
}

}  // namespace berth::http
