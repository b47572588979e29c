// Client: asks other HTTP servers, by libcurl. Blocking: called from a pool, never from a loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace berth::http {

struct ClientRequest {
    std::string method = "GET";
    std::string url;  // http or https
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::string body = {};
    std::string ca = {};  // PEM file; empty: the system's authorities
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds timeout{10'000};  // of the whole exchange; 0: none
    // Without so much as a byte a second moving; 0: none.
    std::chrono::seconds stall_timeout{0};
    std::size_t body_bytes_max = 1 << 20;  // of the answer
    // Where the body of a 2xx answer goes, piece by piece and of any size; null: into the answer.
    // An error ends the exchange, and is what is returned.
    std::function<Result<void>(int status, Bytes)> on_body = nullptr;
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

// The same, over a connection that is kept for the next request to the same server. Used by one
// thread at a time.
class Session {
  public:
    Session();
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) = delete;
    Result<ClientResponse> send(const ClientRequest& request);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// The body of a GET that is answered by 200; any other answer is Errc::unavailable.
Result<std::string> fetch(const std::string& url, const std::string& ca);

}  // namespace berth::http
