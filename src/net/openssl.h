// What both sides of TLS have OpenSSL do alike.
#pragma once

#include <string>

namespace berth::net {

// The first of this thread's errors; the others are dropped.
std::string openssl_error();

// OpenSSL's callback for a passphrase: there is nobody to ask, so a key behind one is an error, not
// a prompt.
int no_passphrase(char*, int, int, void*);

}  // namespace berth::net
