#include "api/token.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/access.h"
#include "api/body_reader.h"
#include "api/caller.h"
#include "api/challenge.h"
#include "auth/token/access_tokens.h"
#include "auth/token/token_issuer.h"
#include "base/encoding.h"
#include "base/text.h"
#include "http/text.h"

namespace berth::api {
namespace {

using auth::Action;
using auth::Identity;
using auth::Scope;
using nlohmann::ordered_json;

constexpr std::size_t kFormBytesMax = 64u << 10;

// What is asked for, whoever asks.
struct Wanted {
    std::vector<Scope> scopes;
    bool refresh_token = false;
    bool scope_in_answer = false;  // OAuth2 says it, the older form does not
};

std::unexpected<Refusal> refuse_request(std::string message, std::string_view error) {
    Refusal refusal(Code::request_invalid, std::move(message));
    refusal.oauth_error = error;
    return std::unexpected(std::move(refusal));
}

// 401 and not OAuth2's 400: clients of registries take that for an outage.
std::unexpected<Refusal> refuse_grant(Exchange& exchange, std::string message) {
    exchange.response.add("WWW-Authenticate", exchange.context.challenge);
    Refusal refusal(Code::unauthorized, std::move(message));
    refusal.oauth_error = "invalid_grant";
    return std::unexpected(std::move(refusal));
}

Reply<std::vector<Scope>> parse_scopes(std::string_view text) {
    auto scopes = Scope::parse(text);
    if (!scopes) return refuse_request(std::move(scopes.error().detail), "invalid_scope");
    return std::move(*scopes);
}

bool wants(const Scope& scope, std::string_view action) {
    return std::ranges::find(scope.actions, action) != scope.actions.end() ||
           std::ranges::find(scope.actions, "*") != scope.actions.end();
}

// What clients ask for as `push` is two actions. A credential that is limited to one of them gets
// that one: whoever sees the token later knows nothing else of the limit.
const char* push_word(const Identity& who, bool creates, bool overwrites) {
    if (!who.grants || creates == overwrites) return "push";
    return creates ? "create" : "overwrite";
}

// Of what a scope asks, what the policy allows, and the credential itself.
Scope granted(const Exchange& exchange, const Scope& asked) {
    const auto allows = [&](Action action, std::string_view name) {
        return exchange.policy->allows(*exchange.who, exchange.wanted(action, name));
    };
    Scope given{.type = asked.type, .name = asked.name, .actions = {}};
    const auto give = [&](const char* action, bool allowed) {
        if (allowed && wants(asked, action)) given.actions.emplace_back(action);
    };
    if (asked.type == "registry" && asked.name == "catalog") {
        give("*", allows(Action::catalog, {}));
    }
    // `repository(plugin)`: the class is not ours to tell apart.
    const bool is_repository = asked.type == "repository" || asked.type.starts_with("repository(");
    if (is_repository && oci::RepositoryName::parse(asked.name)) {
        given.type = "repository";
        give("pull", allows(Action::pull, asked.name));
        const bool creates = allows(Action::create, asked.name);
        const bool overwrites = allows(Action::overwrite, asked.name);
        if ((creates || overwrites) && wants(asked, "push")) {
            given.actions.emplace_back(push_word(*exchange.who, creates, overwrites));
        }
        give("delete", allows(Action::remove, asked.name));
    }
    return given;
}

std::vector<Scope> granted(const Exchange& exchange, const std::vector<Scope>& asked) {
    std::vector<Scope> all;
    for (const Scope& scope : asked) {
        Scope given = granted(exchange, scope);
        if (!given.actions.empty()) all.push_back(std::move(given));
    }
    return all;
}

// Only for who logged in by a password: it ends with that password. What is limited, or ends by
// itself, must not become something that lasts.
std::optional<std::string> refresh_token(const Exchange& exchange, std::string_view service) {
    const Services& services = exchange.context.services;
    const Identity& who = *exchange.who;
    if (who.anonymous() || who.kind != Identity::Kind::user || who.grants) return std::nullopt;
    const auto account = services.authenticator.find(who.name);
    if (!account || !*account || (*account)->identity.proof != who.proof) return std::nullopt;
    return services.issuer->issue_refresh(**account, service).token;
}

void answer_json(Exchange& exchange, const ordered_json& json) {
    answer_text(exchange.request, exchange.response, "application/json", json.dump() + "\n");
}

void answer_token(Exchange& exchange, const Wanted& wanted) {
    const auth::TokenIssuer& issuer = *exchange.context.services.issuer;
    const std::string service = service_of(exchange.context, exchange.request);
    const std::vector<Scope> scopes = granted(exchange, wanted.scopes);
    const auto issued = issuer.issue(*exchange.who, scopes, service);
    ordered_json json{{"token", issued.token},
                      {"access_token", issued.token},
                      {"token_type", "Bearer"},
                      {"expires_in", issued.lifetime.count()},
                      {"issued_at", format_rfc3339(issued.at)}};
    if (wanted.scope_in_answer) {
        std::string text;
        for (const Scope& scope : scopes)
            text.append(text.empty() ? "" : " ").append(scope.text());
        json["scope"] = text;
    }
    if (wanted.refresh_token) {
        const auto token = refresh_token(exchange, service);
        if (token) json["refresh_token"] = *token;
    }
    answer_json(exchange, json);
}

Reply<> get_token(Exchange& exchange) {
    if (exchange.who->proof.starts_with("bearer")) {
        return refuse_grant(exchange, "a bearer token cannot be exchanged for another");
    }
    BERTH_TRY(const http::Query query, query_of(exchange));
    std::string text;
    for (const std::string_view scope : query.all("scope"))
        text.append(text.empty() ? "" : " ").append(scope);
    BERTH_TRY(auto scopes, parse_scopes(text));
    const bool offline =
        query.find("offline_token") == "true" || query.find("access_type") == "offline";
    answer_token(exchange, {std::move(scopes), offline, false});
    return {};
}

Reply<auth::IdentityPtr> by_password(Exchange& exchange, const http::Query& form) {
    const auto user = form.find("username"), password = form.find("password");
    if (!user || !password) {
        return refuse_request("username and password are needed", "invalid_request");
    }
    exchange.tried = *user;
    const std::string pair = std::string(*user) + ":" + std::string(*password);
    const std::string header = "Basic " + base64_encode(as_bytes(pair));
    const auth::Presented presented{.authorization = header, .address = exchange.address};
    auto who = exchange.context.services.authenticator.verify(presented);
    if (who) return std::move(*who);
    if (who.error().code != Errc::unauthenticated) return std::unexpected(Refusal(who.error()));
    return refuse_grant(exchange, std::move(who.error().detail));
}

Reply<auth::IdentityPtr> by_refresh_token(Exchange& exchange, const http::Query& form) {
    const Services& services = exchange.context.services;
    const auto token = form.find("refresh_token");
    if (!token) return refuse_request("a refresh_token is needed", "invalid_request");
    const auto refresh =
        services.issuer->verify_refresh(*token, service_of(exchange.context, exchange.request));
    if (!refresh) return refuse_grant(exchange, refresh.error().detail);
    exchange.tried = refresh->user;
    const auto revoked_at = services.access_tokens
                                ? services.access_tokens->issued_revoked_at(refresh->user)
                                : std::nullopt;
    if (revoked_at && refresh->issued_at <= *revoked_at) {
        return refuse_grant(exchange, "the token was revoked");
    }
    BERTH_TRY(const auto account, services.authenticator.find(refresh->user));
    if (!account || !services.issuer->is_unchanged(*refresh, *account)) {
        return refuse_grant(exchange, "the account has changed: log in again");
    }
    return std::make_shared<const Identity>(account->identity);
}

Reply<> post_token(Exchange& exchange, std::string_view body) {
    auto form = http::Query::parse(body);
    if (!form) return refuse_request(std::move(form.error().detail), "invalid_request");
    BERTH_TRY(auto scopes, parse_scopes(form->find("scope").value_or("")));
    const auto type = form->find("grant_type").value_or("");
    const bool is_password = type == "password";
    if (!is_password && type != "refresh_token") {
        return refuse_request("grant_type is password or refresh_token",
                              type.empty() ? "invalid_request" : "unsupported_grant_type");
    }
    auto who = is_password ? by_password(exchange, *form) : by_refresh_token(exchange, *form);
    if (!who) return std::unexpected(std::move(who.error()));
    exchange.who = std::move(*who);
    // A refresh token is not renewed: it ends when it was said to.
    const bool offline = is_password && form->find("access_type") == "offline";
    answer_token(exchange, {std::move(scopes), offline, true});
    return {};
}

Reply<> get_keys(Exchange& exchange) {
    answer_text(exchange.request, exchange.response, "application/json",
                exchange.context.services.issuer->jwks() + "\n");
    return {};
}

bool is_form(const http::Request& request) {
    std::string_view type = request.field("Content-Type");
    type = type.substr(0, type.find_first_of("; \t"));
    return equal_ignoring_case(type, "application/x-www-form-urlencoded");
}

Task<Reply<>> take_form(Exchange& exchange) {
    exchange.address =
        caller_address(exchange.request, exchange.context.options, exchange.context.proxies);
    if (!is_form(exchange.request)) {
        co_return refuse_request("the body must be application/x-www-form-urlencoded",
                                 "invalid_request");
    }
    Result<std::string> body = co_await read_whole(exchange.request, exchange.body, kFormBytesMax);
    if (!body) co_return refuse(std::move(body.error()), About::request);
    auto work = [&exchange, &body] { return post_token(exchange, *body); };
    Reply<> done = co_await run_on(exchange.context.services.logins, work);
    co_return done;
}

Task<Reply<>> take_query(Exchange& exchange) {
    Reply<> known = co_await authenticate(exchange);
    if (!known) co_return known;
    auto work = [&exchange] { return get_token(exchange); };
    Reply<> done = co_await run_on(exchange.context.services.logins, work);
    co_return done;
}

Task<Reply<>> take_keys(Exchange& exchange) {
    auto work = [&exchange] { return get_keys(exchange); };
    Reply<> done = co_await run_on(exchange.context.services.disk, work);
    co_return done;
}

}  // namespace

Task<Reply<>> handle_token(Exchange& exchange) {
    Reply<> handled = refuse(Code::name_unknown, "there is nothing at this path");
    if (!exchange.context.services.issuer) co_return handled;
    if (exchange.route.resource == Resource::token_keys) {
        handled = co_await take_keys(exchange);
        co_return handled;
    }
    exchange.response.add("Cache-Control", "no-store");
    if (exchange.request.method == http::Method::post) {
        handled = co_await take_form(exchange);
    } else {
        handled = co_await take_query(exchange);
    }
    co_return handled;
}

}  // namespace berth::api
