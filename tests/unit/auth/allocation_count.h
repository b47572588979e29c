// How often this thread has allocated with operator new: for tests of what must not.
#pragma once

#include <cstddef>

namespace berth {

std::size_t allocation_count();

}  // namespace berth
