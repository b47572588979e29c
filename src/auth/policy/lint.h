// Lint: what in a policy certainly does not do what it seems to. Pure; says nothing where it is not
// certain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auth/policy/policy.h"

namespace berth::auth {

// What is known of those who can log in; nullopt: anybody.
struct LintContext {
    Time now{};
    bool users = true;   // some way to log in yields users
    bool robots = true;  // some way yields robots
    std::optional<std::vector<std::string>> groups = {};
    std::optional<std::vector<std::string>> providers = {};  // of OIDC
};

struct Finding {
    std::string rule;  // its name
    std::string text;  // a sentence about it, without a final period
};

// In the order of the rules. Rules that do not compile are passed over. Takes time that grows with
// the square of their number.
std::vector<Finding> lint(const std::vector<Rule>& rules, const LintContext& context);

}  // namespace berth::auth
