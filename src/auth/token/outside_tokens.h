// OutsideTokens: bearer tokens of a token server that is not ours, verified as registry:2's
// `auth.token` says: by the certificates of rootcertbundle, a JWKS, the issuer and the service.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/verifier.h"
#include "base/clock.h"

namespace berth::auth {

struct OutsideTokenOptions {
    std::string realm;    // the token server's URL, for the challenge
    std::string service;  // the audience
    std::string issuer;
    std::string rootcertbundle;                   // PEM file
    std::string jwks;                             // JSON file
    std::vector<std::string> signing_algorithms;  // empty: all that are known
    bool autoredirect = false;  // the realm is `autoredirectpath` on the host that was asked
    std::string autoredirectpath = "/auth/token/";
};

// Reads the files, and again when they change; a broken new file keeps the old one in force and is
// reported once. The identity is the token's `sub`, anonymous without one, and may do what `access`
// says and the policy allows. Errc::invalid for options that cannot verify anything.
Result<std::unique_ptr<Verifier>> make_outside_tokens(OutsideTokenOptions options,
                                                      const Clock& clock,
                                                      std::function<void(const Error&)> report);

}  // namespace berth::auth
