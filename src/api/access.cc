#include "api/access.h"

namespace berth::api {
namespace {

std::unexpected<Refusal> ask_for_login(const Context& context, http::Response& response,
                                       std::string message) {
    response.add("WWW-Authenticate", context.challenge);
    return refuse(Code::unauthorized, std::move(message));
}

}  // namespace

Task<Reply<IdentityPtr>> authenticate(const Context& context, const http::Request& request,
                                      http::Response& response) {
    auth::Authenticator& authenticator = context.services.authenticator;
    const std::string_view header = request.field("Authorization");
    IdentityPtr known = authenticator.remembered(header);
    if (known) co_return known;

    const std::string_view address = request.peer ? request.peer->address : std::string_view();
    auto verify = [&authenticator, header, address] {
        return authenticator.verify(header, address);
    };
    Result<IdentityPtr> verified = co_await run_on(context.services.passwords, verify);
    if (verified) co_return std::move(*verified);
    if (verified.error().code == Errc::unauthenticated) {
        co_return ask_for_login(context, response, std::move(verified.error().detail));
    }
    co_return std::unexpected(Refusal(std::move(verified.error())));
}

Reply<> enter(Exchange& exchange) {
    const Context& context = exchange.context;
    if (!exchange.who->anonymous() || !context.services.authenticator.enabled()) return {};
    if (context.policy.may_enter(*exchange.who)) return {};
    return ask_for_login(context, exchange.response, {});
}

Reply<> authorize(Exchange& exchange, auth::Action action, std::string_view tag) {
    const auth::AccessRequest wanted{action, exchange.route.name, tag};
    const auth::Policy& policy = exchange.context.policy;
    if (policy.allows(*exchange.who, wanted)) return {};
    return deny(exchange, policy.decide(*exchange.who, wanted));
}

std::unexpected<Refusal> deny(Exchange& exchange, const auth::Decision& decision) {
    if (exchange.who->anonymous() && exchange.context.services.authenticator.enabled()) {
        return ask_for_login(exchange.context, exchange.response, {});
    }
    return refuse(Code::denied, decision.reason);
}

}  // namespace berth::api
