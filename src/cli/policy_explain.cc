#include <memory>
#include <nlohmann/json.hpp>

#include "app/policy.h"
#include "auth/policy/grants.h"
#include "cli/policy_commands.h"
#include "cli/policy_question.h"
#include "cli/terminal.h"
#include "oci/names.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
    std::string user;
    std::string action;
    std::string target;
    std::vector<std::string> groups;
    std::string address;
    bool robot = false;
    std::string provider;
    std::vector<std::string> claims;
    std::vector<std::string> allow;
    std::string at;
    bool verbose = false;
    bool as_json = false;
    std::string config;
};

Result<auth::Identity> identity_of(const Arguments& arguments) {
    auth::Identity who;
    if (arguments.user != "anonymous") who.name = arguments.user;
    who.groups = arguments.groups;
    if (arguments.robot) who.kind = auth::Identity::Kind::robot;
    for (const std::string& text : arguments.claims) {
        BERTH_TRY(auto claim, parse_claim(text));
        who.claims.insert(std::move(claim));
    }
    if (!arguments.provider.empty()) make_workload(who, arguments.provider);
    if (!arguments.allow.empty()) {
        BERTH_TRY(auto grants, auth::Grants::parse(arguments.allow));
        who.grants = std::make_shared<auth::Grants>(std::move(grants));
    }
    return who;
}

Result<PolicyQuestion> question_of(const Arguments& arguments) {
    PolicyQuestion question;
    BERTH_TRY(question.who, identity_of(arguments));
    BERTH_TRY(question.actions, actions_of(arguments.action));
    if (!arguments.target.empty()) {
        const auto colon = arguments.target.find(':');
        BERTH_TRY(const auto repository,
                  oci::RepositoryName::parse(arguments.target.substr(0, colon)));
        question.repository = repository.text();
        if (colon != std::string::npos) {
            BERTH_TRY(const auto tag, oci::Tag::parse(arguments.target.substr(colon + 1)));
            question.tag = tag.text();
        }
    }
    if (!arguments.address.empty()) {
        BERTH_TRY(question.address, parse_address(arguments.address));
    }
    question.at = SystemClock().now();
    if (!arguments.at.empty()) {
        BERTH_TRY(question.at, parse_moment(arguments.at));
    }
    return question;
}

std::string_view word_of(auth::Effect effect) {
    return effect == auth::Effect::allow ? "allow" : "deny";
}

// As the admin API answers.
Json json_of(auth::Action action, const auth::Explanation& explanation) {
    const auth::Decision& decision = explanation.decision;
    Json rules = Json::array();
    for (const auto& answer : explanation.rules) {
        Json whys = Json::array();
        for (const auth::Why why : answer.whys)
            whys.push_back(auth::text_of(why));
        rules.push_back(
            {{"rule", answer.rule}, {"effect", word_of(answer.effect)}, {"why", std::move(whys)}});
    }
    return {{"action", auth::name_of(action)},
            {"allowed", decision.allowed},
            {"rule", decision.rule.empty() ? Json(nullptr) : Json(decision.rule)},
            {"reason", decision.reason},
            {"rules", std::move(rules)}};
}

void print_rules(const auth::Explanation& explanation) {
    Table table({"rule", "effect", "why"});
    for (const auto& answer : explanation.rules) {
        std::string whys;
        for (const auth::Why why : answer.whys)
            whys += (whys.empty() ? "" : ", ") + std::string(auth::text_of(why));
        table.add({answer.rule, std::string(word_of(answer.effect)), whys});
    }
    table.print();
}

Result<void> explain(const Arguments& arguments) {
    BERTH_TRY(const auto question, question_of(arguments));
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    BERTH_TRY(const auto policy, app::make_policy(config));

    Json decisions = Json::array();
    std::string denied;
    for (const auto action : question.actions) {
        const auto explanation = policy.explain(question.who, question.request(action));
        decisions.push_back(json_of(action, explanation));
        const auth::Decision& decision = explanation.decision;
        const std::string line = std::string(auth::name_of(action)) + ": " +
                                 (decision.allowed ? "allowed" : "denied") + ", " + decision.reason;
        if (!decision.allowed) denied += (denied.empty() ? "" : "\n") + line;
        if (arguments.as_json) continue;
        if (decision.allowed || arguments.verbose) print(line);
        if (arguments.verbose) print_rules(explanation);
    }
    if (arguments.as_json) print(Json{{"decisions", std::move(decisions)}}.dump(2));
    if (!denied.empty()) return fail(Errc::denied, denied);
    return {};
}

}  // namespace

void add_policy_explain(CLI::App& policy, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command =
        policy.add_subcommand("explain", "say what the policy answers, and the deciding rule");
    command->add_option("USER", arguments->user, "a user's name, or `anonymous`")->required();
    command
        ->add_option("ACTION", arguments->action,
                     "pull, push, create, overwrite, delete, catalog or admin")
        ->required();
    command->add_option("REPO[:TAG]", arguments->target);
    command->add_option("--group", arguments->groups, "a group the user is in; may be repeated")
        ->allow_extra_args(false);
    command->add_option("--address", arguments->address, "where the request comes from");
    auto* robot = command->add_flag("--robot", arguments->robot, "USER is a robot");
    auto* provider = command->add_option("--oidc", arguments->provider,
                                         "USER is a workload of this OIDC provider");
    robot->excludes(provider);
    command->add_option("--claim", arguments->claims, "NAME=VALUE of its token; may be repeated")
        ->allow_extra_args(false)
        ->needs(provider);
    command
        ->add_option("--allow", arguments->allow,
                     "what the token used is limited to, as in `berth token create`")
        ->allow_extra_args(false);
    command->add_option("--at", arguments->at, "when: 2027-01-31T12:00:00Z, or a day (now)");
    command->add_flag("--verbose", arguments->verbose, "say of each rule why it did not decide");
    command->add_flag("--json", arguments->as_json, "print JSON, with each rule");
    add_config_option(*command, arguments->config);
    command->footer("Ends with 1 when the answer is no.");
    command->callback([arguments, &run] { run = [arguments] { return explain(*arguments); }; });
}

}  // namespace berth::cli
