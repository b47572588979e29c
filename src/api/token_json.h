// An access token as JSON, for the admin API and the command line alike. Never its secret or hash.
#pragma once

#include <nlohmann/json.hpp>

#include "auth/token/access_tokens.h"

namespace berth::api {

// {"id":…,"kind":…,"name":…,"allow":[…],"description":…,"created":…,"created_by":…,"expires":…,
// "expired":…,"last_used":…}; null for a token that never expires, or was never used.
nlohmann::ordered_json token_json(const auth::AccessToken& token, Time now);
// The same with the secret, for the one who has it made.
nlohmann::ordered_json token_json(const auth::AccessTokens::Created& created);

}  // namespace berth::api
