// Randomness from the operating system.
#pragma once

#include <string>

#include "base/bytes.h"

namespace berth {

// Fills `out` with bytes fit for keys. Aborts if the kernel has none, which it never says after
// boot.
void random_bytes(MutableBytes out);

// A version 4 UUID in its canonical lower-case form.
std::string random_uuid();

}  // namespace berth
