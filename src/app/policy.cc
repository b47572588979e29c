#include "app/policy.h"

namespace berth::app {

Result<auth::Policy> make_policy(const Config& config) {
    if (config.policy) return auth::Policy::compile(*config.policy);
    return config.auth.htpasswd ? auth::Policy::any_user() : auth::Policy::open();
}

}  // namespace berth::app
