// Actions: a set of actions, and the words that policies and tokens have for them.
#pragma once

#include <string>
#include <string_view>

#include "auth/policy/policy.h"
#include "base/result.h"

namespace berth::auth {

using Actions = unsigned;  // a bit for each Action

constexpr Actions bit(Action action) {
    return 1u << static_cast<unsigned>(action);
}

constexpr Actions kPush = bit(Action::create) | bit(Action::overwrite);
constexpr Actions kOnRepositories = bit(Action::pull) | kPush | bit(Action::remove);
constexpr Actions kOnRegistry = bit(Action::catalog) | bit(Action::admin);

// A word of a policy: pull, push, create, overwrite, delete, catalog, admin. Errc::invalid names
// the nearest.
Result<Actions> parse_action(std::string_view word);

}  // namespace berth::auth
