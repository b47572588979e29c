// What OpenSSL says went wrong.
#pragma once

#include <string>

namespace berth::net {

// The first of this thread's errors; the others are dropped.
std::string openssl_error();

}  // namespace berth::net
