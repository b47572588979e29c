// Explanation: what the policy in force would say to somebody, and why each of its rules does or
// does not decide, as JSON for the admin API.
#pragma once

#include <nlohmann/json.hpp>

#include "api/exchange.h"

namespace berth::api {

// Of the request's query: `user` (none, or `anonymous`: nobody), `kind` (user or robot), `group`
// (several), `action` (`push`: both of its halves), `repository`, `tag`, `address`.
Reply<nlohmann::ordered_json> explain(const Exchange& exchange);

}  // namespace berth::api
