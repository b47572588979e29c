// Pulls: GET and HEAD of manifests and blobs (distribution-spec, "Pulling"), with conditions and
// ranges (RFC 9110 §13, §14).
#pragma once

#include "api/exchange.h"

namespace berth::api {

inline constexpr int kNotModified = 304;

// The answers from what the registry gave: for the hot path too, so they allocate nothing but what
// the response does.
void answer_manifest(const http::Request& request, http::Response& response,
                     const registry::ContentPtr& content);
// Refuses a range that is outside (416).
Reply<> answer_blob(const http::Request& request, http::Response& response,
                    const registry::ContentPtr& content);

Reply<> get_manifest(Exchange& exchange);
Reply<> get_blob(Exchange& exchange);

}  // namespace berth::api
