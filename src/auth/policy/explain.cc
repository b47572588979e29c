#include "auth/policy/compiled_policy.h"
#include "auth/policy/policy.h"

namespace berth::auth {
namespace {

// Empty: the rule applies.
std::vector<Why> hindrances(const CompiledRule& rule, const Identity& who,
                            const AccessRequest& request) {
    std::vector<Why> whys;
    if (!rule.about(request.action)) whys.push_back(Why::other_action);
    if (!rule.about(who)) whys.push_back(Why::other_subject);
    if (!rule.on_repository(request, user_of(who))) whys.push_back(Why::other_repository);
    if (!rule.on_tag(request)) whys.push_back(Why::other_tag);
    if (!rule.from(request.address)) whys.push_back(Why::other_address);
    if (!rule.in_force(request.at)) whys.push_back(Why::expired);
    return whys;
}

}  // namespace

std::string_view text_of(Why why) {
    switch (why) {
        case Why::decides:
            return "decides";
        case Why::overruled:
            return "overruled by a rule that denies";
        case Why::later:
            return "a rule before it decides";
        case Why::beyond_grants:
            return "the token does not cover it";
        case Why::other_action:
            return "other action";
        case Why::other_subject:
            return "other subject";
        case Why::other_repository:
            return "other repository";
        case Why::other_tag:
            return "other tag";
        case Why::other_address:
            return "other address";
        case Why::expired:
            return "expired";
    }
    return {};
}

Explanation Policy::explain(const Identity& who, const AccessRequest& request) const {
    const std::vector<CompiledRule>& rules = compiled_->rules;
    Explanation explanation;
    std::size_t deciding = RuleIndex::kNone;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        explanation.rules.push_back(
            {rules[i].name, rules[i].effect, hindrances(rules[i], who, request)});
        if (!explanation.rules.back().whys.empty()) continue;
        const bool denies_first = deciding != RuleIndex::kNone &&
                                  rules[deciding].effect == Effect::allow &&
                                  rules[i].effect == Effect::deny;
        if (deciding == RuleIndex::kNone || denies_first) deciding = i;
    }
    explanation.decision = decision(deciding, who, request);
    if (compiled_->kind != Kind::rules) {
        explanation.rules.clear();
        return explanation;
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        std::vector<Why>& whys = explanation.rules[i].whys;
        if (!whys.empty()) continue;
        if (i == deciding) {
            whys = {explanation.decision.beyond_grants ? Why::beyond_grants : Why::decides};
        } else {
            whys = {rules[i].effect == rules[deciding].effect ? Why::later : Why::overruled};
        }
    }
    return explanation;
}

}  // namespace berth::auth
