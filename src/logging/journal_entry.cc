#include "logging/journal_entry.h"

#include <array>
#include <cstdint>

#include "base/log_format.h"

namespace berth::logging {

namespace {

constexpr std::size_t kNameMax = 64;
constexpr char kInformational = '6';

char priority_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return '7';
        case LogLevel::info:
            return kInformational;
        case LogLevel::warn:
            return '4';
        case LogLevel::error:
            return '3';
    }
    return kInformational;
}

void append_length(std::string& out, std::uint64_t length) {
    for (int shift = 0; shift < 64; shift += 8)
        out += static_cast<char>(length >> shift & 0xff);
}

// A value of several lines goes with its length before it.
void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    if (value.contains('\n')) {
        out += '\n';
        append_length(out, value.size());
    } else {
        out += '=';
    }
    out += value;
    out += '\n';
}

std::string journal_name(std::string_view key) {
    std::string name = "BERTH_";
    for (const char c : key.substr(0, kNameMax - name.size())) {
        if (c >= 'a' && c <= 'z') {
            name += static_cast<char>(c - 'a' + 'A');
        } else {
            name += (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
        }
    }
    return name;
}

std::string begin(std::string_view message, char priority, std::string_view log) {
    std::string entry;
    append_field(entry, "MESSAGE", message);
    append_field(entry, "PRIORITY", {&priority, 1});
    append_field(entry, "SYSLOG_IDENTIFIER", "berth");
    append_field(entry, "BERTH_LOG", log);
    return entry;
}

}  // namespace

std::string format_journal_entry(const LogRecord& record) {
    auto entry = begin(format_log_message(record.message, record.fields), priority_of(record.level),
                       "server");
    for (const auto& [key, value] : record.fields)
        append_field(entry, journal_name(key), value);
    return entry;
}

std::string format_journal_access(std::string_view line) {
    return begin(line, kInformational, "access");
}

}  // namespace berth::logging
