// What a Policy shares: its rules, parsed, and the indexes over them. Stays where it is made.
#pragma once

#include <utility>
#include <vector>

#include "auth/policy/compiled_rule.h"
#include "auth/policy/policy.h"
#include "auth/policy/rule_index.h"

namespace berth::auth {

struct Policy::Compiled {
    Compiled(Kind of, std::vector<CompiledRule> all)
        : kind(of),
          rules(std::move(all)),
          denying(rules, Effect::deny),
          allowing(rules, Effect::allow) {}
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;

    // The place of the rule that decides: the first that denies, else the first that allows (with
    // Find::any: some that does); kNone: none.
    std::size_t deciding(const Identity& who, const AccessRequest& request,
                         RuleIndex::Find which) const {
        const std::size_t denied = denying.find(who, request, which);
        return denied == RuleIndex::kNone ? allowing.find(who, request, which) : denied;
    }
    bool granted(const Identity& who, const AccessRequest& request) const;

    const Kind kind;
    const std::vector<CompiledRule> rules;
    const RuleIndex denying, allowing;
};

}  // namespace berth::auth
