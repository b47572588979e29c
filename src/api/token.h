// The token service on the wire (Docker token specification, "Token" and "OAuth2"): whoever can
// prove who they are, by whatever the authenticator knows, gets a bearer token for that part of
// what they ask that the policy allows; whoever proves nothing, one for what is open to all.
//
// No bearer token is exchanged for another: it would never end. Errors have OAuth2's fields (RFC
// 6749, 5.2) beside the registry's.
#pragma once

#include "api/exchange.h"
#include "base/task.h"

namespace berth::api {

// GET and POST of Resource::token, and GET of Resource::token_keys.
Task<Reply<>> handle_token(Exchange& exchange);

}  // namespace berth::api
