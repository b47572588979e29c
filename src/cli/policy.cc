#include <memory>

#include "app/policy.h"
#include "auth/policy/policy.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "oci/names.h"

namespace berth::cli {

namespace {

struct Arguments {
    std::string user;
    std::string action;
    std::string target;
    std::vector<std::string> groups;
    std::string config;
};

// `push` is both of its halves.
Result<std::vector<auth::Action>> actions_of(const std::string& word) {
    using auth::Action;
    if (word == "push") return std::vector{Action::create, Action::overwrite};
    for (const auto action : {Action::pull, Action::create, Action::overwrite, Action::remove,
                              Action::catalog, Action::admin}) {
        if (word == auth::name_of(action)) return std::vector{action};
    }
    return fail(Errc::invalid, "unknown action \"" + word +
                                   "\": pull, push, create, overwrite, delete, catalog or admin");
}

struct Target {
    std::string repository;
    std::string tag;
};

Result<Target> parse_target(const std::string& text) {
    if (text.empty()) return Target{};
    const auto colon = text.find(':');
    BERTH_TRY(const auto repository, oci::RepositoryName::parse(text.substr(0, colon)));
    if (colon == std::string::npos) return Target{repository.text(), ""};
    BERTH_TRY(const auto tag, oci::Tag::parse(text.substr(colon + 1)));
    return Target{repository.text(), tag.text()};
}

Result<void> explain(const Arguments& arguments) {
    BERTH_TRY(const auto config, command_config(arguments.config));
    BERTH_TRY(const auto policy, app::make_policy(config));
    BERTH_TRY(const auto actions, actions_of(arguments.action));
    BERTH_TRY(const auto target, parse_target(arguments.target));
    auth::Identity who;
    if (arguments.user != "anonymous") who.name = arguments.user;
    who.groups = arguments.groups;

    std::string denied;
    for (const auto action : actions) {
        const auto decision = policy.decide(who, {action, target.repository, target.tag});
        const std::string line = std::string(auth::name_of(action)) + ": " +
                                 (decision.allowed ? "allowed" : "denied") + ", " + decision.reason;
        if (decision.allowed) {
            print(line);
        } else {
            denied += (denied.empty() ? "" : "\n") + line;
        }
    }
    if (!denied.empty()) return fail(Errc::denied, denied);
    return {};
}

}  // namespace

void add_policy(CLI::App& app, Run& run) {
    auto* policy = app.add_subcommand("policy", "who may do what, and by which rule");
    policy->require_subcommand(1);
    const auto arguments = std::make_shared<Arguments>();
    auto* command =
        policy->add_subcommand("explain", "say what the policy answers, and the deciding rule");
    command->add_option("USER", arguments->user, "a user's name, or `anonymous`")->required();
    command
        ->add_option("ACTION", arguments->action,
                     "pull, push, create, overwrite, delete, catalog or admin")
        ->required();
    command->add_option("REPO[:TAG]", arguments->target);
    command->add_option("--group", arguments->groups, "a group the user is in; may be repeated");
    add_config_option(*command, arguments->config);
    command->footer("Ends with 1 when the answer is no.");
    command->callback([arguments, &run] { run = [arguments] { return explain(*arguments); }; });
}

}  // namespace berth::cli
