// Hasher: computes the digest of bytes that arrive in pieces, and can be put aside and taken up
// again.
//
// Not thread-safe. save() and restore() carry the state of an unfinished upload over a restart of
// the server: the form is Berth's own and versioned, independent of the machine.
#pragma once

#include <openssl/sha.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "oci/digest.h"

namespace berth::oci {

class Hasher {
  public:
    explicit Hasher(Algorithm algorithm);
    // Errc::corrupt for anything that save() did not write.
    static Result<Hasher> restore(std::string_view saved);

    Algorithm algorithm() const;
    void update(Bytes bytes);
    // The digest of all bytes so far; more may follow.
    Digest digest() const;
    std::string save() const;

  private:
    std::variant<SHA256_CTX, SHA512_CTX> state_;
};

// The digest of bytes that are all here.
Digest digest_of(Algorithm algorithm, Bytes bytes);

}  // namespace berth::oci
