// Bytes for crash tests: every part of them is told from its neighbours.
#pragma once

#include <string>

namespace berth {

inline std::string pattern(std::size_t size, unsigned seed) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>('a' + (i * 7 + i / 512 + seed) % 26);
    return bytes;
}

}  // namespace berth
