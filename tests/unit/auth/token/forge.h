// Tokens as an attacker, or a careless issuer, would write them: any header, any payload.
#pragma once

#include <string>
#include <string_view>

#include "auth/token/signing_key.h"
#include "base/encoding.h"

namespace berth::auth {

// The header and payload, unsigned: `a.b`.
inline std::string unsigned_token(std::string_view header, std::string_view payload) {
    return base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(payload));
}

// A token with exactly this header and payload, and a good signature.
inline std::string forge(const SigningKey& key, std::string_view header, std::string_view payload) {
    const std::string text = unsigned_token(header, payload);
    const std::string signature = key.sign(text);
    return text + "." + base64url_encode(as_bytes(signature));
}

// A key for the whole test program: making one takes its time.
inline const SigningKey& es256_key() {
    static const SigningKey key = SigningKey::make("ES256").value();
    return key;
}
inline const SigningKey& rs256_key() {
    static const SigningKey key = SigningKey::make("RS256").value();
    return key;
}
inline const SigningKey& eddsa_key() {
    static const SigningKey key = SigningKey::make("EdDSA").value();
    return key;
}

inline std::string jwks_of(std::initializer_list<SigningKey> keys) {
    std::string list;
    for (const SigningKey& key : keys)
        list.append(list.empty() ? "" : ",").append(key.public_jwk());
    return R"({"keys":[)" + list + "]}";
}

}  // namespace berth::auth
