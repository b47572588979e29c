// Api: the wire. What stands under `/v2/` (distribution-spec, and Docker's Registry HTTP API V2),
// and the two pages beside it, `/` and `/healthz`.
//
// One file a resource (blobs, uploads, manifests, tags, referrers, catalog), one error table. Each
// exchange goes: route → who is it → may they → the registry, on the pool → answer. A pull of what
// is in memory is answered at once, on its loop (try_serve).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/policy/live_policy.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "http/handler.h"
#include "registry/registry.h"

namespace berth::auth {
class AccessTokens;
class AuditLog;
class TokenIssuer;
}  // namespace berth::auth

namespace berth::metrics {
class Metrics;
}

namespace berth::api {

struct ApiOptions {
    std::string realm = "Docker Registry";
    std::string prefix = "/";  // with leading and trailing slash
    std::string host;          // scheme://host[:port] for Locations; empty: from the request
    bool relative_urls = false;
    // Addresses or networks whose Forwarded fields count. Empty: this machine, and the networks
    // that only neighbours come from, so that a proxy on the same host works even in front of a
    // container.
    std::vector<std::string> trusted_proxies;
    bool delete_enabled = false;
    bool read_only = false;
    bool events = false;  // the index records events: a change says by which request it came
    std::size_t catalog_entries_max = 1000;
    std::size_t tags_max = 1000;
    std::uint64_t blob_bytes_max = 0;  // 0: no limit
    // The token service: where ours is, behind the prefix; and for challenges the one that is not
    // ours, as auth.token says (ours goes first). `autoredirect_path`: that one is found at this
    // path of the host that was asked.
    std::string token_path = "token";
    std::string outside_realm;
    std::string outside_service;
    std::string autoredirect_path;
};

// What the api works with; all outlive it.
struct Services {
    registry::Registry& registry;
    auth::Authenticator& authenticator;
    const auth::LivePolicy& policy;
    Pool& disk;    // files and the index
    Pool& logins;  // bcrypt, directories, keys that must be fetched
    Logger& log;
    const Clock& clock;
    auth::TokenIssuer* issuer = nullptr;          // null: no token service
    auth::AccessTokens* access_tokens = nullptr;  // null: none
    auth::AuditLog* audit = nullptr;              // null: no audit
    metrics::Metrics* metrics = nullptr;          // null: nothing is counted
    // Does what the server depends on work? Otherwise every answer is 503. Asked on loops.
    std::function<bool()> ready = {};  // none: yes
    // Told of each pull, on loops too; none: nobody wants to know.
    std::function<void(registry::Event)> on_pull = {};
    // Told after each request that may have changed something, on loops; none: nobody is.
    std::function<void()> on_change = {};
};

// Thread-safe: one serves all loops. Errc::invalid for options that make no sense (a proxy's
// address that is none).
Result<std::unique_ptr<http::Handler>> make_api(Services services, ApiOptions options);

// Lines that every answer has, whatever it is about (Docker-Distribution-Api-Version, and what
// `http.headers` adds), each ended by CRLF: for http::ServerOptions.
std::string common_fields(const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace berth::api
