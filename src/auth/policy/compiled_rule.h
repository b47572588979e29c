// CompiledRule: a rule of the policy, its texts parsed. Immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/policy/actions.h"
#include "auth/policy/glob.h"
#include "auth/policy/policy.h"
#include "auth/policy/subject.h"
#include "base/networks.h"

namespace berth::auth {

struct CompiledRule {
    std::string name;
    Effect effect = Effect::allow;
    std::vector<Subject> subjects;
    Actions actions = 0;
    std::vector<Glob> repositories;  // empty: all
    std::vector<Glob> excluded;      // of those, not these (`!` in the text)
    std::vector<Glob> tags;
    std::optional<Networks> addresses;
    std::optional<Time> expires;

    // Errc::invalid without the rule's name.
    static Result<CompiledRule> compile(const Rule& rule);

    // The rule applies if all of these hold. None allocates.
    bool about(const Identity& who) const;
    bool about(Action action) const { return (actions & bit(action)) != 0; }
    bool excludes(const AccessRequest& request, std::string_view user) const;
    bool on_repository(const AccessRequest& request, std::string_view user) const;
    bool on_tag(const AccessRequest& request) const;
    bool from(std::string_view address) const;
    bool in_force(Time at) const;
    bool applies(const Identity& who, const AccessRequest& request) const;
};

// What {user} stands for: a user's name only, as a robot with a user's name is not that user.
std::string_view user_of(const Identity& who);

}  // namespace berth::auth
