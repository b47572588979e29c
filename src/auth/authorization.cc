#include <algorithm>

#include "auth/verifier.h"
#include "base/control.h"
#include "base/encoding.h"
#include "base/text.h"
#include "base/utf8.h"

namespace berth::auth {
namespace {

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
    if (equal_ignoring_case(scheme, "Basic")) return parse_basic(token);
    if (equal_ignoring_case(scheme, "Bearer")) return parse_bearer(token);
    return fail(Errc::unauthenticated, "only Basic and Bearer authentication are served here");
}

}  // namespace berth::auth
