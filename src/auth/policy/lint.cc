#include "auth/policy/lint.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "auth/policy/compiled_rule.h"
#include "base/encoding.h"
#include "base/nearest.h"
#include "oci/names.h"

namespace berth::auth {
namespace {

// Certainly no repository's name fits: the parts of the pattern that are literal say so.
bool impossible_repository(std::string pattern) {
    if (pattern.starts_with('!')) pattern.erase(0, 1);
    if (!pattern.contains('*') && !pattern.contains('{'))
        return !oci::RepositoryName::parse(pattern);
    const auto separator = [](char c) { return c == '.' || c == '_' || c == '-'; };
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (!separator(pattern[i])) continue;
        const bool first = i == 0 || pattern[i - 1] == '/';
        const bool last = i + 1 == pattern.size() || pattern[i + 1] == '/';
        const bool mixed = !last && separator(pattern[i + 1]) && pattern[i + 1] != pattern[i];
        const bool dots = !last && pattern[i] == '.' && pattern[i + 1] == '.';
        if (first || last || mixed || dots) return true;
    }
    return false;
}

bool impossible_tag(const std::string& pattern) {
    if (!pattern.contains('*')) return !oci::Tag::parse(pattern);
    return pattern.front() == '.' || pattern.front() == '-';
}

bool can_be(const Subject& subject, const LintContext& context) {
    const auto known = [&subject](const std::optional<std::vector<std::string>>& names) {
        return !names || std::find(names->begin(), names->end(), subject.name()) != names->end();
    };
    switch (subject.kind()) {
        case Subject::Kind::user:
            return context.users;
        case Subject::Kind::robot:
            return context.robots;
        case Subject::Kind::group:
            return known(context.groups);
        case Subject::Kind::oidc:
            return known(context.providers);
        case Subject::Kind::authenticated:
            return context.users || context.robots;
        case Subject::Kind::anonymous:
        case Subject::Kind::everyone:
            return true;
    }
    return true;
}

bool covers_all(const std::vector<Glob>& wide, const std::vector<Glob>& narrow) {
    return std::all_of(narrow.begin(), narrow.end(), [&](const Glob& glob) {
        return std::any_of(wide.begin(), wide.end(),
                           [&](const Glob& other) { return other.covers(glob); });
    });
}

bool covers_repositories(const CompiledRule& wide, const CompiledRule& narrow) {
    static const std::vector<Glob> kAny{*Glob::parse_repository("**")};
    // Of what it leaves out, `narrow` may have some.
    if (!wide.excluded.empty()) return false;
    if (wide.repositories.empty()) return true;
    // For the catalog the repositories of a rule that allows do not count, those of one that denies
    // do.
    const bool any = narrow.repositories.empty() ||
                     (wide.effect == Effect::deny && narrow.effect == Effect::allow &&
                      narrow.about(Action::catalog));
    return covers_all(wide.repositories, any ? kAny : narrow.repositories);
}

bool covers_tags(const CompiledRule& wide, const CompiledRule& narrow) {
    if (wide.tags.empty()) return true;
    if (narrow.tags.empty()) return false;
    // Without a tag, rules of the same effect apply alike; a rule that denies some tags applies to
    // deletes only, where one that allows some does not.
    const bool without_tag = wide.effect == narrow.effect || narrow.actions == bit(Action::remove);
    return without_tag && covers_all(wide.tags, narrow.tags);
}

// Whatever `narrow` applies to, `wide` applies to as well, now and later.
bool covers(const CompiledRule& wide, const Rule& wide_text, const CompiledRule& narrow,
            const Rule& narrow_text) {
    if ((narrow.actions & ~wide.actions) != 0) return false;
    if (wide.expires && (!narrow.expires || *narrow.expires > *wide.expires)) return false;
    if (wide.addresses && wide_text.addresses != narrow_text.addresses) return false;
    const bool about =
        std::all_of(narrow.subjects.begin(), narrow.subjects.end(), [&](const Subject& subject) {
            return std::any_of(wide.subjects.begin(), wide.subjects.end(),
                               [&](const Subject& other) { return other.covers(subject); });
        });
    return about && covers_tags(wide, narrow) && covers_repositories(wide, narrow);
}

class Linter {
  public:
    Linter(const std::vector<Rule>& rules, const LintContext& context) : context_(context) {
        for (std::size_t i = 0; i < rules.size(); ++i) {
            auto compiled = CompiledRule::compile(rules[i]);
            if (!compiled) continue;
            if (compiled->name.empty()) compiled->name = "rule " + std::to_string(i + 1);
            texts_.push_back(&rules[i]);
            rules_.push_back(std::move(*compiled));
        }
    }

    std::vector<Finding> run() {
        std::map<std::string, int> names;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (++names[rules_[i].name] == 2) {
                say(i,
                    "there are several rules of this name, so an answer does not tell which "
                    "one made it");
            }
            dead_.push_back(never_applies(i));
            look_at_parts(i);
            look_at_claims(i);
        }
        for (std::size_t i = 0; i < rules_.size(); ++i)
            look_for_shadow(i);
        std::vector<Finding> sorted;
        for (auto& [place, finding] : findings_)
            sorted.push_back(std::move(finding));
        return sorted;
    }

