// `berth policy test FILE`: a table of expectations, put to the policy. The file is a list of
//
//   - user: alice                 # or `robot: ci`, or `oidc: github`; none of them: anonymous
//     claims: {repository: org/app}
//     groups: [dev]
//     address: 10.0.0.7
//     at: 2027-01-31T12:00:00Z    # default: now
//     action: push                # or a list
//     repository: team/app
//     tag: "1.0"
//     allowed: true
//     rule: devs push             # optional: the rule that must have decided
#include <algorithm>
#include <array>
#include <memory>

#include "app/config_value.h"
#include "app/policy.h"
#include "base/nearest.h"
#include "base/watched_file.h"
#include "cli/policy_commands.h"
#include "cli/policy_question.h"
#include "cli/terminal.h"
#include "oci/names.h"

namespace berth::cli {

namespace {

using app::ConfigValue;

struct Expectation {
    std::string source;  // file:line
    PolicyQuestion question;
    bool allowed = false;
    std::string rule;  // empty: whichever
};

constexpr std::array<std::string_view, 12> kKeys{"user",       "robot",   "oidc",    "claims",
                                                 "groups",     "address", "at",      "action",
                                                 "repository", "tag",     "allowed", "rule"};

void check_keys(const app::YamlNode& node, const ConfigValue& item) {
    for (const app::YamlNode& member : node.children) {
        if (std::ranges::find(kKeys, member.key) != kKeys.end()) continue;
        const std::string_view meant = nearest(member.key, kKeys);
        item.at(member.key)
            .wrong(meant.empty() ? "is no key of an expectation"
                                 : "is no key; did you mean '" + std::string(meant) + "'?");
    }
}

std::string text_at(const ConfigValue& item, std::string_view key) {
    std::string text;
    item.at(key).read(text);
    return text;
}

auth::Identity read_who(const ConfigValue& item) {
    auth::Identity who;
    const std::string user = text_at(item, "user"), robot = text_at(item, "robot"),
                      provider = text_at(item, "oidc");
    if (!robot.empty() && (!user.empty() || !provider.empty()))
        item.at("robot").wrong("a robot is neither a user nor a workload");
    if (user != "anonymous") who.name = user;
    if (!robot.empty()) {
        who.name = robot;
        who.kind = auth::Identity::Kind::robot;
    }
    item.at("groups").read(who.groups);
    for (const auto& [claim, value] : item.at("claims").members())
        value.read(who.claims[claim]);
    if (!provider.empty()) {
        make_workload(who, provider);
    } else if (item.at("claims").named()) {
        item.at("claims").wrong("only a workload has claims: say `oidc: PROVIDER` too");
    }
    return who;
}

// Reads the key's text, if it is there, and complains where it is wrong.
template <class Value, class Parse>
void read_parsed(const ConfigValue& item, std::string_view key, Value& out, Parse parse) {
    const std::string text = text_at(item, key);
    if (text.empty()) return;
    if (auto parsed = parse(text)) {
        out = std::move(*parsed);
    } else {
        item.at(key).wrong(parsed.error().detail);
    }
}

Expectation read_expectation(const app::YamlNode& node, app::Findings& findings, Time now) {
    const ConfigValue item(&node, {}, findings);
    Expectation expectation{node.source, {}, false, {}};
    if (node.kind != app::YamlNode::Kind::map) {
        item.wrong("an expectation is a map, with `action` and `allowed`");
        return expectation;
    }
    check_keys(node, item);
    PolicyQuestion& question = expectation.question;
    question.who = read_who(item);
    question.at = now;
    read_parsed(item, "at", question.at, parse_moment);
    read_parsed(item, "address", question.address, parse_address);
    const auto text_of = [](auto parsed) -> Result<std::string> {
        if (!parsed) return std::unexpected(std::move(parsed.error()));
        return parsed->text();
    };
    read_parsed(item, "repository", question.repository,
                [&](const std::string& text) { return text_of(oci::RepositoryName::parse(text)); });
    read_parsed(item, "tag", question.tag,
                [&](const std::string& text) { return text_of(oci::Tag::parse(text)); });
    std::vector<std::string> words;
    item.at("action").read(words);
    if (words.empty()) item.wrong("action is missing");
    for (const std::string& word : words) {
        const auto actions = actions_of(word);
        if (!actions) {
            item.at("action").wrong(actions.error().detail);
            continue;
        }
        question.actions.insert(question.actions.end(), actions->begin(), actions->end());
    }
    if (!item.at("allowed").present()) item.wrong("allowed is missing: true or false");
    item.at("allowed").read(expectation.allowed);
    item.at("rule").read(expectation.rule);
    return expectation;
}

Result<std::vector<Expectation>> read_expectations(const std::string& path) {
    BERTH_TRY(const std::string text, read_text_file(path));
    BERTH_TRY(const app::YamlNode root, app::parse_yaml(path, text));
    app::Findings findings;
    std::vector<Expectation> expectations;
    if (root.kind != app::YamlNode::Kind::list || root.children.empty())
        return fail(Errc::invalid, path + ": it must be a list of expectations");
    const Time now = SystemClock().now();
    for (const app::YamlNode& node : root.children)
        expectations.push_back(read_expectation(node, findings, now));
    if (findings.problems.empty()) return expectations;
    std::string all;
    for (const std::string& problem : findings.problems)
        all += (all.empty() ? "" : "\n") + problem;
    return fail(Errc::invalid, all);
}

// Empty: the policy answers as expected.
std::string difference(const Expectation& expected, auth::Action action,
                       const auth::Decision& decision) {
    if (decision.allowed != expected.allowed) {
        return std::string(auth::name_of(action)) + " should be " +
               (expected.allowed ? "allowed, but " : "denied, but ") + decision.reason;
    }
    if (expected.rule.empty() || expected.rule == decision.rule) return {};
    return std::string(auth::name_of(action)) + " should be decided by the rule '" + expected.rule +
           "', but " + decision.reason;
}

struct Arguments {
    std::string file;
    std::string config;
};

Result<void> test(const Arguments& arguments) {
    BERTH_TRY(const auto expectations, read_expectations(arguments.file));
    BERTH_TRY(const auto config, command_config(arguments.config, app::NamedFiles::may_be_missing));
    BERTH_TRY(const auto policy, app::make_policy(config));
    std::size_t failed = 0;
    for (const Expectation& expected : expectations) {
        std::vector<std::string> differences;
        for (const auto action : expected.question.actions) {
            const auto decision =
                policy.decide(expected.question.who, expected.question.request(action));
            auto said = difference(expected, action, decision);
            if (!said.empty()) differences.push_back(std::move(said));
        }
        for (const std::string& said : differences)
            print(expected.source + ": " + said);
        failed += differences.empty() ? 0 : 1;
    }
    const std::string count = std::to_string(expectations.size());
    if (failed > 0) {
        return fail(Errc::conflict,
                    std::to_string(failed) + " of " + count + " expectations are not met");
    }
    print(count + (expectations.size() == 1 ? " expectation is met" : " expectations are met"));
    return {};
}

}  // namespace

void add_policy_test(CLI::App& policy, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command =
        policy.add_subcommand("test", "hold the policy against a table of expectations");
    command
        ->add_option("FILE", arguments->file,
                     "YAML: a list of {user | robot | oidc + claims, groups, address, at, action, "
                     "repository, tag, allowed, rule}")
        ->required();
    add_config_option(*command, arguments->config);
    command->footer(
        "`push` must be answered alike in both of its halves, create and overwrite.\n"
        "Ends with 1 when an expectation is not met, naming its line.");
    command->callback([arguments, &run] { run = [arguments] { return test(*arguments); }; });
}

}  // namespace berth::cli
