// Verifies audit logs, and reads them line by line.
//
// Found is every line that was changed, taken out, put in or moved, and a file whose head was cut
// off. Not found is, by the file alone, that its last lines were removed, that whole files from the
// oldest on were (rotation does that), and that somebody wrote the whole log anew from some line
// on: for that, a hash that was noted elsewhere is needed (`expect`), or syslog on another machine.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/audit/audit_line.h"
#include "base/result.h"

namespace berth::auth {

struct AuditVerdict {
    std::uint64_t lines = 0;
    std::uint64_t first = 0;  // `seq` of the first line; more than 1: older files are gone
    std::uint64_t last = 0;
    std::uint64_t lost = 0;  // records that the log says were lost
    std::string head;        // the hash of the last line
};

// The files in order, oldest first. `expect`: a hash that one of the lines must have, or that the
// first one follows; empty: none. Errc::corrupt names file, line and what does not fit.
Result<AuditVerdict> verify_audit(const std::vector<std::string>& paths,
                                  std::string_view expect = {});

// Calls `use` with each line, without its line feed, and its number in the file from 1, until it
// returns an error, which is given on. The view is valid during the call. Errc::corrupt for a line
// that is too long or has no end, naming it.
using UseAuditLine = std::function<Result<void>(std::string_view line, std::uint64_t number)>;
Result<void> each_audit_line(const std::string& path, const UseAuditLine& use);

}  // namespace berth::auth
