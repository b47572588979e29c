// What is logged of an exchange: a line of the access log for each, and server lines with the keys
// that registry:2 has (docs/configure.md, "log"). Never an Authorization field.
#pragma once

#include "api/exchange.h"

namespace berth::api {

// After the answer: the access log; a server line for what failed, and for all at debug.
void log_finished(const Context& context, const http::Request& request,
                  const http::Response& response, const http::Outcome& outcome);

// Why an exchange failed that was not the client's fault: the answer does not say it.
void log_cause(Logger& log, const http::Request& request, const Refusal& refusal);

}  // namespace berth::api
