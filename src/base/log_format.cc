#include "base/log_format.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/encoding.h"

namespace berth {

namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_hex(std::string& out, std::string_view prefix, unsigned char byte) {
    out += prefix;
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
}

// The length of the well-formed UTF-8 sequence of a printable character that `text` begins with; 0:
// none. C1 controls and the marks that turn a terminal's writing direction are not printable.
std::size_t printable_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const unsigned first = byte(0);
    if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
    if (first >= 0xc2 && first <= 0xdf && tail(1)) return first == 0xc2 && byte(1) < 0xa0 ? 0 : 2;
    if (first >= 0xe0 && first <= 0xef && tail(1) && tail(2)) {
        if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
        const unsigned low = byte(2);
        const bool marks = first == 0xe2 && byte(1) == 0x80 &&
                           ((low >= 0x8e && low <= 0x8f) || (low >= 0xa8 && low <= 0xae));
        const bool isolates = first == 0xe2 && byte(1) == 0x81 && low >= 0xa6 && low <= 0xa9;
        return marks || isolates ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4 && tail(1) && tail(2) && tail(3)) {
        if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
        return 4;
    }
    return 0;
}

enum class Escapes {
    bare,  // quotes and backslashes stay
    text,
    json,  // knows no \xNN: bytes that are not UTF-8 become U+FFFD
};

void append_escaped(std::string& out, std::string_view text, Escapes escapes) {
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        std::size_t length = printable_length(text);
        if ((byte == '"' || byte == '\\') && escapes != Escapes::bare) {
            out += '\\';
            out += text.front();
        } else if (length > 0) {
            out += text.substr(0, length);
        } else if (byte == '\n') {
            out += "\\n";
        } else if (byte == '\t') {
            out += "\\t";
        } else if (byte == '\r') {
            out += "\\r";
        } else if (escapes != Escapes::json) {
            append_hex(out, "\\x", byte);
        } else if (byte < 0x80) {
            append_hex(out, "\\u00", byte);
        } else {
            out += "\xef\xbf\xbd";
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

// `text` between quotes.
void append_quoted(std::string& out, std::string_view text, Escapes escapes) {
    out += '"';
    append_escaped(out, text, escapes);
    out += '"';
}

// logrus quotes what is not made of these.
bool is_bare(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._/@^+").contains(c);
    });
}

void append_pair(std::string& out, std::string_view key, std::string_view value) {
    if (!out.empty()) out += ' ';
    // A key comes from the configuration or the program; what does not fit a bare word is made to.
    for (char c : key)
        out += is_bare({&c, 1}) ? c : '_';
    out += '=';
    if (is_bare(value)) {
        out += value;
    } else {
        append_quoted(out, value, Escapes::text);
    }
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
    out += out.empty() ? '{' : ',';
    append_quoted(out, key, Escapes::json);
    out += ':';
    append_quoted(out, value, Escapes::json);
}

// Escapes as Apache does: nothing but printable ASCII is left.
void append_access_text(std::string& out, std::string_view text, bool quoted) {
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || (!quoted && byte == ' ')) {
            append_hex(out, "\\x", byte);
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
}

void append_access_time(std::string& out, Time at) {
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
    std::array<char, 40> text{};
    std::snprintf(
        text.data(), text.size(), "[%02u/%s/%04d:%02d:%02d:%02d +0000]",
        static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
        static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
    out += text.data();
}

struct Keys {
    std::string_view time, level, message;
};

Keys keys_of(LogFormat format) {
    if (format == LogFormat::logstash) return {"@timestamp", "level", "message"};
    return {"time", "level", "msg"};
}

}  // namespace

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warn:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "unknown";
}

std::string format_log_line(LogFormat format, Time at, LogLevel level, std::string_view message,
                            const LogFields& fields) {
    const auto add = format == LogFormat::text ? append_pair : append_member;
    const Keys keys = keys_of(format);
    std::string line;
    add(line, keys.time, format_rfc3339(at));
    add(line, keys.level, name_of(level));
    add(line, keys.message, message);
    if (format == LogFormat::logstash) add(line, "@version", "1");
    for (const auto& [key, value] : fields) {
        const bool taken = key == keys.time || key == keys.level || key == keys.message ||
                           (format == LogFormat::logstash && key == "@version");
        add(line, taken ? "fields." + std::string(key) : std::string(key), value);
    }
    line += format == LogFormat::text ? "\n" : "}\n";
    return line;
}

std::string format_log_message(std::string_view message, const LogFields& fields) {
    std::string text;
    append_printable(text, message);
    for (const auto& [key, value] : fields)
        append_pair(text, key, value);
    return text;
}

void append_printable(std::string& out, std::string_view text) {
    append_escaped(out, text, Escapes::bare);
}

void append_json_string(std::string& out, std::string_view text) {
    append_quoted(out, text, Escapes::json);
}

void append_access_line(std::string& out, const AccessRecord& record) {
    append_access_text(out, record.remote_address, false);
    out += " - ";
    append_access_text(out, record.user.empty() ? "-" : record.user, false);
    out += ' ';
    append_access_time(out, record.at);
    out += " \"";
    append_access_text(out, record.method, true);
    out += ' ';
    append_access_text(out, record.target, true);
    out += ' ';
    append_access_text(out, record.protocol, true);
    out += "\" ";
    out += std::to_string(record.status);
    out += ' ';
    out += std::to_string(record.body_bytes);
    out += " \"";
    append_access_text(out, record.referer, true);
    out += "\" \"";
    append_access_text(out, record.user_agent, true);
    out += "\"\n";
}

}  // namespace berth
