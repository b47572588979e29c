#include "logging/syslog_line.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/log_format.h"

namespace berth::logging {

namespace {

constexpr int kInformational = 6;
constexpr std::size_t kNameMax = 32;  // of SD-NAME

struct Facility {
    std::string_view name;
    int number;
};
constexpr std::array kFacilities{
    Facility{"kern", 0},    Facility{"user", 1},      Facility{"mail", 2},
    Facility{"daemon", 3},  Facility{"auth", 4},      Facility{"syslog", 5},
    Facility{"lpr", 6},     Facility{"news", 7},      Facility{"uucp", 8},
    Facility{"cron", 9},    Facility{"authpriv", 10}, Facility{"ftp", 11},
    Facility{"local0", 16}, Facility{"local1", 17},   Facility{"local2", 18},
    Facility{"local3", 19}, Facility{"local4", 20},   Facility{"local5", 21},
    Facility{"local6", 22}, Facility{"local7", 23},
};

int severity_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return 7;
        case LogLevel::info:
            return kInformational;
        case LogLevel::warn:
            return 4;
        case LogLevel::error:
            return 3;
    }
    return kInformational;
}

bool is_printable_ascii(char c) {
    return c > ' ' && c < 0x7f;
}

void append_name(std::string& out, std::string_view name) {
    for (const char c : name.substr(0, kNameMax))
        out += is_printable_ascii(c) && !std::string_view("=]\"").contains(c) ? c : '_';
}

void append_param(std::string& out, std::string_view name, std::string_view value) {
    out += ' ';
    append_name(out, name);
    out += "=\"";
    std::string printable;
    append_printable(printable, value);
    for (const char c : printable) {
        if (c == '"' || c == '\\' || c == ']') out += '\\';
        out += c;
    }
    out += '"';
}

// The structured data, in `bytes_max` at most.
std::string format_data(const LogFields& fields, std::size_t bytes_max) {
    std::string data = "[berth@32473";
    const auto empty = data.size();
    for (const auto& [name, value] : fields) {
        if (name.empty()) continue;
        const auto before = data.size();
        append_param(data, name, value);
        if (data.size() >= bytes_max) data.resize(before);
    }
    return data.size() == empty ? "-" : data + "]";
}

std::string format_header(const SyslogSource& source, int severity, Time at,
                          std::string_view message_id) {
    std::string header = "<" + std::to_string(source.facility * 8 + severity) + ">1 ";
    header += format_rfc3339(at);
    for (const std::string_view part :
         {std::string_view(source.host), std::string_view(source.app_name),
          std::string_view(source.process_id), message_id}) {
        header += ' ';
        header += part;
    }
    return header + ' ';
}

// Cuts well-formed UTF-8 after a whole character.
void cut(std::string& text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80)
        --bytes_max;
    text.resize(bytes_max);
}

}  // namespace

Result<int> parse_facility(std::string_view name) {
    const auto* const found = std::ranges::find(kFacilities, name, &Facility::name);
    if (found == kFacilities.end()) {
        return fail(Errc::invalid, "no facility of syslog: " + std::string(name) +
                                       "; there are daemon, user, auth, authpriv, local0 … local7 "
                                       "and others");
    }
    return found->number;
}

std::string syslog_header_text(std::string_view text, std::size_t length_max) {
    std::string out;
    for (const char c : text.substr(0, length_max)) {
        if (is_printable_ascii(c)) out += c;
    }
    return out.empty() ? "-" : out;
}

std::string format_syslog(const SyslogSource& source, const LogRecord& record,
                          std::size_t bytes_max) {
    std::string line = format_header(source, severity_of(record.level), record.at, "server");
    line += format_data(record.fields, bytes_max / 2 - line.size());
    line += ' ';
    line += format_log_message(record.message, record.fields);
    cut(line, bytes_max);
    return line;
}

std::string format_syslog_access(const SyslogSource& source, Time at, std::string_view line,
                                 std::size_t bytes_max) {
    std::string out = format_header(source, kInformational, at, "access");
    out += "- ";
    out += line;
    cut(out, bytes_max);
    return out;
}

}  // namespace berth::logging
