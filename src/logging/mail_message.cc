#include "logging/mail_message.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/log_format.h"
#include "base/text.h"

namespace berth::logging {

namespace {

constexpr std::size_t kBodyColumns = 76;
constexpr std::size_t kAddressMax = 254;
constexpr std::size_t kSubjectMax = 150;
constexpr std::size_t kWordBytes = 45;  // of text in an encoded word, which has 75 characters

bool is_tail(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// How many of the first bytes of well-formed UTF-8 make whole characters.
std::size_t whole(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text.size();
    while (bytes_max > 0 && is_tail(text[bytes_max]))
        --bytes_max;
    return bytes_max;
}

std::string encode_subject(std::string_view subject) {
    std::string printable;
    append_printable(printable, subject);
    std::string_view text(printable);
    text = text.substr(0, whole(text, kSubjectMax));
    const bool plain = std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
    if (plain && !text.contains("=?")) return std::string(text);
    std::string out;
    while (!text.empty()) {
        const auto length = whole(text, kWordBytes);
        if (!out.empty()) out += "\r\n ";
        out += "=?UTF-8?B?" + base64_encode(as_bytes(text.substr(0, length))) + "?=";
        text.remove_prefix(length);
    }
    return out;
}

std::string format_date(Time at) {
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
    std::array<char, 48> text{};
    std::snprintf(
        text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
        kDays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
        kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    return text.data();
}

}  // namespace

bool is_mail_address(std::string_view text) {
    return !text.empty() && text.size() <= kAddressMax && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < 0x7f && !std::string_view("<>,;:\"()[]\\").contains(c);
    });
}

std::string format_mail(const MailMessage& message) {
    std::string out = "From: " + message.from + "\r\n";
    out += "To: " + join(message.to, ",\r\n ") + "\r\n";
    out += "Subject: " + encode_subject(message.subject) + "\r\n";
    out += "Date: " + format_date(message.at) + "\r\n";
    out += "Message-ID: <" + message.id + ">\r\n";
    out +=
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=UTF-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n";
    const auto body = base64_encode(as_bytes(message.body));
    for (std::size_t at = 0; at < body.size(); at += kBodyColumns)
        out += body.substr(at, kBodyColumns) + "\r\n";
    return out;
}

}  // namespace berth::logging
