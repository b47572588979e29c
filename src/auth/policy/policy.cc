#include "auth/policy/policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/policy/glob.h"
#include "auth/policy/subject.h"
#include "base/nearest.h"

namespace berth::auth {
namespace {

using Actions = unsigned;  // a bit for each Action

constexpr Actions bit(Action action) {
    return 1u << static_cast<unsigned>(action);
}

constexpr Actions kOnRepositories =
    bit(Action::pull) | bit(Action::create) | bit(Action::overwrite) | bit(Action::remove);
constexpr Actions kAll = kOnRepositories | bit(Action::catalog) | bit(Action::admin);

struct ActionWord {
    std::string_view word;
    Actions actions;
};

constexpr std::array kActionWords{
    ActionWord{"pull", bit(Action::pull)},
    ActionWord{"push", bit(Action::create) | bit(Action::overwrite)},
    ActionWord{"create", bit(Action::create)},
    ActionWord{"overwrite", bit(Action::overwrite)},
    ActionWord{"delete", bit(Action::remove)},
    ActionWord{"catalog", bit(Action::catalog)},
    ActionWord{"admin", bit(Action::admin)},
};

struct CompiledRule {
    std::string name;
    Effect effect = Effect::allow;
    std::vector<Subject> subjects;
    Actions actions = 0;
    std::vector<Glob> repositories;
    std::vector<Glob> tags;

    bool about(const Identity& who) const {
        return std::any_of(subjects.begin(), subjects.end(),
                           [&who](const Subject& subject) { return subject.matches(who); });
    }
    bool on_repository(const AccessRequest& request, const Identity& who) const {
        // The catalog names only what the caller may pull, so that any rule can open it.
        const bool opens_catalog = request.action == Action::catalog && effect == Effect::allow;
        return repositories.empty() || opens_catalog ||
               std::any_of(repositories.begin(), repositories.end(), [&](const Glob& glob) {
                   return glob.matches(request.repository, who.name);
               });
    }
    bool on_tag(const AccessRequest& request) const {
        if (tags.empty()) return true;
        if (request.tag.empty()) {
            return (effect == Effect::deny) == (request.action == Action::remove);
        }
        return std::any_of(tags.begin(), tags.end(),
                           [&](const Glob& glob) { return glob.matches(request.tag); });
    }
    bool applies(const Identity& who, const AccessRequest& request) const {
        return (actions & bit(request.action)) != 0 && about(who) && on_repository(request, who) &&
               on_tag(request);
    }
};

Result<Actions> parse_action(const std::string& text) {
    std::array<std::string_view, kActionWords.size()> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = kActionWords[i].word;
        if (text == words[i]) return kActionWords[i].actions;
    }
    std::string detail = "unknown action '" + text + "'";
    if (const std::string_view meant = nearest(text, words); !meant.empty()) {
        detail += "; did you mean '" + std::string(meant) + "'?";
    } else {
        detail += "; known are pull, push, create, overwrite, delete, catalog and admin";
    }
    return fail(Errc::invalid, std::move(detail));
}

Error bad_pattern(std::string_view what, const std::string& pattern, Error error) {
    return std::move(error).with_context(std::string(what) + " '" + pattern + "'");
}

Result<CompiledRule> compile_rule(const Rule& rule) {
    CompiledRule compiled;
    compiled.name = rule.name;
    compiled.effect = rule.effect;
    if (rule.subjects.empty()) return fail(Errc::invalid, "it has no subjects");
    for (const std::string& text : rule.subjects) {
        BERTH_TRY(Subject subject, Subject::parse(text));
        compiled.subjects.push_back(std::move(subject));
    }
    if (rule.actions.empty()) return fail(Errc::invalid, "it has no actions");
    for (const std::string& text : rule.actions) {
        BERTH_TRY(const Actions actions, parse_action(text));
        compiled.actions |= actions;
    }
    for (const std::string& pattern : rule.repositories) {
        auto glob = Glob::parse_repository(pattern);
        if (!glob) return std::unexpected(bad_pattern("repository", pattern, glob.error()));
        compiled.repositories.push_back(std::move(*glob));
    }
    for (const std::string& pattern : rule.tags) {
        auto glob = Glob::parse_tag(pattern);
        if (!glob) return std::unexpected(bad_pattern("tag", pattern, glob.error()));
        compiled.tags.push_back(std::move(*glob));
    }
    return compiled;
}

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

std::string_view name_of(Action action) {
    switch (action) {
        case Action::pull:
            return "pull";
        case Action::create:
            return "create";
        case Action::overwrite:
            return "overwrite";
        case Action::remove:
            return "delete";
        case Action::catalog:
            return "catalog";
        case Action::admin:
            return "admin";
    }
    return {};
}

struct Policy::Compiled {
    bool configured = true;  // by rules, not made by open() or any_user()
    std::vector<CompiledRule> rules;

