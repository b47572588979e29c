#include <algorithm>

#include "auth/verifier.h"
#include "base/encoding.h"

namespace berth::auth {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// How many bytes the character at the start of `text` takes; 0 if it is not UTF-8 (RFC 3629:
// shortest form, no surrogates, nothing beyond U+10FFFF).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first < 0xc2   ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    const unsigned second = byte(1);
    if (first == 0xe0 && second < 0xa0) return 0;
    if (first == 0xed && second > 0x9f) return 0;
    if (first == 0xf0 && second < 0x90) return 0;
    if (first == 0xf4 && second > 0x8f) return 0;
    return length;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::unexpected<Error> malformed() {
    return fail(Errc::unauthenticated, "the Authorization header is not well-formed");
}

Result<Credentials> parse_basic(std::string_view token) {
    const auto text = base64_decode(token);
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos) return malformed();
    Credentials credentials{.user = text->substr(0, colon), .secret = text->substr(colon + 1)};
    if (credentials.user.empty()) return fail(Errc::unauthenticated, "the user name is empty");
    if (has_control(credentials.user) || has_control(credentials.secret) ||
        !is_utf8(credentials.user)) {
        return fail(Errc::unauthenticated,
                    "the user name is not UTF-8, or it or the password has control characters");
    }
    return credentials;
}

// The characters of RFC 6750's b64token.
bool is_bearer_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

Result<Credentials> parse_bearer(std::string_view token) {
    if (token.empty() || !std::all_of(token.begin(), token.end(), is_bearer_character)) {
        return malformed();
    }
    return Credentials{.scheme = Credentials::Scheme::bearer, .secret = std::string(token)};
}

}  // namespace

Result<Credentials> parse_authorization(std::string_view authorization) {
    const auto space = authorization.find(' ');
    const std::string_view scheme = authorization.substr(0, space);
    std::string_view token =
        space == authorization.npos ? std::string_view() : authorization.substr(space);
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    token = token.substr(0, token.find_last_not_of(' ') + 1);
    if (same_word(scheme, "Basic")) return parse_basic(token);
    if (same_word(scheme, "Bearer")) return parse_bearer(token);
    return fail(Errc::unauthenticated, "only Basic and Bearer authentication are served here");
}

}  // namespace berth::auth
