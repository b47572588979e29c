#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "auth/group_file.h"
#include "base/watched_file.h"
#include "cli/policy_commands.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

struct Arguments {
    bool as_json = false;
    std::string config;
};

// nullopt where groups come from elsewhere than the file, or it cannot be read.
std::optional<std::vector<std::string>> known_groups(const app::AuthConfig& auth) {
    if (auth.ldap || auth.token) return std::nullopt;
    if (auth.groups_path.empty()) return std::vector<std::string>();
    const auto text = read_text_file(auth.groups_path);
    if (!text) return std::nullopt;
    const auto memberships = auth::parse_group_file(*text);
    if (!memberships) return std::nullopt;
    std::set<std::string> groups;
    for (const auto& [user, of_user] : *memberships)
        groups.insert(of_user.begin(), of_user.end());
    return std::vector<std::string>(groups.begin(), groups.end());
}

Result<void> lint(const Arguments& arguments) {
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    const auto findings = lint_policy(config, SystemClock().now());
    if (arguments.as_json) {
        auto all = nlohmann::ordered_json::array();
        for (const auto& [rule, text] : findings)
            all.push_back({{"rule", rule}, {"finding", text}});
        print(nlohmann::ordered_json{{"findings", std::move(all)}}.dump(2));
    } else {
        for (const auto& [rule, text] : findings)
            print("rule '" + rule + "': " + text);
    }
    if (!findings.empty()) {
        return fail(Errc::invalid, std::to_string(findings.size()) +
                                       (findings.size() == 1 ? " finding" : " findings"));
    }
    if (!arguments.as_json) {
        print(config.policy ? "nothing to say about " + std::to_string(config.policy->size()) +
                                  (config.policy->size() == 1 ? " rule" : " rules")
                            : "the configuration has no policy");
    }
    return {};
}

}  // namespace

std::vector<auth::Finding> lint_policy(const app::Config& config, Time now) {
    if (!config.policy) return {};
    const app::AuthConfig& auth = config.auth;
    const bool tokens = auth.token || !auth.tokens_path.empty();
    auth::LintContext context{now};
    context.users = auth.htpasswd || auth.ldap || auth.certificates || tokens;
    context.robots = auth.certificates || tokens;
    context.groups = known_groups(auth);
    context.providers.emplace();
    for (const auth::OidcProvider& provider : auth.oidc)
        context.providers->push_back(provider.name);
    return auth::lint(*config.policy, context);
}

void add_policy_lint(CLI::App& policy, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command = policy.add_subcommand(
        "lint", "name rules that never apply, or that other rules leave nothing to");
    command->add_flag("--json", arguments->as_json, "print JSON");
    add_config_option(*command, arguments->config);
    command->footer("Says only what is certain. Ends with 1 when there is something to say.");
    command->callback([arguments, &run] { run = [arguments] { return lint(*arguments); }; });
}

}  // namespace berth::cli