    // The rule that decides: the first that denies, else the first that allows, else null.
    const CompiledRule* deciding(const Identity& who, const AccessRequest& request) const {
        const CompiledRule* allowing = nullptr;
        for (const CompiledRule& rule : rules) {
            if (allowing && rule.effect == Effect::allow) continue;
            if (!rule.applies(who, request)) continue;
            if (rule.effect == Effect::deny) return &rule;
            allowing = &rule;
        }
        return allowing;
    }
};

Policy::Policy() = default;

Result<Policy> Policy::compile(std::vector<Rule> rules) {
    auto compiled = std::make_shared<Compiled>();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        Rule& rule = rules[i];
        if (rule.name.empty()) rule.name = "rule " + std::to_string(i + 1);
        auto made = compile_rule(rule);
        if (!made) {
            return std::unexpected(
                std::move(made.error()).with_context("policy '" + rule.name + "'"));
        }
        compiled->rules.push_back(std::move(*made));
    }
    Policy policy;
    policy.compiled_ = std::move(compiled);
    return policy;
}

namespace {

CompiledRule everything_for(std::string_view subject) {
    CompiledRule rule;
    rule.subjects.push_back(*Subject::parse(subject));
    rule.actions = kAll;
    return rule;
}

}  // namespace

Policy Policy::open() {
    Policy policy;
    policy.compiled_ = std::make_shared<Compiled>(Compiled{false, {everything_for("everyone")}});
    return policy;
}

Policy Policy::any_user() {
    Policy policy;
    policy.compiled_ =
        std::make_shared<Compiled>(Compiled{false, {everything_for("authenticated")}});
    return policy;
}

Decision Policy::decide(const Identity& who, const AccessRequest& request) const {
    const CompiledRule* rule = compiled_->deciding(who, request);
    const std::string name = who.anonymous() ? "anonymous callers" : who.name;
    const bool allowed = rule && rule->effect == Effect::allow;
    if (!compiled_->configured) {
        return {allowed,
                {},
                allowed ? "no policy is set: " + name + " may " + deed(request)
                        : "only users who have logged in may " + deed(request)};
    }
    if (!rule) return {false, {}, "no rule allows " + name + " to " + deed(request)};
    return {allowed, rule->name,
            "the rule '" + rule->name + (allowed ? "' allows " : "' forbids ") + name + " to " +
                deed(request)};
}

bool Policy::allows(const Identity& who, const AccessRequest& request) const {
    const CompiledRule* rule = compiled_->deciding(who, request);
    return rule && rule->effect == Effect::allow;
}

bool Policy::may_enter(const Identity& who) const {
    Actions allowed = 0, denied = 0;
    for (const CompiledRule& rule : compiled_->rules) {
        if (!rule.about(who)) continue;
        const bool everywhere = rule.repositories.empty() && rule.tags.empty();
        if (rule.effect == Effect::allow) {
            allowed |= rule.actions;
        } else if (everywhere) {
            denied |= rule.actions;
        }
    }
    return (allowed & ~denied & kOnRepositories) != 0;
}

}  // namespace berth::auth
