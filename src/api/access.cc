#include "api/access.h"

#include "api/caller.h"

namespace berth::api {
namespace {

std::unexpected<Refusal> ask_for_login(Exchange& exchange, std::string message) {
    exchange.response.add("WWW-Authenticate", exchange.context.challenge);
    return refuse(Code::unauthorized, std::move(message));
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
        co_return ask_for_login(exchange, std::move(verified.error().detail));
    }
    co_return std::unexpected(Refusal(std::move(verified.error())));
}

Reply<> enter(Exchange& exchange) {
    const Context& context = exchange.context;
    if (!exchange.who->anonymous() || !context.services.authenticator.enabled()) return {};
    if (exchange.policy->may_enter(*exchange.who)) return {};
    return ask_for_login(exchange, {});
}

Reply<> authorize(Exchange& exchange, auth::Action action, std::string_view tag) {
    const auth::AccessRequest wanted = exchange.wanted(action, exchange.route.name, tag);
    if (exchange.policy->allows(*exchange.who, wanted)) return {};
    return deny(exchange, exchange.policy->decide(*exchange.who, wanted));
}

std::unexpected<Refusal> deny(Exchange& exchange, const auth::Decision& decision) {
    const bool unknown =
        exchange.who->anonymous() && exchange.context.services.authenticator.enabled();
    if (unknown) return ask_for_login(exchange, {});
    return refuse(Code::denied, decision.reason);
}

}  // namespace berth::api
