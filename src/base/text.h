// Words and lists of them: letter case as protocols and files of configuration compare it (ASCII
// only, whatever the locale), and parts put together.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace berth {

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

inline std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), to_lower);
    return lower;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

// `parts`: a range of texts.
template <class Parts>
std::string join(const Parts& parts, std::string_view between) {
    std::string text;
    bool first = true;
    for (const std::string_view part : parts) {
        if (!first) text += between;
        first = false;
        text += part;
    }
    return text;
}

}  // namespace berth
