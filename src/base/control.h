// Control characters: what may end a line, a name or a field early, or steer a terminal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace berth {

// C0 and DEL.
constexpr bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

constexpr bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_control);
}

// C1 as well, which UTF-8 writes as C2 80 … C2 9F: terminals obey them too.
constexpr bool has_terminal_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_control(text[i])) return true;
        const bool may_be_c1 = text[i] == '\xc2' && i + 1 < text.size();
        if (may_be_c1 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
    }
    return false;
}

}  // namespace berth
