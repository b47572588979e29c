#include "cli/policy_commands.h"

namespace berth::cli {

void add_policy(CLI::App& app, Run& run) {
    auto* policy = app.add_subcommand("policy", "who may do what, and by which rule");
    policy->require_subcommand(1);
    add_policy_explain(*policy, run);
    add_policy_test(*policy, run);
    add_policy_lint(*policy, run);
    add_policy_diff(*policy, run);
}

}  // namespace berth::cli
