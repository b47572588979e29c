// The subcommands of `berth policy`, a file each.
#pragma once

#include <vector>

#include "auth/policy/lint.h"
#include "cli/commands.h"

namespace berth::cli {

void add_policy_explain(CLI::App& policy, Run& run);
void add_policy_test(CLI::App& policy, Run& run);
void add_policy_lint(CLI::App& policy, Run& run);
void add_policy_diff(CLI::App& policy, Run& run);

// What the linter says about the configuration's policy, knowing who can log in.
std::vector<auth::Finding> lint_policy(const app::Config& config, Time now);

}  // namespace berth::cli
