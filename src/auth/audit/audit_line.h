// The lines of the audit log: JSON objects whose fields stand in a fixed order, so that each record
// has exactly one text.
//
//   {"seq":17,"prev":"<hash of line 16>","at":"2026-11-24T13:44:07.208Z","event":"access",
//    "request":"…","user":"alice","kind":"user","proof":"htpasswd","groups":["dev"],
//    "address":"10.0.0.7","method":"PUT","action":"create","repository":"team/app",
//    "reference":"1.0","rule":"devs push","allowed":true,"status":201,"reason":"","hash":"…"}
//
// (in one line). `hash` is the SHA-256, in lower-case hex, of the line's bytes before `,"hash":`:
//
//   sed -n '17s/,"hash":"[0-9a-f]*"}$//p' audit.log | tr -d '\n' | sha256sum
//
// `prev` is the hash of the line before, whichever file that is in; 64 zeros in the first line of
// all. Lines of other events have, between `event` and `hash`, at most one number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

// Longer lines are not written, and are none when read; without the line feed.
constexpr std::size_t kAuditLineMax = 64 << 10;

enum class AuditEvent {
    access,   // somebody wanted something: a record
    opened,   // the first line of each file
    started,  // the server began
    resumed,  // after a crash: `bytes` of a line that was not whole were cut off
    lost,     // `count` records could not be kept: the disk was too slow, or full
    stopped,  // the server ended in good order
};

std::string_view name_of(AuditEvent event);

struct AuditRecord {
    Time at;
    std::string request_id;
    std::string user;   // empty: anonymous
    std::string kind;   // user, robot, oidc
    std::string proof;  // none, htpasswd, ldap, …
    std::vector<std::string> groups;
    std::string address;
    std::string method;      // GET, PUT, …
    std::string action;      // pull, create, overwrite, delete, catalog, admin; login
    std::string repository;  // may be empty
    std::string reference;   // a tag or a digest; may be empty
    std::string rule;        // the deciding one; empty: none
    bool allowed = false;
    int status = 0;
    std::string reason;  // of a refusal
};

struct AuditLine {
    std::uint64_t seq = 0;  // from 1
    std::string prev;
    AuditEvent event{};
    AuditRecord record;        // only `at`, unless the event is access
    std::uint64_t number = 0;  // of resumed and lost
    std::string hash;
};

// What the first line of all has for `prev`.
std::string first_audit_hash();

// Cuts texts that are longer than any good client's, marked by `…`, and lists of groups, so that
// the record's line is within kAuditLineMax.
void trim(AuditRecord& record);

// Appends the line with its line feed; its hash, which `line` need not have, is returned. Valid
// JSON whatever bytes the texts are made of: what is not UTF-8 becomes U+FFFD.
std::string append_audit_line(std::string& out, const AuditLine& line);

// The inverse, for a line without its line feed. Errc::corrupt for anything append_audit_line()
// does not write, a wrong hash among it.
Result<AuditLine> read_audit_line(std::string_view text);

// The same for those who want to know what was asked for: lines of other events give a record
// without an action.
Result<AuditRecord> parse_audit_line(std::string_view text);

}  // namespace berth::auth
