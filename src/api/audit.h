// What the audit log gets of an exchange. Costs a microsecond: the line is made and written
// elsewhere.
#pragma once

#include <string_view>

#include "api/exchange.h"

namespace berth::api {

// What somebody wanted, and what became of it.
struct Audited {
    std::string_view action;  // a policy's word (auth::name_of), login, or tokens (one's own)
    std::string_view repository = {};
    std::string_view reference = {};  // a tag or a digest
    std::string_view rule = {};
    bool allowed = false;
    int status = 0;
    std::string_view reason = {};  // of a refusal; never quotes what proves anybody's identity
    std::string_view tried = {};   // the name that a login which failed was for
};

// The exchange, which has been answered: what the policy was asked last, or a login.
void record_exchange(const Exchange& exchange, const Refusal* refusal);

// Records it, unless there is no audit log, or it is a pull that was allowed and those are not
// wanted. `who` is null for a login that failed. Thread-safe.
void record_access(const Context& context, const http::Request& request, const auth::Identity* who,
                   const Audited& what);

}  // namespace berth::api
