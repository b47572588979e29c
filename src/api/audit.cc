#include "api/audit.h"

#include <utility>

#include "api/caller.h"
#include "auth/audit/audit_log.h"
#include "auth/token/access_tokens.h"

namespace berth::api {

void record_access(const Context& context, const http::Request& request, const auth::Identity* who,
                   const Audited& what) {
    auth::AuditLog* const log = context.services.audit;
    if (log == nullptr) return;
    const bool is_pull = what.action == name_of(auth::Action::pull);
    if (what.allowed && is_pull && !log->options().pulls) return;

    auth::AuditRecord record;
    record.at = context.services.clock.now();
    record.request_id = request.id;
    if (who != nullptr) {
        record.user = who->name;
        record.kind = name_of(who->kind);
        record.proof = who->proof;
        if (!who->credential.empty()) record.proof += ":" + who->credential;
        record.groups = who->groups;
    } else {
        record.user = what.tried;
        record.proof = "none";
    }
    record.address = caller_address(request, context.options, context.proxies);
    record.method = request.method_text;
    record.action = what.action;
    record.repository = what.repository;
    record.reference = what.reference;
    record.rule = what.rule;
    record.allowed = what.allowed;
    record.status = what.status;
    record.reason = what.reason;
    log->record(std::move(record));
}

void record_exchange(const Exchange& exchange, const Refusal* refusal) {
    if (exchange.context.services.audit == nullptr) return;
    const Route& route = exchange.route;
    Audited what{.action = "login",
                 .allowed = refusal == nullptr,
                 .status = exchange.response.status,
                 .reason = refusal ? std::string_view(refusal->message) : std::string_view()};
    if (!exchange.who) {
        const auto tried = auth::parse_authorization(exchange.request.field("Authorization"));
        if (tried) what.tried = tried->user;
        if (!exchange.tried.empty()) what.tried = exchange.tried;
        record_access(exchange.context, exchange.request, nullptr, what);
        return;
    }
    // The policy is not asked about tokens of one's own.
    if (!exchange.asked && is_admin(route.resource)) {
        what.action = "tokens";
        what.reference = route.rest;
        record_access(exchange.context, exchange.request, exchange.who.get(), what);
        return;
    }
    if (!exchange.asked) {
        const bool asks_who = route.resource == Resource::base || route.resource == Resource::token;
        const bool is_login = asks_who && !exchange.who->anonymous();
        if (is_login) record_access(exchange.context, exchange.request, exchange.who.get(), what);
        return;
    }
    const auto& [action, tag] = *exchange.asked;
    const auth::Decision decision =
        exchange.denial
            ? *exchange.denial
            : exchange.policy->decide(*exchange.who, exchange.wanted(action, route.name, tag));
    what.action = name_of(action);
    what.repository = route.name;
    what.reference = tag.empty() ? route.rest : std::string_view(tag);
    what.rule = decision.rule;
    what.allowed = decision.allowed;
    if (!decision.allowed) what.reason = decision.reason;
    record_access(exchange.context, exchange.request, exchange.who.get(), what);
}

}  // namespace berth::api
