// AccessTokenTable: what the file of access tokens says. JSON lines, in the order of their ids:
//
//   {"id":"k3wm5tqa","name":"ci","kind":"robot","hash":"…","allow":["push:team/**"],
//    "description":"","created":"…","expires":"…","created_by":"…"}
//   {"revoked":"alice","at":"…"}
//
// The second form: what was issued to that user until then is void. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "auth/policy/grants.h"
#include "auth/token/access_tokens.h"

namespace berth::auth {

using SecretHash = std::array<std::byte, 32>;  // SHA-256

struct StoredToken {
    AccessToken token;
    SecretHash hash{};
    std::shared_ptr<const Grants> grants;  // null: no limit
};

struct AccessTokenTable {
    std::map<std::string, StoredToken, std::less<>> tokens;  // by id
    std::map<std::string, Time, std::less<>> revoked;        // by user
};

// Errc::invalid names the line. What is not known is not passed over: it might be a limit.
Result<AccessTokenTable> parse_access_tokens(std::string_view text);
std::string format_access_tokens(const AccessTokenTable& table);

// Can there be such a token? Errc::invalid names what is wrong. Returns what it is limited to.
Result<std::shared_ptr<const Grants>> check_access_token(const AccessToken& token);

}  // namespace berth::auth
