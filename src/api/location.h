// Where a client finds us: the URLs in Location fields, also behind a proxy. Pure.
//
// In this order: `http.host`; Forwarded (RFC 7239); X-Forwarded-Proto, -Host, -Port; the Host
// field and the listener's scheme. Forwarded fields count only from a trusted proxy.
#pragma once

#include <string>
#include <string_view>

#include "base/networks.h"
#include "http/message.h"

namespace berth::api {

struct ApiOptions;

// `scheme://host[:port]` as the client sees it, without a slash at the end. Empty when nobody said
// it, or what was said is no host.
std::string origin_of(const http::Request& request, const ApiOptions& options,
                      const Networks& proxies);

// The URL of `path`, which stands behind the prefix (`v2/…`): absolute, or only its path with
// relative_urls or where the origin is not known.
std::string locate(const http::Request& request, const ApiOptions& options, const Networks& proxies,
                   std::string_view path);

}  // namespace berth::api
