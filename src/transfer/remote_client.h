// RemoteClient: asks a registry over the network, with what a request to one needs: logins (Basic,
// or tokens of a token service), redirects to where the blobs are, patience with a server that is
// busy or away.
//
// The login goes to the registry and the token service it names, nowhere else, and over plain http
// only to this machine. Thread-safe and blocking.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "transfer/challenge.h"

namespace berth::transfer {

struct RemoteLogin {
    std::string user;
    std::string password;
};

struct RemoteOptions {
    std::string origin;  // scheme://host[:port], without a slash at its end
    std::optional<RemoteLogin> login = std::nullopt;
    std::string ca = {};                   // PEM file; empty: the system's authorities
    std::chrono::milliseconds pause{500};  // before the second try; doubled for each further one
    int tries = 5;
};

struct RemoteRequest {
    std::string method = "GET";
    std::string target;  // a path with its query, or a whole URL on the same host
    std::string scope;   // of the token, `repository:team/app:pull`
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::size_t body_bytes_max = 1u << 20;
    std::chrono::milliseconds timeout{60'000};  // 0: only silence ends it
    std::function<Result<void>(int status, Bytes)> on_body = nullptr;
};

class RemoteClient {
  public:
    explicit RemoteClient(RemoteOptions options) : options_(std::move(options)) {}

    // The last answer, whatever its status, but for 401 (Errc::unauthenticated) and those that mean
    // "later" (Errc::unavailable, after all tries). With on_body the exchange is not tried again
    // once it was answered.
    Result<http::ClientResponse> send(const RemoteRequest& request);

    // Waits before try number `tries`, from 1 on; `asked`: what the server asked for.
    void pause(int tries, std::chrono::seconds asked = {}) const;
    int tries_max() const { return options_.tries; }
    const std::string& origin() const { return options_.origin; }

  private:
    using Response = Result<http::ClientResponse>;

    Response exchange(const RemoteRequest& request);
    Response follow(const RemoteRequest& request, const std::string& url,
                    const std::string& authorization);
    Response raw(const http::ClientRequest& request);
    // Finds what the server asks for; Errc::unauthenticated when we do not have it.
    Result<std::string> authorize(const http::ClientResponse& refusal, const std::string& scope);
    Result<std::string> fetch_token(const Challenge& challenge, const std::string& scope);
    std::string basic() const;
    std::string remembered(const std::string& scope);

    const RemoteOptions options_;
    std::mutex mutex_;
    std::map<std::string, std::string> authorizations_;  // by scope
    std::vector<std::unique_ptr<http::Session>> idle_;
};

// The value of a field of an answer; null: it is not there. The name in lower case.
const std::string* find_field(const http::ClientResponse& response, std::string_view name);

// Is it this machine: localhost, 127.0.0.0/8 or ::1?
bool is_loopback(std::string_view host);

}  // namespace berth::transfer
