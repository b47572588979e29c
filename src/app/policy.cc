#include "app/policy.h"

namespace berth::app {

Result<auth::Policy> make_policy(const Config& config) {
    if (config.policy) return auth::Policy::compile(*config.policy);
    const AuthConfig& auth = config.auth;
    if (!auth.enabled()) return auth::Policy::open();
    // registry:2 asks a token's holder for nothing but the token.
    const bool tokens_only = auth.token && !auth.htpasswd && !auth.ldap && !auth.certificates &&
                             auth.oidc.empty() && auth.tokens_path.empty();
    return tokens_only ? auth::Policy::by_grants() : auth::Policy::any_user();
}

}  // namespace berth::app