  private:
    void say(std::size_t place, std::string text) {
        findings_.emplace(place, Finding{rules_[place].name, std::move(text)});
    }

    bool never_applies(std::size_t place) {
        const CompiledRule& rule = rules_[place];
        const Rule& text = *texts_[place];
        const auto all = [](const auto& patterns, auto impossible) {
            return !patterns.empty() && std::all_of(patterns.begin(), patterns.end(), impossible);
        };
        std::vector<std::string> included = text.repositories;
        std::erase_if(included,
                      [](const std::string& pattern) { return pattern.starts_with('!'); });
        if (rule.expires && context_.now != Time{} && *rule.expires <= context_.now) {
            say(place, "it has expired (" + format_rfc3339(*rule.expires) + ")");
        } else if (all(included, impossible_repository)) {
            say(place, "no repository can have a name that fits its repositories");
        } else if (all(text.tags, impossible_tag)) {
            say(place, "no tag can have a name that fits its tags");
        } else if (all(rule.subjects,
                       [this](const Subject& subject) { return !can_be(subject, context_); })) {
            say(place, "nobody who can log in is one of its subjects");
        } else if (!about_something(rule)) {
            say(place,
                "its actions are about the registry as a whole, so it applies to nothing "
                "with these repositories or tags");
        } else {
            return false;
        }
        return true;
    }

    // Some request without a repository and without a tag, or any with a repository.
    static bool about_something(const CompiledRule& rule) {
        if ((rule.actions & kOnRepositories) != 0) return true;
        return std::any_of(kOnRegistryActions.begin(), kOnRegistryActions.end(),
                           [&](Action action) {
                               const AccessRequest request{action, {}, {}};
                               return rule.about(action) && rule.on_repository(request, {}) &&
                                      rule.on_tag(request);
                           });
    }

    // What never counts in a rule that does apply.
    void look_at_parts(std::size_t place) {
        if (dead_[place]) return;
        const Rule& text = *texts_[place];
        for (std::size_t i = 0; i < text.subjects.size(); ++i) {
            if (!can_be(rules_[place].subjects[i], context_))
                say(place, "nobody who can log in is '" + text.subjects[i] + "'");
        }
        for (const std::string& pattern : text.repositories) {
            if (impossible_repository(pattern))
                say(place, "no repository can have a name that fits '" + pattern + "'");
        }
        for (const std::string& pattern : text.tags) {
            if (impossible_tag(pattern))
                say(place, "no tag can have a name that fits '" + pattern + "'");
        }
    }

    void look_at_claims(std::size_t place) {
        // Of GitHub Actions, GitLab CI and Kubernetes.
        static constexpr std::array<std::string_view, 22> kClaims{"repo",
                                                                  "ref",
                                                                  "sub",
                                                                  "iss",
                                                                  "aud",
                                                                  "repository",
                                                                  "repository_owner",
                                                                  "repository_id",
                                                                  "environment",
                                                                  "workflow",
                                                                  "workflow_ref",
                                                                  "job_workflow_ref",
                                                                  "actor",
                                                                  "event_name",
                                                                  "ref_type",
                                                                  "ref_protected",
                                                                  "project_path",
                                                                  "namespace_path",
                                                                  "project_id",
                                                                  "user_login",
                                                                  "pipeline_source",
                                                                  "visibility"};
        for (const Subject& subject : rules_[place].subjects) {
            for (const Subject::Condition& condition : subject.conditions()) {
                const auto meant = nearest(condition.claim, kClaims);
                if (meant.empty() || meant == condition.claim) continue;
                say(place, "does it mean the claim '" + std::string(meant) + "' by '" +
                               condition.claim + "'?");
            }
        }
    }

    void look_for_shadow(std::size_t place) {
        if (dead_[place]) return;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const bool same = rules_[i].effect == rules_[place].effect;
            const bool before = same ? i < place : rules_[i].effect == Effect::deny;
            if (i == place || !before || dead_[i]) continue;
            if (!covers(rules_[i], *texts_[i], rules_[place], *texts_[place])) continue;
            say(place,
                same ? "it changes nothing: the rule '" + rules_[i].name +
                           "' before it is about all that it is about"
                     : "it allows nothing: the rule '" + rules_[i].name + "' forbids all of it");
            return;
        }
    }

    static constexpr std::array kOnRegistryActions{Action::catalog, Action::admin};

    const LintContext& context_;
    std::vector<const Rule*> texts_;
    std::vector<CompiledRule> rules_;
    std::vector<bool> dead_;                        // it never applies
    std::multimap<std::size_t, Finding> findings_;  // by the rule's place
};

}  // namespace

std::vector<Finding> lint(const std::vector<Rule>& rules, const LintContext& context) {
    return Linter(rules, context).run();
}

}  // namespace berth::auth
