// An entry of systemd's journal in its native form (systemd.io/JOURNAL_NATIVE_PROTOCOL). Pure.
//
// MESSAGE is one printable line with the fields behind it, for whoever reads `journalctl`. Fields
// stand in BERTH_… too, byte for byte: BERTH_HTTP_REQUEST_URI of http.request.uri. BERTH_LOG says
// which log it is from: server or access.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"

namespace berth::logging {

std::string format_journal_entry(const LogRecord& record);
std::string format_journal_access(std::string_view line);

}  // namespace berth::logging
