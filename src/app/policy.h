// The policy that a Config asks for.
#pragma once

#include "app/config.h"
#include "auth/policy/policy.h"
#include "base/result.h"

namespace berth::app {

// The `policy` section's rules; without one as registry:2: whoever can log in may do anything, and
// where there is nothing to log in to, everybody may.
Result<auth::Policy> make_policy(const Config& config);

}  // namespace berth::app
