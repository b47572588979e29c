#include "http/request_body.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace berth::http {

namespace {

constexpr std::uint64_t kDrainBytesMax = 64 << 10;
constexpr std::chrono::seconds kDrainTime{5};

}  // namespace

void RequestBody::begin(const Request& request, bool expects_continue) {
    size_ = request.content_length;
    if (!request.chunked && !size_) size_ = 0;
    bytes_max_.reset();
    taken_ = 0;
    decoder_ = ChunkedDecoder();
    error_.reset();
    expects_continue_ = expects_continue;
}

void RequestBody::set_deadline() {
    stream_.deadline = std::chrono::steady_clock::now() + timeout_;
    pace_ = 0;
}

Task<Result<std::size_t>> RequestBody::read(MutableBytes out) {
    if (!error_ && size_ && bytes_max_ && *size_ > *bytes_max_) {
        error_ = Error{Errc::too_large,
                       "the body has " + std::to_string(*size_) + " bytes, more than the " +
                           std::to_string(*bytes_max_) + " allowed",
                       0};
    }
    std::size_t filled = 0;
    set_deadline();
    while (!error_ && filled < out.size() && !complete()) {
        auto got = co_await read_some(out.subspan(filled));
        if (!got) {
            error_ = std::move(got.error());
            break;
        }
        filled += *got;
        pace_ += *got;
        if (pace_ >= kPaceBytes) set_deadline();
    }
    stream_.deadline = SteadyTime::max();
    if (error_ && filled == 0) co_return std::unexpected(*error_);
    co_return filled;
}

Task<Result<std::size_t>> RequestBody::read_some(MutableBytes out) {
    if (expects_continue_) {
        auto invited = co_await invite();
        if (!invited) co_return std::unexpected(std::move(invited.error()));
    }
    if (size_) co_return co_await read_sized(out);
    co_return co_await read_chunked(out);
}

Task<Result<void>> RequestBody::invite() {
    expects_continue_ = false;
    // Some clients do not wait long: what came shows that no invitation is needed.
    if (!input_.empty()) co_return Result<void>{};
    const Bytes line[] = {as_bytes("HTTP/1.1 100 Continue\r\n\r\n")};
    auto written = co_await stream_.write(line);
    co_return written;
}

Task<Result<std::size_t>> RequestBody::receive(MutableBytes out) {
    auto got = co_await stream_.read_some(out);
    if (got && *got == 0) {
        co_return fail(Errc::cancelled, "the client went away in the middle of the body");
    }
    co_return got;
}

Task<Result<std::size_t>> RequestBody::read_sized(MutableBytes out) {
    const auto left = *size_ - taken_;
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left)));
    std::size_t count = std::min(out.size(), input_.bytes().size());
    if (count > 0) {
        std::memcpy(out.data(), input_.bytes().data(), count);
        input_.consume(count);
    } else {
        auto got = co_await receive(out);
        if (!got) co_return got;
        count = *got;
    }
    taken_ += count;
    co_return count;
}

Task<Result<std::size_t>> RequestBody::read_chunked(MutableBytes out) {
    std::size_t consumed = 0;
    if (input_.empty() && out.size() >= kInputBytes) {
        auto got = co_await receive(out);
        if (!got) co_return got;
        auto produced = decode(out.first(*got), out, consumed);
        // Behind the end stands the next request.
        if (produced) input_.append(out.subspan(consumed, *got - consumed));
        co_return produced;
    }
    if (input_.empty()) {
        auto got = co_await receive(input_.space());
        if (!got) co_return got;
        input_.added(*got);
    }
    auto produced = decode(input_.bytes(), out, consumed);
    input_.consume(consumed);
    co_return produced;
}

Result<std::size_t> RequestBody::decode(Bytes in, MutableBytes out, std::size_t& consumed) {
    BERTH_TRY(const auto step, decoder_.decode(in, out));
    consumed = step.consumed;
    taken_ += step.produced;
    if (!bytes_max_ || taken_ <= *bytes_max_) return step.produced;
    return fail(Errc::too_large,
                "the body has more than the " + std::to_string(*bytes_max_) + " bytes allowed");
}

bool RequestBody::drainable() const {
    return !error_ && !expects_continue_ && (!size_ || *size_ - taken_ <= kDrainBytesMax);
}

Task<bool> RequestBody::drain() {
    std::array<std::byte, kInputBytes> dropped;
    const auto before = taken_;
    bytes_max_.reset();
    stream_.deadline = std::chrono::steady_clock::now() + kDrainTime;
    while (!complete() && taken_ - before <= kDrainBytesMax) {
        auto got = co_await read_some(dropped);
        if (!got) break;
    }
    stream_.deadline = SteadyTime::max();
    co_return complete();
}

}  // namespace berth::http
