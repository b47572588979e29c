// The characters of HTTP's grammar (RFC 9110 §5.6), and its lists.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/control.h"
#include "base/text.h"

namespace berth::http {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

inline constexpr auto kTokenCharacters = [] {
    std::array<bool, 256> table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        const char lower = to_lower(static_cast<char>(i));
        table[i] = (lower >= 'a' && lower <= 'z') || is_digit(lower);
    }
    for (const unsigned char mark : std::string_view("!#$%&'*+-.^_`|~"))
        table[mark] = true;
    return table;
}();

// A character of a token: a method, a field's name, a parameter's name.
constexpr bool is_token(char c) {
    return kTokenCharacters[static_cast<unsigned char>(c)];
}

constexpr std::string_view trim(std::string_view text) {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

// Takes the next element off a comma-separated list, trimmed; empty elements count.
constexpr std::string_view next_element(std::string_view& list) {
    const auto comma = list.find(',');
    const auto element = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    return element;
}

}  // namespace berth::http
