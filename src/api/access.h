// Access: who is asking, and may they.
//
// An unknown caller gets the same 401 for everything that is not open to all, whether it exists or
// not; a known one gets a 403 that names the rule.
#pragma once

#include "api/exchange.h"
#include "base/task.h"

namespace berth::api {

// Finds out who asks, on the pool for logins if it is not remembered: exchange.who.
Task<Reply<>> authenticate(Exchange& exchange);

// Is the caller let in at all? Anybody who is known is. Where there is a token service, GET /v2/
// asks everybody for a token: docker logs in later only if it was asked here.
Reply<> enter(Exchange& exchange);
bool may_enter(const Context& context, const auth::Policy& policy, const auth::Identity& who,
               Resource resource, std::string_view address);

// May the caller do this? `tag` is empty where none is meant.
Reply<> authorize(Exchange& exchange, auth::Action action, std::string_view tag = {});

// Refuses by the policy's decision.
std::unexpected<Refusal> deny(Exchange& exchange, const auth::Decision& decision);

}  // namespace berth::api
