// Where a request comes from, also behind a proxy: its address, for the policy, the throttle, the
// logs. Pure.
#pragma once

#include <string_view>

#include "auth/authenticator.h"
#include "base/networks.h"
#include "http/message.h"

namespace berth::api {

struct ApiOptions;
struct Context;

// The peer's address; behind proxies that the configuration names as trusted, the one that the last
// of them gives in X-Forwarded-For: everything before that the caller could have made up. Empty: a
// unix socket. Valid as long as the request.
std::string_view caller_address(const http::Request& request, const ApiOptions& options,
                                const Networks& proxies);

// What the authenticator gets to see.
auth::Presented presented_by(const Context& context, const http::Request& request);

}  // namespace berth::api
