// Challenge: the field WWW-Authenticate, which tells a client how to log in: by Basic, or where it
// gets a bearer token (RFC 7617; RFC 6750; Docker token specification).
//
// A client asks the token service for exactly the scope that stands in the challenge, so it names
// what the request needs.
#pragma once

#include <string>
#include <string_view>

#include "api/exchange.h"

namespace berth::api {

enum class Complaint { none, invalid_token, insufficient_scope };

// Are clients sent to a token service, ours or another's?
bool has_token_service(const Context& context);

// What the tokens of our service are for, unless the configuration names it: the host that was
// asked.
std::string service_of(const Context& context, const http::Request& request);

// What the exchange's request needs, as a scope; empty: nothing in particular.
std::string scope_of(const Exchange& exchange);

// The field's value. Basic, too, where nobody said by which host we are reached.
std::string challenge(const Context& context, const http::Request& request, std::string_view scope,
                      Complaint complaint);
std::string basic_challenge(std::string_view realm);

}  // namespace berth::api
