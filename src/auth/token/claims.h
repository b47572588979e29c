// The claims of a token's payload (RFC 7519, 4; Docker token specification).
#pragma once

#include <memory>

#include "auth/policy/grants.h"
#include "auth/token/jwt.h"
#include "oci/json.h"

namespace berth::auth {

// Errc::unauthenticated for a claim of the wrong form.
Result<Claims> parse_claims(const oci::Json& payload);

// What the claim `access` grants; without one, nothing.
std::shared_ptr<const Grants> grants_of(const Claims& claims);

}  // namespace berth::auth
