#include "base/encoding.h"

#include <array>
#include <charconv>

namespace berth {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

using Base64Values = std::array<int, 256>;

constexpr Base64Values values_of(std::string_view alphabet) {
    Base64Values values{};
    values.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<int>(i);
    return values;
}

constexpr Base64Values kBase64Values = values_of(kBase64);
constexpr Base64Values kBase64UrlValues = values_of(kBase64Url);

// Padded.
std::string encode_base64(Bytes bytes, std::string_view alphabet) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto at = [&](std::size_t k) {
            return k < bytes.size() ? std::to_integer<unsigned>(bytes[k]) : 0u;
        };
        const unsigned group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        text += alphabet[group >> 18];
        text += alphabet[group >> 12 & 63];
        text += i + 1 < bytes.size() ? alphabet[group >> 6 & 63] : '=';
        text += i + 2 < bytes.size() ? alphabet[group & 63] : '=';
    }
    return text;
}

// Not padded.
std::optional<std::string> decode_base64(std::string_view text, const Base64Values& values) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    unsigned bits = 0, count = 0;
    for (const char c : text) {
        const int value = values[static_cast<unsigned char>(c)];
        if (value < 0) return std::nullopt;
        bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xff);
        }
    }
    // Bits left over must be zero, or two texts would mean the same bytes.
    if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
    return bytes;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// Reads RFC 3339's fields of fixed width from the front of a text.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool at_end() const { return rest_.empty(); }
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // Exactly `width` digits.
    bool take_number(std::size_t width, unsigned& number) {
        number = 0;
        if (rest_.size() < width) return false;
        for (std::size_t i = 0; i < width; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') return false;
            number = number * 10 + static_cast<unsigned>(rest_[i] - '0');
        }
        rest_.remove_prefix(width);
        return true;
    }
    // One digit or more of a second's fraction; what is finer than a millisecond is cut off.
    bool take_fraction(unsigned& milliseconds) {
        milliseconds = 0;
        std::size_t digits = 0;
        for (unsigned digit = 0; take_number(1, digit); ++digits) {
            if (digits < 3) milliseconds = milliseconds * 10 + digit;
        }
        for (std::size_t i = digits; i < 3; ++i)
            milliseconds *= 10;
        return digits > 0;
    }
    bool take_offset(std::chrono::minutes& offset) {
        offset = {};
        if (take('Z') || take('z')) return true;
        const bool west = take('-');
        unsigned hours = 0, minutes = 0;
        if (!west && !take('+')) return false;
        if (!take_number(2, hours) || !take(':') || !take_number(2, minutes)) return false;
        if (hours > 23 || minutes > 59) return false;
        offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
        if (west) offset = -offset;
        return true;
    }

  private:
    std::string_view rest_;
};

// `number` with leading zeros.
void append_padded(std::string& out, unsigned number, std::size_t width) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const auto length = static_cast<std::size_t>(end - digits.data());
    if (length < width) out.append(width - length, '0');
    out.append(digits.data(), length);
}

}  // namespace

std::string hex_encode(Bytes bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const auto byte : bytes) {
        text += kHex[std::to_integer<std::size_t>(byte >> 4)];
        text += kHex[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return text;
}

std::optional<std::string> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

std::string base64_encode(Bytes bytes) {
    return encode_base64(bytes, kBase64);
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 == 0) {
        for (int i = 0; i < 2 && text.ends_with('='); ++i)
            text.remove_suffix(1);
    }
    return decode_base64(text, kBase64Values);
}

std::string base64url_encode(Bytes bytes) {
    std::string text = encode_base64(bytes, kBase64Url);
    while (text.ends_with('='))
        text.pop_back();
    return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
    return decode_base64(text, kBase64UrlValues);
}

std::string percent_encode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHexUpper[byte >> 4];
        out += kHexUpper[byte & 15];
    }
    return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (text.size() - i < 3) return std::nullopt;
        const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

std::string format_rfc3339(Time time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const auto of_day = static_cast<unsigned>((time - day).count());
    std::string text;
    text.reserve(24);
    append_padded(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    text += '-';
    append_padded(text, static_cast<unsigned>(date.month()), 2);
    text += '-';
    append_padded(text, static_cast<unsigned>(date.day()), 2);
    text += 'T';
    append_padded(text, of_day / 3'600'000, 2);
    text += ':';
    append_padded(text, of_day / 60'000 % 60, 2);
    text += ':';
    append_padded(text, of_day / 1000 % 60, 2);
    text += '.';
    append_padded(text, of_day % 1000, 3);
    text += 'Z';
    return text;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    Reader reader(text);
    unsigned y = 0, month_number = 0, d = 0, h = 0, min = 0, s = 0, ms = 0;
    minutes offset{};
    if (!reader.take_number(4, y) || !reader.take('-') || !reader.take_number(2, month_number) ||
        !reader.take('-') || !reader.take_number(2, d)) {
        return std::nullopt;
    }
    if (!reader.take('T') && !reader.take('t')) return std::nullopt;
    if (!reader.take_number(2, h) || !reader.take(':') || !reader.take_number(2, min) ||
        !reader.take(':') || !reader.take_number(2, s)) {
        return std::nullopt;
    }
    if (reader.take('.') && !reader.take_fraction(ms)) return std::nullopt;
    if (!reader.take_offset(offset) || !reader.at_end()) return std::nullopt;
    const year_month_day date(year(static_cast<int>(y)), month(month_number), day(d));
    // A leap second is the first one of the next minute here.
    if (!date.ok() || h > 23 || min > 59 || s > 60) return std::nullopt;
    return Time(sys_days(date)) + hours(h) + minutes(min) + seconds(s) + milliseconds(ms) - offset;
}

}  // namespace berth
