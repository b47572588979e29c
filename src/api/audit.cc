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
        record.groups = who->groups;
    } else {
        record.user = what.tried;
        record.proof = "none";
    }
    record.address = caller_address(context, request);
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

}  // namespace berth::api
