#include "api/access.h"

#include "api/caller.h"
#include "api/challenge.h"
#include "base/text.h"
#include "http/text.h"

namespace berth::api {
namespace {

std::unexpected<Refusal> ask_for_login(Exchange& exchange, std::string message,
                                       Complaint complaint = Complaint::none) {
    const Context& context = exchange.context;
    // The token service itself does not send to the token service.
    exchange.response.add("WWW-Authenticate", is_token(exchange.route.resource)
                                                  ? context.challenge
                                                  : challenge(context, exchange.request,
                                                              scope_of(exchange), complaint));
    return refuse(Code::unauthorized, std::move(message));
}

bool shows_bearer(const http::Request& request) {
    const std::string_view field = request.field("Authorization");
    return equal_ignoring_case(field.substr(0, field.find(' ')), "Bearer");
}

}  // namespace

Task<Reply<>> authenticate(Exchange& exchange) {
    auth::Authenticator& authenticator = exchange.context.services.authenticator;
    const auth::Presented presented = presented_by(exchange.context, exchange.request);
    exchange.address = presented.address;
    exchange.who = authenticator.remembered(presented);
    if (exchange.who) co_return Reply<>();

    auto verify = [&authenticator, &presented] { return authenticator.verify(presented); };
    Result<auth::IdentityPtr> verified = co_await run_on(exchange.context.services.logins, verify);
    if (verified) {
        exchange.who = std::move(*verified);
        co_return Reply<>();
    }
    if (verified.error().code == Errc::unauthenticated) {
        const Complaint complaint =
            shows_bearer(exchange.request) ? Complaint::invalid_token : Complaint::none;
        co_return ask_for_login(exchange, std::move(verified.error().detail), complaint);
    }
    co_return std::unexpected(Refusal(std::move(verified.error())));
}

bool may_enter(const Context& context, const auth::Policy& policy, const auth::Identity& who,
               Resource resource, std::string_view address) {
    if (!who.anonymous() || !context.services.authenticator.enabled()) return true;
    // A token of nobody has grants.
    if (resource == Resource::base && has_token_service(context)) return who.grants != nullptr;
    return policy.may_enter(who, address, context.services.clock.now());
}

Reply<> enter(Exchange& exchange) {
    if (may_enter(exchange.context, *exchange.policy, *exchange.who, exchange.route.resource,
                  exchange.address)) {
        return {};
    }
    return ask_for_login(exchange, {});
}

Reply<> authorize(Exchange& exchange, auth::Action action, std::string_view tag) {
    exchange.asked = {action, std::string(tag)};
    const auth::AccessRequest wanted = exchange.wanted(action, exchange.route.name, tag);
    if (exchange.policy->allows(*exchange.who, wanted)) return {};
    return deny(exchange, exchange.policy->decide(*exchange.who, wanted));
}

std::unexpected<Refusal> deny(Exchange& exchange, const auth::Decision& decision) {
    exchange.denial = decision;
    const bool unknown =
        exchange.who->anonymous() && exchange.context.services.authenticator.enabled();
    const bool shows_token = shows_bearer(exchange.request);
    const Complaint complaint = shows_token ? Complaint::insufficient_scope : Complaint::none;
    if (unknown) return ask_for_login(exchange, {}, complaint);
    // Another token may do, so the client is told what to ask for.
    if (decision.beyond_grants && shows_token && has_token_service(exchange.context)) {
        return ask_for_login(exchange, decision.reason, complaint);
    }
    return refuse(Code::denied, decision.reason);
}

}  // namespace berth::api
