// SigningKey: a private key that signs our tokens. A value, cheap to copy; immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::auth {

class SigningKey {
  public:
    // A fresh one for ES256, RS256 or EdDSA; Errc::invalid for other algorithms.
    static Result<SigningKey> make(std::string_view algorithm);
    // PKCS #8 or the older PEM forms, not encrypted. Errc::invalid.
    static Result<SigningKey> parse(std::string_view pem);

    std::string pem() const;  // PKCS #8: a secret
    // RFC 7638: the name under which its public half verifies.
    const std::string& id() const;
    std::string_view algorithm() const;  // ES256, …: the one it signs with
    // The public half as a JWK, with kid, alg and use.
    std::string public_jwk() const;
    // As JWS writes signatures.
    std::string sign(std::string_view text) const;
    // A keyed hash of the text, which nobody without this key can make or check.
    std::string mark(std::string_view text) const;

  private:
    struct State;
    explicit SigningKey(std::shared_ptr<const State> state);
    std::shared_ptr<const State> state_;
};

}  // namespace berth::auth
