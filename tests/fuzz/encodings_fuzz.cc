// The text forms of bytes: what is encoded comes back, and what is decoded is encoded as it came
// where there is one form only.
#include "base/encoding.h"
#include "fuzz/fuzz.h"

using namespace berth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto bytes = as_bytes(text);
    fuzz::must(hex_decode(hex_encode(bytes)) == text, "hexadecimal comes back");
    fuzz::must(base64_decode(base64_encode(bytes)) == text, "Base64 comes back");
    fuzz::must(percent_decode(percent_encode(text)) == text, "percent-encoding comes back");

    percent_decode(text);
    if (const auto decoded = hex_decode(text))
        fuzz::must(decoded->size() * 2 == size, "two digits a byte");
    if (const auto decoded = base64_decode(text)) {
        fuzz::must(base64_encode(as_bytes(*decoded)).starts_with(text),
                   "Base64 has one form, but for its padding");
    }
    if (const auto time = parse_rfc3339(text)) {
        // An offset can lead out of the four-digit years.
        const auto year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(*time));
        if (year.year() >= std::chrono::year(0) && year.year() <= std::chrono::year(9999))
            fuzz::must(parse_rfc3339(format_rfc3339(*time)) == time, "a time comes back");
    }
    return 0;
}
