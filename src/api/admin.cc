#include "api/admin.h"

#include <algorithm>

#include "api/access.h"
#include "api/body_reader.h"
#include "api/explanation.h"
#include "api/token_json.h"
#include "auth/policy/grants.h"
#include "base/text.h"
#include "http/text.h"
#include "oci/json_fields.h"

namespace berth::api {
namespace {

using auth::AccessToken;
using auth::Action;
using auth::Identity;
using http::Method;
using nlohmann::ordered_json;
using oci::JsonFields;

constexpr std::size_t kBodyBytesMax = 64u << 10;
constexpr std::size_t kJsonDepthMax = 2;
constexpr auto kDefaultLifetime = std::chrono::days(90);
constexpr auto kLifetimeMax = std::chrono::days(365 * 100);

bool is_own(Resource resource) {
    return resource == Resource::own_access_tokens || resource == Resource::own_access_token;
}

Reply<> authorize_own(Exchange& exchange) {
    const Identity& who = *exchange.who;
    if (who.kind != Identity::Kind::user) {
        return refuse(Code::denied, "only users have tokens of their own");
    }
    if (who.grants && !who.grants->cover(exchange.wanted(Action::admin, {}), who.name)) {
        return refuse(Code::denied, "this credential is limited, and not to handling tokens");
    }
    // Or a token that was stolen could outlive its end, and lose its limits.
    if (who.proof == "token" && exchange.request.method == Method::post) {
        return refuse(Code::denied, "a token makes no tokens: log in by your password");
    }
    return {};
}

Reply<auth::AccessTokens*> tokens_of(const Exchange& exchange) {
    if (exchange.context.services.access_tokens) return exchange.context.services.access_tokens;
    return refuse(Code::name_unknown, "there are no access tokens here");
}

void answer_json(Exchange& exchange, const ordered_json& json) {
    // Names and reasons may have what is not UTF-8.
    answer_text(exchange.request, exchange.response, "application/json",
                json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

// Is it one that the caller may see here?
bool is_shown(const Exchange& exchange, const AccessToken& token) {
    return !is_own(exchange.route.resource) ||
           (token.kind == Identity::Kind::user && token.name == exchange.who->name);
}

Reply<> list_tokens(Exchange& exchange, auth::AccessTokens& tokens) {
    BERTH_TRY(const auto all, reply(tokens.list(), About::administration));
    const Time now = exchange.context.services.clock.now();
    ordered_json list = ordered_json::array();
    for (const AccessToken& token : all) {
        if (is_shown(exchange, token)) list.push_back(token_json(token, now));
    }
    answer_json(exchange, {{"tokens", std::move(list)}});
    return {};
}

Reply<> revoke_token(Exchange& exchange, auth::AccessTokens& tokens) {
    const std::string_view id = exchange.route.rest;
    BERTH_TRY(const auto all, reply(tokens.list(), About::administration));
    const bool shown = std::ranges::any_of(
        all, [&](const AccessToken& token) { return token.id == id && is_shown(exchange, token); });
    if (!shown) return refuse(Code::token_unknown);
    BERTH_CHECK(reply(tokens.revoke(id), About::administration));
    exchange.response.status = 204;
    return {};
}

// A time, a number of seconds from now, or `never`; `kDefaultLifetime` where nothing is said.
Result<std::optional<Time>> take_expiry(JsonFields& fields, Time now) {
    if (!fields.has("expires")) return now + kDefaultLifetime;
    JsonFields rest = fields;
    const oci::Json value = *fields.take("expires");
    if (value == "never") return std::nullopt;
    if (!value.is_number_integer()) return rest.time("expires");
    const auto lifetime = value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
    const auto seconds_max = std::chrono::seconds(kLifetimeMax).count();
    if (lifetime == 0 || lifetime > static_cast<std::uint64_t>(seconds_max)) {
        return fail(Errc::invalid, "expires must be a number of seconds of 1 to 100 years");
    }
    return now + std::chrono::seconds(static_cast<std::int64_t>(lifetime));
}

Result<void> take_holder(JsonFields& fields, AccessToken& wanted) {
    if (fields.has("user") == fields.has("robot")) {
        return fail(Errc::invalid, "either user or robot must be there, and be a name");
    }
    const bool is_robot = fields.has("robot");
    wanted.kind = is_robot ? Identity::Kind::robot : Identity::Kind::user;
    BERTH_TRY(wanted.name, fields.text(is_robot ? "robot" : "user"));
    return {};
}

Result<AccessToken> parse_wanted(const Exchange& exchange, std::string_view text) {
    const Identity& who = *exchange.who;
    BERTH_TRY(JsonFields fields, JsonFields::parse(text, kJsonDepthMax));
    AccessToken wanted{.name = who.name};
    if (!is_own(exchange.route.resource)) {
        BERTH_CHECK(take_holder(fields, wanted));
    }
    if (fields.has("allow")) {
        BERTH_TRY(wanted.allow, fields.texts("allow"));
    }
    if (fields.has("description")) {
        BERTH_TRY(wanted.description, fields.text("description"));
    }
    BERTH_TRY(wanted.expires, take_expiry(fields, exchange.context.services.clock.now()));
    BERTH_CHECK(fields.end());
    wanted.created_by = std::string(auth::name_of(who.kind)) + ":" + who.name;
    return wanted;
}

Reply<> create_token(Exchange& exchange, auth::AccessTokens& tokens, std::string_view text) {
    BERTH_TRY(AccessToken wanted, reply(parse_wanted(exchange, text), About::administration));
    BERTH_TRY(const auto created, reply(tokens.create(std::move(wanted)), About::administration));
    const bool own = is_own(exchange.route.resource);
    exchange.response.status = 201;
    add_location(exchange, (own ? "v2/_berth/me/tokens/" : "v2/_berth/tokens/") + created.token.id);
    answer_json(exchange, token_json(created));
    return {};
}

Result<std::string> parse_user(std::string_view text) {
    BERTH_TRY(JsonFields fields, JsonFields::parse(text, kJsonDepthMax));
    BERTH_TRY(std::string user, fields.text("user"));
    BERTH_CHECK(fields.end());
    return user;
}

Reply<> revoke_issued(Exchange& exchange, auth::AccessTokens& tokens, std::string_view text) {
    BERTH_TRY(const std::string user, reply(parse_user(text), About::administration));
    BERTH_CHECK(reply(tokens.revoke_issued(user), About::administration));
    exchange.response.status = 204;
    return {};
}

Reply<> post_on_pool(Exchange& exchange, std::string_view text) {
    BERTH_TRY(auth::AccessTokens* const tokens, tokens_of(exchange));
    if (exchange.route.resource == Resource::issued_tokens) {
        return revoke_issued(exchange, *tokens, text);
    }
    return create_token(exchange, *tokens, text);
}

// Another media type a page of another site could send by a form, in the name of whoever looks at
// it and is logged in here.
Reply<> check_media_type(const Exchange& exchange) {
    std::string_view type = exchange.request.field("Content-Type");
    type = type.substr(0, type.find_first_of("; \t"));
    if (equal_ignoring_case(type, "application/json")) return {};
    return refuse(Error{Errc::unsupported, "the body must be application/json"},
                  About::administration);
}

}  // namespace

Reply<> authorize_admin(Exchange& exchange) {
    exchange.response.add("Cache-Control", "no-store");
    // Also where no policy is set, and nobody logs in: what is made here lasts.
    if (exchange.who->anonymous()) {
        return deny(exchange, {false, {}, "this is only for those who have logged in", false});
    }
    if (is_own(exchange.route.resource)) return authorize_own(exchange);
    return authorize(exchange, Action::admin);
}

Reply<> handle_admin(Exchange& exchange) {
    if (exchange.route.resource == Resource::explanation) {
        BERTH_TRY(const ordered_json json, explain(exchange));
        answer_json(exchange, json);
        return {};
    }
    BERTH_TRY(auth::AccessTokens* const tokens, tokens_of(exchange));
    if (exchange.request.method == Method::remove) return revoke_token(exchange, *tokens);
    return list_tokens(exchange, *tokens);
}

Task<Reply<>> post_admin(Exchange& exchange) {
    Reply<> fits = check_media_type(exchange);
    if (!fits) co_return fits;
    Result<std::string> text = co_await read_whole(exchange.request, exchange.body, kBodyBytesMax);
    if (!text) co_return refuse(std::move(text.error()), About::administration);
    auto work = [&exchange, &text] { return post_on_pool(exchange, *text); };
    Reply<> done = co_await run_on(exchange.context.services.disk, work);
    co_return done;
}

}  // namespace berth::api
