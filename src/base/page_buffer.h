// PageBuffer: memory that starts on a page, as writes past the page cache need it.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

#include "base/bytes.h"

namespace berth {

inline constexpr std::size_t kPageBytes = 4096;

class PageBuffer {
  public:
    // Not initialised.
    explicit PageBuffer(std::size_t size)
        : memory_(static_cast<std::byte*>(
              std::aligned_alloc(kPageBytes, (size + kPageBytes - 1) / kPageBytes * kPageBytes))),
          size_(size) {
        if (!memory_ && size > 0) throw std::bad_alloc();
    }

    MutableBytes bytes() { return {memory_.get(), size_}; }

  private:
    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    std::unique_ptr<std::byte, Free> memory_;
    std::size_t size_;
};

}  // namespace berth
