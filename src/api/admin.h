// Admin: access tokens, and what the policy says, over HTTP: an extension in the sense of the
// distribution-spec ("Extensions"), below `/v2/_berth/`. JSON in and out, never cached.
//
//   GET, POST  tokens                 all access tokens; a new one, whose secret is shown once
//   DELETE     tokens/ID
//   POST       tokens/revoke-issued   void is what the token service issued to {"user": …} until
//   now GET        policy/explain         ?user= group= kind= action= repository= tag= address=
//   GET, POST  me/tokens              the caller's own
//   DELETE     me/tokens/ID
//
// Whoever the policy allows to administer may all; every user may handle their own tokens. Nobody
// gains rights by it: a credential with limits makes no tokens, unless its limits say `admin`.
#pragma once

#include "api/exchange.h"
#include "base/task.h"

namespace berth::api {

// May the caller do this? Adds Cache-Control.
Reply<> authorize_admin(Exchange& exchange);

// What needs no body; on the pool.
Reply<> handle_admin(Exchange& exchange);
Task<Reply<>> post_admin(Exchange& exchange);

}  // namespace berth::api
