// What a fuzz target needs: its input as text, and a check that stops the run.
//
// A target is one file NAME_fuzz.cc that defines LLVMFuzzerTestOneInput; seeds lie in corpus/NAME/.
// It checks what must hold for every input, beside not crashing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace berth::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// `rule` is the sentence that does not hold when `holds` is false.
inline void must(bool holds, const char* rule) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", rule);
    std::abort();
}

}  // namespace berth::fuzz
