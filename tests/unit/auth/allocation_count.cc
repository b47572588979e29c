#include "unit/auth/allocation_count.h"

#include <cstdlib>
#include <new>

namespace berth {
namespace {

thread_local std::size_t allocations = 0;

}  // namespace

std::size_t allocation_count() {
    return allocations;
}

}  // namespace berth

// All forms end in these; replacing them is the only way to see each allocation.
void* operator new(std::size_t size) {
    ++berth::allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

void* operator new[](std::size_t size) {
    return operator new(size);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete[](void* memory) noexcept {
    std::free(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
