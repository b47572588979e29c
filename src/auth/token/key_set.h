// KeySet: public keys that verify signatures, from a JWKS (RFC 7517) or from certificates. A value,
// cheap to copy; immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::auth {

class KeySet {
  public:
    // Verifies nothing.
    KeySet();
    // RSA (2048 bits at least), EC (P-256, P-384, P-521) and Ed25519 keys, each under its `kid` and
    // its RFC 7638 thumbprint; others, and keys for encryption, are passed over. Errc::invalid for
    // text that is no JWKS, or whose keys are broken.
    static Result<KeySet> parse_jwks(std::string_view json);
    // PEM certificates (registry:2's rootcertbundle), one at least: each is a trusted key, under
    // the names that Docker's servers and RFC 7638 give it, and an authority for tokens with `x5c`.
    static Result<KeySet> parse_certificates(std::string_view pem);
    KeySet merged(const KeySet& other) const;
    bool empty() const;

    // Only these (RFC 7518, 3.1 and RFC 8037): RS256, …, PS512, ES256, …, EdDSA; an empty list:
    // all. Errc::invalid names one that is not known: HMAC, or `none`.
    Result<KeySet> limited(const std::vector<std::string>& algorithms) const;

    // What is in it: trusted_keys.h.
    struct Keys;
    const Keys& keys() const { return *keys_; }

  private:
    explicit KeySet(Keys keys);

    std::shared_ptr<const Keys> keys_;
};

}  // namespace berth::auth
