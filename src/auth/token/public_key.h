// PublicKey: one key that verifies signatures. A value, cheap to copy; immutable; used inside this
// folder only.
//
// An algorithm is only tried with a key of its own type and curve, and only if the key may be used
// with it: what a token says in its header chooses among these, and never changes what a key is.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "auth/token/algorithm.h"
#include "base/result.h"
#include "oci/json.h"

namespace berth::auth {

using Json = oci::Json;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

// What OpenSSL notes about input that will not do must not be left to whom asks it next.
struct NoErrorsLeft {
    ~NoErrorsLeft() { ERR_clear_error(); }
};

class PublicKey {
  public:
    // RSA (2048 to 8192 bits), EC (P-256, P-384, P-521) or Ed25519. Errc::unsupported for other
    // keys. A private key will do; its private half is not used.
    static Result<PublicKey> from(KeyPtr key);
    // RFC 7517 and RFC 8037. Errc::unsupported for a key of another kind or for another use,
    // Errc::invalid for one that is broken.
    static Result<PublicKey> parse_jwk(const Json& jwk);

    // RFC 7638, SHA-256.
    const std::string& thumbprint() const { return thumbprint_; }
    // What Docker's older token servers (libtrust) call it: `ABCD:EFGH:…`.
    std::string docker_id() const;
    // The members that make up the key, which RFC 7638 hashes.
    const Json& jwk() const { return jwk_; }
    // How it may be used.
    Algorithms algorithms() const { return algorithms_; }
    PublicKey limited(Algorithms algorithms) const;

    // False also for an algorithm that does not fit.
    bool verifies(Algorithm algorithm, std::string_view signed_text,
                  std::string_view signature) const;

  private:
    PublicKey() = default;

    KeyPtr key_;
    Json jwk_;
    std::string thumbprint_;
    Algorithms algorithms_ = 0;
};

// An EC signature as JWS writes it (r and s of a fixed width, RFC 7518, 3.4) to DER, and back.
// Empty for one that is not of the width.
std::string ecdsa_to_der(std::string_view raw, std::size_t width);
std::string ecdsa_from_der(std::string_view der, std::size_t width);

// What an algorithm is to OpenSSL: the digest (null for EdDSA), and how wide r and s are (0: not
// ECDSA).
const EVP_MD* digest_of(Algorithm algorithm);
std::size_t ecdsa_width(Algorithm algorithm);
// Sets PSS's parameters where the algorithm has some; false when OpenSSL refuses.
bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm);

}  // namespace berth::auth
