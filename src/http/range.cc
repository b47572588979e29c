#include "http/range.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "http/text.h"

namespace berth::http {

namespace {

constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();

// Takes digits off the front of `text`; nullopt if there is none. What does not fit becomes kMax:
// beyond any size, as it is.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    std::uint64_t number = 0;
    while (!text.empty() && is_digit(text.front())) {
        const auto digit = static_cast<std::uint64_t>(text.front() - '0');
        number = number > (kMax - digit) / 10 ? kMax : number * 10 + digit;
        text.remove_prefix(1);
    }
    return number;
}

bool take(std::string_view& text, char expected) {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view field, std::uint64_t size) {
    constexpr std::string_view kUnit = "bytes=";
    // Some clients bound each answer with a Range: of nothing they get nothing, not an error.
    if (size == 0 || !equal_ignoring_case(field.substr(0, kUnit.size()), kUnit)) {
        return std::nullopt;
    }
    std::string_view text = trim(field.substr(kUnit.size()));
    const auto first = take_number(text);
    if (!take(text, '-')) return std::nullopt;
    const auto last = take_number(text);
    if (!text.empty() || (!first && !last)) return std::nullopt;

    // RFC 9110 would let a last byte before the first be ignored; the conformance suite wants 416.
    const bool backwards = first && last && *last < *first;
    if (backwards || (first ? *first >= size : *last == 0)) {
        return fail(Errc::out_of_range, "no such range in " + std::to_string(size) + " bytes");
    }
    if (!first) {
        const std::uint64_t suffix = std::min(*last, size);
        return ByteRange{size - suffix, suffix};
    }
    return ByteRange{*first, std::min(last.value_or(kMax), size - 1) - *first + 1};
}

Result<ByteRange> parse_chunk_range(std::string_view field) {
    std::string_view text = field;
    const auto first = take_number(text);
    const bool dash = take(text, '-');
    const auto last = take_number(text);
    if (!first || !dash || !last || !text.empty() || *last == kMax || *last < *first) {
        return fail(Errc::invalid,
                    "the range of a chunk is FIRST-LAST, two numbers of bytes, inclusive");
    }
    return ByteRange{*first, *last - *first + 1};
}

bool names_etag(std::string_view field, std::string_view etag) {
    for (;;) {
        while (!field.empty() && (is_blank(field.front()) || field.front() == ','))
            field.remove_prefix(1);
        if (field.empty()) return false;
        if (field.starts_with("W/")) field.remove_prefix(2);
        const bool quoted = take(field, '"');
        const auto end = std::min(field.find_first_of(quoted ? "\"" : ", \t"), field.size());
        // registry:2's clients also send the digest without quotes.
        const auto tag = field.substr(0, end);
        if (tag == etag || (!quoted && tag == "*")) return true;
        field.remove_prefix(std::min(end + (quoted ? 1 : 0), field.size()));
    }
}

}  // namespace berth::http
