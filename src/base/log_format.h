// The forms of a log line: pure functions, for Logger and its sinks.
//
// Nothing that a client sent can end a line, close a quote or reach a terminal as a control
// character: such bytes are escaped.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/log.h"

namespace berth {

// Sorted by key, as registry:2 writes them.
using LogFields = std::map<std::string_view, std::string_view>;

// As it stands in a line: debug, info, warning, error.
std::string_view name_of(LogLevel level);

// One server line with its line feed. A field that is named like one of the line's own keys becomes
// `fields.KEY`.
std::string format_log_line(LogFormat format, Time at, LogLevel level, std::string_view message,
                            const LogFields& fields);

// `message key=value …`: for where the time and the level stand apart. One line, without a line
// feed, and UTF-8.
std::string format_log_message(std::string_view message, const LogFields& fields);

// Appends `text` as one printable line of UTF-8, whatever its bytes.
void append_printable(std::string& out, std::string_view text);

// Appends `text` as a JSON string, whatever its bytes: what is not UTF-8, and what turns a
// terminal's writing direction, becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends one line of Apache's combined format with its line feed.
void append_access_line(std::string& out, const AccessRecord& record);

}  // namespace berth
