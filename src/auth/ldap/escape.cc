#include "auth/ldap/escape.h"

#include <ldap.h>

#include <algorithm>
#include <memory>

#include "base/control.h"
#include "base/encoding.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr int kFilterDepthMax = 32;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

void append_escape(std::string& text, char c) {
    text += '\\';
    text += hex_encode(as_bytes({&c, 1}));
}

// `\XX` at `at`.
std::optional<char> escape_at(std::string_view text, std::size_t at) {
    if (text.size() - at < 3) return std::nullopt;
    const auto byte = hex_decode(text.substr(at + 1, 2));
    if (!byte) return std::nullopt;
    return byte->front();
}

// A number list of an object identifier, or a short name.
bool is_attribute_type(std::string_view text) {
    if (text.empty()) return false;
    if (is_letter(text.front())) {
        return std::ranges::all_of(text,
                                   [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
    }
    return is_digit(text.front()) && is_digit(text.back()) && !text.contains("..") &&
           std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

// `attribute=value`, with all of RFC 4515's operators; `text` has no parentheses around it.
bool is_filter_item(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == text.npos) return false;
    std::string_view left = text.substr(0, equals);
    if (!left.empty() && std::string_view("~<>").contains(left.back())) left.remove_suffix(1);
    if (!is_match(left)) return false;
    for (std::string_view rest = text.substr(equals + 1);;) {  // each `*` parts two values
        const std::size_t star = rest.find('*');
        if (!unescape_filter_value(rest.substr(0, star))) return false;
        if (star == rest.npos) return true;
        rest.remove_prefix(star + 1);
    }
}

// Takes one filter from the front of `text`.
bool take_filter(std::string_view& text, int depth) {
    if (depth > kFilterDepthMax || !text.starts_with('(')) return false;
    text.remove_prefix(1);
    if (text.starts_with('&') || text.starts_with('|') || text.starts_with('!')) {
        const bool negation = text.front() == '!';
        text.remove_prefix(1);
        std::size_t parts = 0;
        for (; text.starts_with('('); ++parts) {
            if (!take_filter(text, depth + 1)) return false;
        }
        if (parts == 0 || (negation && parts != 1) || !text.starts_with(')')) return false;
        text.remove_prefix(1);
        return true;
    }
    const std::size_t end = text.find_first_of("()");
    if (end == text.npos || text[end] == '(' || !is_filter_item(text.substr(0, end))) return false;
    text.remove_prefix(end + 1);
    return true;
}

}  // namespace

std::string escape_filter_value(std::string_view value) {
    std::string text;
    text.reserve(value.size());
    for (const char c : value) {
        if (is_control(c) || std::string_view("*()\\").contains(c)) {
            append_escape(text, c);
        } else {
            text += c;
        }
    }
    return text;
}

std::optional<std::string> unescape_filter_value(std::string_view text) {
    std::string value;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\0' || std::string_view("*()").contains(text[i])) return std::nullopt;
        if (text[i] != '\\') {
            value += text[i];
            continue;
        }
        const auto byte = escape_at(text, i);
        if (!byte) return std::nullopt;
        value += *byte;
        i += 2;
    }
    return value;
}

bool is_filter(std::string_view text) {
    return take_filter(text, 1) && text.empty();
}

bool is_attribute(std::string_view text) {
    const std::size_t options = text.find(';');
    if (!is_attribute_type(text.substr(0, options))) return false;
    if (options == text.npos) return true;
    return options + 1 < text.size() && std::ranges::all_of(text.substr(options), [](char c) {
               return is_letter(c) || is_digit(c) || c == '-' || c == ';';
           });
}

bool is_match(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (!is_attribute(text.substr(0, colon))) return false;
    if (colon == text.npos) return true;
    std::string_view rule = text.substr(colon + 1);
    if (!rule.ends_with(':')) return false;
    rule.remove_suffix(1);
    return is_attribute_type(rule);
}

std::string escape_dn_value(std::string_view value) {
    std::string text;
    text.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        const bool at_the_edge = i == 0 || i + 1 == value.size();
        const bool special = is_control(c) || std::string_view("\"+,;<=>\\").contains(c) ||
                             (c == ' ' && at_the_edge) || (c == '#' && i == 0);
        if (special) {
            append_escape(text, c);
        } else {
            text += c;
        }
    }
    return text;
}

std::optional<Rdn> first_rdn(std::string_view dn) {
    if (dn.contains('\0')) return std::nullopt;
    LDAPDN parsed = nullptr;
    const std::string text(dn);
    if (ldap_str2dn(text.c_str(), &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS) {
        return std::nullopt;
    }
    const std::unique_ptr<LDAPRDN, void (*)(LDAPDN)> owner(parsed, ldap_dnfree);
    if (!parsed || !parsed[0] || !parsed[0][0]) return std::nullopt;
    const LDAPAVA& first = *parsed[0][0];
    return Rdn{std::string(first.la_attr.bv_val, first.la_attr.bv_len),
               std::string(first.la_value.bv_val, first.la_value.bv_len)};
}

}  // namespace berth::auth
