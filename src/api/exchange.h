// Exchange: what one request's handler works with, and the few things all handlers do alike.
//
// A handler either fills the response, or returns a Refusal, whose answer then keeps the fields
// that were added before (Allow, WWW-Authenticate, Range). Those that need no body are plain
// functions and run whole on the disk pool; those that do are Tasks of the request's loop.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/api.h"
#include "api/error_table.h"
#include "api/router.h"
#include "base/networks.h"
#include "http/target.h"

namespace berth::api {

// What all exchanges share; immutable.
struct Context {
    Services services;
    ApiOptions options;
    Networks proxies;
    std::string challenge;  // the value of WWW-Authenticate, for Basic
};

struct Exchange {
    const Context& context;
    const http::Request& request;
    http::Body& body;
    http::Response& response;

    std::string path;  // decoded; the route's views point into it
    Route route;
    std::string_view address;  // the caller's
    std::shared_ptr<const auth::Policy> policy = context.services.policy.current();
    std::shared_ptr<const auth::Identity> who;
    std::optional<oci::RepositoryName> repository;  // of every resource inside of one

    // What the policy was asked last, and what it refused: for the audit.
    struct Asked {
        auth::Action action{};
        std::string tag = {};
    };
    std::optional<Asked> asked = std::nullopt;
    std::optional<auth::Decision> denial = std::nullopt;
    std::string tried = {};  // whose login was tried, where it is not in the Authorization field

    // For the policy to decide.
    auth::AccessRequest wanted(auth::Action action, std::string_view name,
                               std::string_view tag = {}) const {
        return {action, name, tag, address, context.services.clock.now()};
    }
    bool may_pull(std::string_view name, std::string_view tag = {}) const {
        return policy->allows(*who, wanted(auth::Action::pull, name, tag));
    }
    registry::Registry& registry() const { return context.services.registry; }
    store::Actor actor() const;
    bool is_head() const { return request.method == http::Method::head; }
};

// The request's query, decoded.
Reply<http::Query> query_of(const Exchange& exchange);

// The digest in the route, or in a parameter.
Reply<oci::Digest> parse_digest(std::string_view text);

// Adds Location: `path` stands behind the prefix (`v2/…`).
void add_location(Exchange& exchange, std::string_view path);
// Adds Location, of a blob or manifest in the exchange's repository, and Docker-Content-Digest.
void add_content_location(Exchange& exchange, std::string_view folder, const oci::Digest& digest);

// A 200 whose body is this text (only its length for HEAD).
void answer_text(const http::Request& request, http::Response& response,
                 std::string_view content_type, std::string text);

// The answer that a refusal is: status, JSON body, X-Request-Id. The response's fields are kept.
void answer_refusal(const http::Request& request, http::Response& response, const Refusal& refusal);

// Paging, the same for tags, catalog and referrers.
struct Paging {
    std::size_t limit = 0;
    std::string last;
};
// `n` and `last`; `n` is capped, and is `limit_max` when it is missing.
Reply<Paging> parse_paging(const http::Query& query, std::size_t limit_max);
// Adds Link to the next page: the request's own path with these parameters, which it escapes.
void add_next_link(Exchange& exchange,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> parameters);

}  // namespace berth::api
