// Goal: the index finds what looking at every rule finds. Method: random policies and requests by
// seed, decided both ways.
#include "auth/policy/rule_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/policy_maker.h"

namespace berth::auth {
namespace {

constexpr unsigned kSeeds = 2000;
constexpr int kRequestsOfPolicy = 40;

std::string shown(const Identity& who, const MadeRequest& made) {
    return who.name + " " + std::string(name_of(made.action)) + " " + made.repository + ":" +
           made.tag + " from " + made.address;
}

// may_enter() by looking at every rule.
bool enters(const std::vector<Rule>& rules, const Identity& who, const MadeRequest& made,
            const Policy& policy) {
    for (const Action action : {Action::pull, Action::create, Action::overwrite, Action::remove}) {
        MadeRequest wanted = made;
        wanted.action = action;
        const Explanation seen = policy.explain(who, wanted.request());
        bool allowed = false, denied = false;
        for (std::size_t i = 0; i < rules.size(); ++i) {
            const auto& whys = seen.rules[i].whys;
            const bool other = std::any_of(whys.begin(), whys.end(), [](Why why) {
                return why == Why::other_subject || why == Why::other_action ||
                       why == Why::other_address || why == Why::expired;
            });
            if (other) continue;
            if (rules[i].effect == Effect::allow) allowed = true;
            if (rules[i].effect == Effect::deny && rules[i].repositories.empty() &&
                rules[i].tags.empty()) {
                denied = true;
            }
        }
        if (allowed && !denied) return true;
    }
    return false;
}

TEST(RuleIndex, DecidesAsLookingAtEveryRuleDoes) {
    std::size_t allowed = 0, denied = 0, undecided = 0, beyond = 0;
    for (unsigned seed = 0; seed < kSeeds; ++seed) {
        std::mt19937 random(seed);
        PolicyMaker make([&random](std::size_t n) { return random() % n; });
        const std::vector<Rule> rules = make.rules(12);
        const auto policy = Policy::compile(rules);
        ASSERT_TRUE(policy) << "seed " << seed << ": " << policy.error().detail;
        for (int i = 0; i < kRequestsOfPolicy; ++i) {
            const Identity who = make.identity();
            const MadeRequest made = make.request();
            const Decision seen = policy->explain(who, made.request()).decision;
            const Decision found = policy->decide(who, made.request());
            ASSERT_EQ(found.allowed, seen.allowed) << "seed " << seed << ": " << shown(who, made);
            ASSERT_EQ(found.rule, seen.rule) << "seed " << seed << ": " << shown(who, made);
            ASSERT_EQ(found.beyond_grants, seen.beyond_grants) << "seed " << seed;
            ASSERT_EQ(policy->allows(who, made.request()), seen.allowed)
                << "seed " << seed << ": " << shown(who, made);
            ASSERT_EQ(policy->may_enter(who, made.address, made.at),
                      enters(rules, who, made, *policy))
                << "seed " << seed << ": " << shown(who, made);
            ++(seen.allowed         ? allowed
               : seen.beyond_grants ? beyond
               : seen.rule.empty()  ? undecided
                                    : denied);
        }
    }
    // The requests are of all sorts.
    constexpr std::size_t kEnough = kSeeds * kRequestsOfPolicy / 100;
    EXPECT_GT(allowed, kEnough);
    EXPECT_GT(denied, kEnough);
    EXPECT_GT(undecided, kEnough);
    EXPECT_GT(beyond, kEnough);
}

}  // namespace
}  // namespace berth::auth
