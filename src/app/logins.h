// Logins: everything that says who is asking, opened as the configuration says.
#pragma once

#include <memory>

#include "app/config.h"
#include "auth/authenticator.h"
#include "auth/token/access_tokens.h"
#include "auth/token/token_issuer.h"
#include "base/log.h"

namespace berth::app {

// The authenticator uses the others, so it ends first.
struct Logins {
    std::unique_ptr<auth::AccessTokens> access_tokens;  // null: none
    std::unique_ptr<auth::TokenIssuer> issuer;          // null: none
    std::unique_ptr<auth::Authenticator> authenticator;
};

// `clock` and `log` outlive it.
Result<Logins> open_logins(const AuthConfig& config, const Clock& clock, Logger& log);

// How many logins may be under way at once, most of them waiting for a directory or an issuer.
std::size_t login_threads(const AuthConfig& config);

}  // namespace berth::app
