// The section `policy`.

#include "app/config_read.h"
#include "base/encoding.h"

namespace berth::app {
namespace {

// Naming nothing would mean everything in one place and nothing in another.
void read_names(const ConfigValue& value, std::vector<std::string>& out) {
    value.read(out);
    if (value.named() && out.empty()) value.wrong("names nothing; fill it in or take it out");
}

// A day ends the rule at its beginning, in UTC.
void read_expiry(const ConfigValue& value, std::optional<Time>& out) {
    std::string text;
    value.read(text);
    if (text.empty()) return;
    constexpr std::size_t kDayCharacters = std::string_view("2027-01-31").size();
    out = parse_rfc3339(text.size() == kDayCharacters ? text + "T00:00:00Z" : text);
    if (!out)
        value.wrong(
            "must be a day such as 2027-01-31, or a time such as "
            "2027-01-31T12:00:00Z");
}

auth::Rule read_rule(const ConfigValue& item, std::size_t number) {
    auth::Rule rule;
    if (item.kind() != YamlNode::Kind::map) {
        item.wrong("must be a map with subjects and actions");
        return rule;
    }
    rule.name = "rule " + std::to_string(number);
    item.at("name").read(rule.name);
    item.at("effect").read_word(rule.effect, {"allow", "deny"});
    read_names(item.at("subjects"), rule.subjects);
    read_names(item.at("actions"), rule.actions);
    read_names(item.at("repositories"), rule.repositories);
    read_names(item.at("tags"), rule.tags);
    read_names(item.at("addresses"), rule.addresses);
    read_expiry(item.at("expires"), rule.expires);
    for (const auto* needed : {"subjects", "actions"}) {
        if (!item.at(needed).named()) item.wrong(std::string(needed) + " is missing");
    }
    // Alone, so that what is wrong gets this rule's line.
    const bool whole = !rule.subjects.empty() && !rule.actions.empty();
    if (whole) {
        if (const auto policy = auth::Policy::compile({rule}); !policy) {
            item.wrong(policy.error().detail);
        }
    }
    return rule;
}

}  // namespace

std::optional<std::vector<auth::Rule>> read_policy(const ConfigValue& policy) {
    // The original's section of that name is a map, and the check of keys has spoken about it.
    if (!policy.named() || policy.kind() == YamlNode::Kind::map) return std::nullopt;
    std::vector<auth::Rule> rules;
    if (policy.kind() == YamlNode::Kind::scalar && policy.present()) {
        policy.wrong("must be a list of rules");
        return std::nullopt;
    }
    for (const auto& item : policy.items())
        rules.push_back(read_rule(item, rules.size() + 1));
    if (rules.empty()) {
        policy.wrong("has no rule, so nobody could do anything; write rules or take it out");
    }
    return rules;
}

}  // namespace berth::app
