#include "auth/policy/policy.h"

#include <utility>

#include "auth/policy/actions.h"
#include "auth/policy/compiled_policy.h"
#include "auth/policy/grants.h"

namespace berth::auth {
namespace {

// `push to team/app:1.0`, to stand after a name.
std::string deed(const AccessRequest& request) {
    std::string where(request.repository);
    if (!request.tag.empty()) where.append(":").append(request.tag);
    switch (request.action) {
        case Action::pull:
            return "pull from " + where;
        case Action::create:
            return "push to " + where;
        case Action::overwrite:
            return "overwrite " + where;
        case Action::remove:
            return "delete from " + where;
        case Action::catalog:
            return "list the repositories";
        case Action::admin:
            return "administer the registry";
    }
    return {};
}

}  // namespace

bool Policy::Compiled::granted(const Identity& who, const AccessRequest& request) const {
    if (!who.grants) return kind != Kind::by_grants;
    return who.grants->cover(request, user_of(who));
}

Policy::Policy(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}

Result<Policy> Policy::compile(std::vector<Rule> rules) {
    std::vector<CompiledRule> compiled;
    compiled.reserve(rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        Rule& rule = rules[i];
        if (rule.name.empty()) rule.name = "rule " + std::to_string(i + 1);
        auto made = CompiledRule::compile(rule);
        if (!made) {
            return std::unexpected(
                std::move(made.error()).with_context("policy '" + rule.name + "'"));
        }
        compiled.push_back(std::move(*made));
    }
    return Policy(std::make_shared<const Compiled>(Kind::rules, std::move(compiled)));
}

Policy Policy::for_all(Kind kind, std::string_view subject) {
    std::vector<CompiledRule> rules(1);
    rules.front().subjects.push_back(*Subject::parse(subject));
    rules.front().actions = kOnRepositories | kOnRegistry;
    // Who administers must be named.
    if (kind == Kind::any_user) rules.front().actions &= ~bit(Action::admin);
    return Policy(std::make_shared<const Compiled>(kind, std::move(rules)));
}

Policy Policy::open() {
    return for_all(Kind::open, "everyone");
}

Policy Policy::any_user() {
    return for_all(Kind::any_user, "authenticated");
}

Policy Policy::by_grants() {
    return for_all(Kind::by_grants, "everyone");
}

bool Policy::allows(const Identity& who, const AccessRequest& request) const {
    const std::size_t rule = compiled_->deciding(who, request, RuleIndex::Find::any);
    return rule != RuleIndex::kNone && compiled_->rules[rule].effect == Effect::allow &&
           compiled_->granted(who, request);
}

Decision Policy::decide(const Identity& who, const AccessRequest& request) const {
    return decision(compiled_->deciding(who, request, RuleIndex::Find::first), who, request);
}

Decision Policy::decision(std::size_t place, const Identity& who,
                          const AccessRequest& request) const {
    const CompiledRule* const rule = place == RuleIndex::kNone ? nullptr : &compiled_->rules[place];
    const std::string name = who.anonymous() ? "anonymous callers" : who.name;
    const bool allowed = rule && rule->effect == Effect::allow;
    if (allowed && !compiled_->granted(who, request)) {
        if (!who.grants) return {false, {}, "only the holder of a token may " + deed(request)};
        return {false, {}, std::string(kBeyondGrants) + name + " to " + deed(request), true};
    }
    switch (compiled_->kind) {
        case Kind::by_grants:
            return {allowed, {}, "the token allows " + name + " to " + deed(request)};
        case Kind::open:
            return {allowed, {}, "no policy is set: " + name + " may " + deed(request)};
        case Kind::any_user:
            if (allowed) return {true, {}, "no policy is set: " + name + " may " + deed(request)};
            if (who.anonymous())
                return {false, {}, "only users who have logged in may " + deed(request)};
            return {
                false, {}, "no policy is set that would allow " + name + " to " + deed(request)};
        case Kind::rules:
            break;
    }
    if (!rule) return {false, {}, "no rule allows " + name + " to " + deed(request)};
    return {allowed, rule->name,
            "the rule '" + rule->name + (allowed ? "' allows " : "' forbids ") + name + " to " +
                deed(request)};
}

bool Policy::may_enter(const Identity& who, std::string_view address, Time now) const {
    if (compiled_->kind == Kind::by_grants) return who.grants != nullptr;
    const Actions denied = compiled_->denying.actions_of(who, address, now);
    return (compiled_->allowing.actions_of(who, address, now) & ~denied) != 0;
}

}  // namespace berth::auth
