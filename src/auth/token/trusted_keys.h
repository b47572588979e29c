// What is in a KeySet: for key_set.cc and jwt.cc.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "auth/token/key_set.h"
#include "auth/token/public_key.h"
#include "base/clock.h"

namespace berth::auth {

// A certificate that may sign those in a token's `x5c`.
struct Authority {
    std::shared_ptr<X509> certificate;
    Algorithms algorithms = kAllAlgorithms;  // of the tokens
};

struct KeySet::Keys {
    std::vector<PublicKey> all;
    std::multimap<std::string, PublicKey, std::less<>> named;
    std::vector<Authority> authorities;
};

// The key of the first certificate in `x5c` (RFC 7515, 4.1.6), if the others lead from it to an
// authority and all are valid now. Errc::unauthenticated.
Result<PublicKey> certified_key(const Json& x5c, const std::vector<Authority>& authorities,
                                Algorithm algorithm, Time now);

}  // namespace berth::auth
