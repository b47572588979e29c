// Client: asks other HTTP servers, by libcurl. Blocking: called from a pool, never from a loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace berth::http {

struct ClientRequest {
    std::string method = "GET";
    std::string url;  // http or https
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::string body = {};
    std::string ca = {};  // PEM file; empty: the system's authorities
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds timeout{10'000};  // of the whole exchange
    std::size_t body_bytes_max = 1 << 20;       // of the answer
};

struct ClientResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> fields = {};  // names in lower case
    std::string body = {};
};

// Follows no redirects, uses no proxy of the environment, keeps nothing. Errc::unavailable when
// there is no answer (the detail names host and reason, never the URL's user or query),
// Errc::too_large, Errc::invalid for a URL that is none or a field that would break the head.
// Thread-safe.
Result<ClientResponse> send(const ClientRequest& request);

// The body of a GET that is answered by 200; any other answer is Errc::unavailable.
Result<std::string> fetch(const std::string& url, const std::string& ca);

}  // namespace berth::http
