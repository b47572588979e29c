// Requests, counted for the metrics: each once from its beginning to its end, whichever way it was
// answered. Nothing where nothing is counted.
#pragma once

#include "api/api.h"
#include "api/router.h"
#include "metrics/metrics.h"

namespace berth::api {

metrics::HandlerName handler_name_of(Resource resource);

// The exchange begins, if it has not before: keeps in the response's mark what it is for.
void count_began(const Services& services, Resource resource, http::Response& response);
// Memory was asked for what is pulled.
void count_cache_request(const Services& services, bool hit);
// It has ended.
void count_ended(const Services& services, const http::Request& request,
                 const http::Response& response, const http::Outcome& outcome);

}  // namespace berth::api
