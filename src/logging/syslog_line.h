// The form of a syslog message, RFC 5424. Pure.
//
// MSG is the line's text with its fields, for collectors and people that know no structured data;
// the fields stand in structured data too. It is UTF-8 without a byte order mark, which too many
// collectors take for text. No byte of a line can end a message or a value early.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace berth::logging {

// What is the same in each message.
struct SyslogSource {
    int facility = 3;
    std::string host = "-";
    std::string app_name = "berth";
    std::string process_id = "-";
};

// RFC 5424, 6.2.1, by the names of syslog.conf. Errc::invalid for another.
Result<int> parse_facility(std::string_view name);

// `text` as HOSTNAME, APP-NAME or PROCID: printable ASCII, `length_max` at most, `-` for none.
std::string syslog_header_text(std::string_view text, std::size_t length_max);

// Never longer than `bytes_max`, which is at least 1,024: fields that would take more than half of
// it are left out, and the text is cut after a whole character.
std::string format_syslog(const SyslogSource& source, const LogRecord& record,
                          std::size_t bytes_max);
std::string format_syslog_access(const SyslogSource& source, Time at, std::string_view line,
                                 std::size_t bytes_max);

}  // namespace berth::logging
