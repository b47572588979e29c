// JWT: JSON Web Tokens in the compact form (RFC 7519, RFC 7515): taking apart and verifying those
// of others, and signing ours. Pure.
//
// Two parsers must not understand one token differently, so everything is strict: three parts,
// base64url without padding, no JSON key twice, sizes bounded. A token never brings its own key:
// `jwk`, `jku` and `x5u` of its header are not looked at, and `x5c` only leads to the key when an
// authority of the KeySet signed it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/token/key_set.h"
#include "auth/token/signing_key.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct AccessEntry {
    std::string type, name;
    std::vector<std::string> actions;
};

// What a verified token says. A claim that is null is not there.
struct Claims {
    std::string issuer, subject, id;
    std::vector<std::string> audience;
    std::optional<Time> expires, not_before, issued_at;
    std::vector<AccessEntry> access;  // Docker token specification
    // Texts, numbers and booleans; those inside an object by names with dots
    // (`kubernetes.io.namespace`).
    std::map<std::string, std::string, std::less<>> others;
    // Lists of texts, such as `groups`.
    std::map<std::string, std::vector<std::string>, std::less<>> lists;
};

// What a token must fit.
struct Expectation {
    std::vector<std::string> issuers = {};    // any of these; empty: any
    std::vector<std::string> audiences = {};  // any of these; empty: any
    // A token without `exp` is refused unless this is off.
    bool needs_expiry = true;
    std::chrono::seconds leeway{60};
    // The header's `typ`; empty: `JWT`, `at+jwt` (RFC 9068) or none.
    std::string type = {};
};

// The issuer that an unverified token names, to find out whose keys verify it. nullopt: not a JWT.
std::optional<std::string> issuer_of(std::string_view token);

// Errc::unauthenticated says why not: not a JWT, a signature that does not fit, expired, … `crit`
// headers, `alg: none` and HMAC are refused. Errc::not_found: the key that signed it is not in the
// set, so that a newer set may help.
Result<Claims> verify_jwt(std::string_view token, const KeySet& keys,
                          const Expectation& expectation, Time now);

// `claims` is a JSON object.
std::string sign_jwt(const SigningKey& key, std::string_view type, std::string_view claims);

}  // namespace berth::auth
