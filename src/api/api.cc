#include "api/api.h"

#include "api/access.h"
#include "api/admin.h"
#include "api/audit.h"
#include "api/caller.h"
#include "api/challenge.h"
#include "api/deletes.h"
#include "api/events.h"
#include "api/exchange.h"
#include "api/listings.h"
#include "api/location.h"
#include "api/manifest_push.h"
#include "api/pages.h"
#include "api/pulls.h"
#include "api/request_count.h"
#include "api/request_log.h"
#include "api/token.h"
#include "api/uploads.h"
#include "auth/audit/audit_log.h"
#include "base/encoding.h"
#include "base/text.h"
#include "http/text.h"

namespace berth::api {
namespace {

using auth::Action;
using http::Method;

bool is_read(Method method) {
    return method == Method::get || method == Method::head;
}

// A manifest's tag; empty for a digest.
std::string_view tag_of(const Route& route) {
    const bool is_tag =
        route.resource == Resource::manifest && route.rest.find(':') == std::string_view::npos;
    return is_tag ? route.rest : std::string_view();
}

// What the caller must be allowed before anything else happens. A push of a manifest knows more.
std::optional<Action> action_of(const Route& route, Method method) {
    switch (route.resource) {
        case Resource::catalog:
            return Action::catalog;
        case Resource::tags:
        case Resource::referrers:
            return Action::pull;
        case Resource::uploads:
        case Resource::upload:
            return Action::create;
        case Resource::blob:
            return is_read(method) ? Action::pull : Action::remove;
        case Resource::manifest:
            if (is_read(method)) return Action::pull;
            if (method == Method::remove) return Action::remove;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

// What the configuration turns off.
Reply<> check_enabled(const Exchange& exchange) {
    const ApiOptions& options = exchange.context.options;
    const Method method = exchange.request.method;
    const Resource resource = exchange.route.resource;
    const auto off = [&](std::string message) {
        exchange.response.add("Allow", reading_methods_of(resource));
        return refuse(Code::unsupported, std::move(message));
    };
    if (!is_read(method) && options.read_only) return off("the registry is read-only");
    if (method == Method::remove && resource != Resource::upload && !options.delete_enabled) {
        return off("deleting is not enabled here (storage.delete.enabled)");
    }
    return {};
}

Reply<> check_method(const Exchange& exchange) {
    const Resource resource = exchange.route.resource;
    if (resource == Resource::none || resource == Resource::unknown) {
        return refuse(Code::name_unknown, "there is nothing at this path");
    }
    if (knows_method(resource, exchange.request.method)) return {};
    exchange.response.add("Allow", methods_of(resource));
    return refuse(Code::unsupported,
                  std::string(exchange.request.method_text) + " is not for this path");
}

// Which repository, and may the caller? In this order: nothing is said of a repository's name to
// whom it is not open.
Reply<> check_access(Exchange& exchange) {
    const Route& route = exchange.route;
    BERTH_CHECK(enter(exchange));
    BERTH_CHECK(check_method(exchange));
    if (is_admin(route.resource)) return authorize_admin(exchange);
    if (const auto action = action_of(route, exchange.request.method)) {
        BERTH_CHECK(authorize(exchange, *action, tag_of(route)));
    }
    BERTH_CHECK(check_enabled(exchange));
    if (route.resource != Resource::base && route.resource != Resource::catalog) {
        BERTH_TRY(exchange.repository,
                  reply(oci::RepositoryName::parse(route.name), About::repository));
    }
    return {};
}

// What needs no body; whole on the pool.
Reply<> handle_on_pool(Exchange& exchange) {
    const bool is_removal = exchange.request.method == Method::remove;
    if (is_admin(exchange.route.resource)) return handle_admin(exchange);
    switch (exchange.route.resource) {
        case Resource::catalog:
            return list_repositories(exchange);
        case Resource::tags:
            return list_tags(exchange);
        case Resource::referrers:
            return list_referrers(exchange);
        case Resource::upload:
            return is_removal ? cancel_upload(exchange) : get_upload(exchange);
        case Resource::blob:
            return is_removal ? delete_blob(exchange) : get_blob(exchange);
        case Resource::manifest:
            return is_removal ? delete_manifest(exchange) : get_manifest(exchange);
        default:
            return refuse(Code::name_unknown);
    }
}

Task<Reply<>> handle(Exchange& exchange) {
    const Method method = exchange.request.method;
    const Resource resource = exchange.route.resource;
    Reply<> handled;
    if (resource == Resource::base) {
        answer_text(exchange.request, exchange.response, "application/json",
                    std::string(kBaseBody));
    } else if (resource == Resource::uploads) {
        handled = co_await begin_upload(exchange);
    } else if (resource == Resource::upload && (method == Method::put || method == Method::patch)) {
        handled = co_await continue_upload(exchange);
    } else if (resource == Resource::manifest && method == Method::put) {
        handled = co_await put_manifest(exchange);
    } else if (is_admin(resource) && method == Method::post) {
        handled = co_await post_admin(exchange);
    } else {
        auto work = [&exchange] { return handle_on_pool(exchange); };
        handled = co_await run_on(exchange.context.services.disk, work);
    }
    co_return handled;
}

// What the server depends on does not work. In distribution's words; why is for /debug/health.
void answer_unready(const http::Request& request, http::Response& response) {
    constexpr std::string_view kDetail = "health check failed: please see /debug/health";
    const CodeRow& row = row_of(Code::unavailable);
    response.status = row.status;
    std::string body = "{\"errors\":[{\"code\":\"";
    body.append(row.name).append("\",\"message\":\"service unavailable\",\"detail\":\"");
    body.append(kDetail).append("\"}]}\n");
    answer_text(request, response, "application/json", std::move(body));
}

class Api final : public http::Handler {
  public:
    explicit Api(Context context) : context_(std::move(context)) {}

    bool try_serve(const http::Request& request, http::Response& response) override;
    Task<void> serve(const http::Request& request, http::Body& body,
                     http::Response& response) override;
    void refuse(const http::Request& request, int status, std::string_view reason,
                http::Response& response) override;
    void finished(const http::Request& request, const http::Response& response,
                  const http::Outcome& outcome) override;

  private:
    bool is_ready() const { return !context_.services.ready || context_.services.ready(); }
    bool try_pull(const http::Request& request, http::Response& response, const Route& route);
    bool answer_from_cache(const http::Request& request, http::Response& response,
                           const Route& route, const auth::Identity& who);
    Reply<> serve_page(Exchange& exchange);
    Task<Reply<>> serve_registry(Exchange& exchange);
    Task<Reply<>> serve_token(Exchange& exchange);

    const Context context_;
};

bool Api::try_serve(const http::Request& request, http::Response& response) {
    if (!is_read(request.method)) return false;
    // An escaped path is matched after decoding, which takes its time.
    if (request.path.find('%') != std::string_view::npos || !is_ready()) return false;
    const Route route =
        find_route(request.path, context_.options.prefix, context_.options.token_path);
    count_began(context_.services, route.resource, response);
    switch (route.resource) {
        case Resource::health:
            response.add("Content-Type", "text/plain");
            response.body_shared(as_bytes(kHealthBody), nullptr);
            return true;
        case Resource::base:
        case Resource::manifest:
        case Resource::blob:
            return try_pull(request, response, route);
        default:
            return false;
    }
}

bool Api::try_pull(const http::Request& request, http::Response& response, const Route& route) {
    const Services& services = context_.services;
    const auth::Presented presented = presented_by(context_, request);
    const auth::IdentityPtr who = services.authenticator.remembered(presented);
    if (!who) return false;
    const auto policy = services.policy.current();
    if (route.resource == Resource::base) {
        if (!may_enter(context_, *policy, *who, route.resource, presented.address)) return false;
        response.add("Content-Type", "application/json");
        response.body_shared(as_bytes(kBaseBody), nullptr);
        return true;
    }
    const auth::AccessRequest wanted{Action::pull, route.name, tag_of(route), presented.address,
                                     services.clock.now()};
    if (!policy->allows(*who, wanted)) return false;
    if (!answer_from_cache(request, response, route, *who)) return false;
    if (services.audit != nullptr && services.audit->options().pulls) {
        const auth::Decision decision = policy->decide(*who, wanted);
        record_access(context_, request, who.get(),
                      {.action = name_of(wanted.action),
                       .repository = route.name,
                       .reference = route.rest,
                       .rule = decision.rule,
                       .allowed = true,
                       .status = response.status});
    }
    return true;
}

bool Api::answer_from_cache(const http::Request& request, http::Response& response,
                            const Route& route, const auth::Identity& who) {
    const registry::Registry& registry = context_.services.registry;
    if (route.resource == Resource::manifest) {
        const auto content = registry.cached_manifest(route.name, route.rest);
        count_cache_request(context_.services, content != nullptr);
        if (!content) return false;
        answer_manifest(request, response, content);
        if (context_.services.on_pull && response.status != kNotModified)
            tell_pull(context_, request, who, route.name, tag_of(route), *content);
        return true;
    }
    const auto content = registry.cached_blob(route.name, route.rest);
    count_cache_request(context_.services, content != nullptr);
    if (!content) return false;
    const Reply<> answered = answer_blob(request, response, content);
    if (!answered) {
        response.reset();
        return false;
    }
    if (context_.services.on_pull) tell_pull(context_, request, who, route.name, {}, *content);
    return true;
}

// The pages that are not of the registry's API: open to all.
Reply<> Api::serve_page(Exchange& exchange) {
    BERTH_CHECK(check_method(exchange));
    if (exchange.route.resource == Resource::health) {
        answer_text(exchange.request, exchange.response, "text/plain", std::string(kHealthBody));
        return {};
    }
    std::string_view registry = "REGISTRY";
    const std::string origin = origin_of(exchange.request, context_.options, context_.proxies);
    if (const std::size_t host = origin.find("://"); host != std::string::npos) {
        registry = std::string_view(origin).substr(host + 3);
    }
    answer_text(exchange.request, exchange.response, "text/html; charset=utf-8",
                front_page(registry));
    return {};
}

Task<Reply<>> Api::serve_registry(Exchange& exchange) {
    Reply<> known = co_await authenticate(exchange);
    if (!known) co_return known;
    Reply<> allowed = check_access(exchange);
    if (!allowed) co_return allowed;
    Reply<> handled = co_await handle(exchange);
    if (context_.services.on_change && !is_read(exchange.request.method))
        context_.services.on_change();
    co_return handled;
}

Task<Reply<>> Api::serve_token(Exchange& exchange) {
    Reply<> known = check_method(exchange);
    if (!known) co_return known;
    Reply<> handled = co_await handle_token(exchange);
    co_return handled;
}

Task<void> Api::serve(const http::Request& request, http::Body& body, http::Response& response) {
    Exchange exchange{.context = context_,
                      .request = request,
                      .body = body,
                      .response = response,
                      .path = {},
                      .route = {},
                      .address = {},
                      .who = nullptr,
                      .repository = std::nullopt};
    Reply<> served;
    auto path = percent_decode(request.path);
    if (path) {
        exchange.path = std::move(*path);
        exchange.route =
            find_route(exchange.path, context_.options.prefix, context_.options.token_path);
    } else {
        served = api::refuse(Code::name_invalid, "the path has a malformed escape");
    }
    count_began(context_.services, exchange.route.resource, response);
    if (!is_ready()) {
        answer_unready(request, response);
        co_return;
    }
    if (served && is_registry(exchange.route.resource)) {
        served = co_await serve_registry(exchange);
    } else if (served && is_token(exchange.route.resource)) {
        served = co_await serve_token(exchange);
    } else if (served) {
        served = serve_page(exchange);
    }
    if (!served) {
        if (served.error().cause) log_cause(context_.services.log, request, served.error());
        answer_refusal(request, response, served.error());
    }
    if (is_registry(exchange.route.resource) || exchange.route.resource == Resource::token) {
        record_exchange(exchange, served ? nullptr : &served.error());
    }
}

void Api::refuse(const http::Request& request, int status, std::string_view reason,
                 http::Response& response) {
    count_began(context_.services, Resource::none, response);
    response.reset();
    Refusal refusal = refusal_of(status, std::string(reason));
    if (status == row_of(Code::unknown).status) {
        refusal.cause = Error{Errc::io, std::string(reason)};
        refusal.message = row_of(Code::unknown).message;
        log_cause(context_.services.log, request, refusal);
    }
    answer_refusal(request, response, refusal);
}

void Api::finished(const http::Request& request, const http::Response& response,
                   const http::Outcome& outcome) {
    log_finished(context_, request, response, outcome);
    count_ended(context_.services, request, response, outcome);
}

}  // namespace

Result<std::unique_ptr<http::Handler>> make_api(Services services, ApiOptions options) {
    Networks proxies = Networks::neighbours();
    if (!options.trusted_proxies.empty()) {
        BERTH_TRY(proxies, Networks::parse(options.trusted_proxies));
    }
    std::string challenge = basic_challenge(options.realm);
    return std::make_unique<Api>(
        Context{services, std::move(options), std::move(proxies), std::move(challenge)});
}

std::string common_fields(const std::vector<std::pair<std::string, std::string>>& headers) {
    constexpr std::string_view kVersion = "Docker-Distribution-Api-Version";
    http::Response response;
    response.add(kVersion, "registry/2.0");
    for (const auto& [name, value] : headers) {
        if (!equal_ignoring_case(name, kVersion)) response.add(name, value);
    }
    return std::string(response.fields());
}

}  // namespace berth::api
