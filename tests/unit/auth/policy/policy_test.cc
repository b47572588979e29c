// Goal: the policy decides as docs/security.md says, and its texts help a person. Method: tables of
// who wants what under small policies.
#include "auth/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/auth/allocation_count.h"

namespace berth::auth {
namespace {

using testing::HasSubstr;

const Identity kAnonymous{};
const Identity kAlice{"alice", {}, "htpasswd"};
const Identity kJenkins{"jenkins", {}, "htpasswd"};
const Identity kDev{"dora", {"dev", "staff"}, "htpasswd"};

Policy compiled(std::vector<Rule> rules) {
    auto policy = Policy::compile(std::move(rules));
    EXPECT_TRUE(policy) << policy.error().detail;
    return policy ? *policy : Policy::open();
}

// The example of the documentation.
Policy example() {
    return compiled({
        {"everyone pulls", Effect::allow, {"authenticated"}, {"pull"}, {}, {}},
        {"CI pushes", Effect::allow, {"user:jenkins"}, {"pull", "push", "delete"}, {"**"}, {}},
        {"own space",
         Effect::allow,
         {"authenticated"},
         {"pull", "push", "delete"},
         {"people/{user}/**"},
         {}},
        {"releases are final", Effect::deny, {"everyone"}, {"overwrite"}, {"prod/**"}, {"v*"}},
    });
}

TEST(Policy, DecidesTheExample) {
    struct Case {
        const Identity& who;
        AccessRequest request;
        bool allowed;
        std::string_view rule;
    };
    const std::vector<Case> cases{
        {kAlice, {Action::pull, "team/app", "1.0"}, true, "everyone pulls"},
        {kAlice, {Action::pull, "team/app", ""}, true, "everyone pulls"},
        {kAlice, {Action::create, "team/app", "1.0"}, false, ""},
        {kAlice, {Action::remove, "team/app", "1.0"}, false, ""},
        {kAlice, {Action::create, "people/alice/app", "1.0"}, true, "own space"},
        {kAlice, {Action::create, "people/jenkins/app", "1.0"}, false, ""},
        {kAnonymous, {Action::pull, "team/app", "1.0"}, false, ""},
        {kJenkins, {Action::create, "prod/app", "v1"}, true, "CI pushes"},
        {kJenkins, {Action::overwrite, "prod/app", "v1"}, false, "releases are final"},
        {kJenkins, {Action::overwrite, "prod/app", "next"}, true, "CI pushes"},
        {kJenkins, {Action::overwrite, "team/app", "v1"}, true, "CI pushes"},
        {kJenkins, {Action::remove, "team/app", ""}, true, "CI pushes"},
        {kJenkins, {Action::catalog, "", ""}, false, ""},
        {kJenkins, {Action::admin, "", ""}, false, ""},
    };
    const Policy policy = example();
    for (const Case& c : cases) {
        const Decision decision = policy.decide(c.who, c.request);
        EXPECT_EQ(decision.allowed, c.allowed) << decision.reason;
        EXPECT_EQ(decision.rule, c.rule) << decision.reason;
        EXPECT_EQ(policy.allows(c.who, c.request), c.allowed) << decision.reason;
    }
}

TEST(Policy, SaysWhy) {
    const Policy policy = example();
    EXPECT_EQ(policy.decide(kAlice, {Action::create, "team/app", ""}).reason,
              "no rule allows alice to push to team/app");
    EXPECT_EQ(policy.decide(kAnonymous, {Action::pull, "team/app", "1"}).reason,
              "no rule allows anonymous callers to pull from team/app:1");
    EXPECT_EQ(policy.decide(kJenkins, {Action::overwrite, "prod/app", "v1"}).reason,
              "the rule 'releases are final' forbids jenkins to overwrite prod/app:v1");
    EXPECT_EQ(policy.decide(kJenkins, {Action::create, "team/app", "1"}).reason,
              "the rule 'CI pushes' allows jenkins to push to team/app:1");
    EXPECT_EQ(policy.decide(kAlice, {Action::remove, "team/app", ""}).reason,
              "no rule allows alice to delete from team/app");
    EXPECT_EQ(policy.decide(kAlice, {Action::catalog, "", ""}).reason,
              "no rule allows alice to list the repositories");
    EXPECT_EQ(policy.decide(kAlice, {Action::admin, "", ""}).reason,
              "no rule allows alice to administer the registry");
}

TEST(Policy, KnowsEveryKindOfSubject) {
    const Identity robot{"alice", {}, "token", Identity::Kind::robot};
    const Identity workload{"alice", {}, "oidc", Identity::Kind::oidc, "github"};
    struct Case {
        std::string subject;
        const Identity& who;
        bool matches;
    };
    const std::vector<Case> cases{
        {"user:alice", kAlice, true},
        {"user:alice", kJenkins, false},
        {"user:alice", kAnonymous, false},
        {"user:alice", robot, false},
        {"user:alice", workload, false},
        {"robot:alice", robot, true},
        {"robot:alice", kAlice, false},
        {"robot:alice", workload, false},
        {"oidc:github", workload, true},
        {"oidc:gitlab", workload, false},
        {"oidc:alice", workload, false},
        {"oidc:github", kAlice, false},
        {"authenticated", robot, true},
        {"authenticated", workload, false},
        {"anonymous", workload, false},
        {"everyone", workload, true},
        {"group:dev", kDev, true},
        {"group:dev", kAlice, false},
        {"group:de", kDev, false},
        {"authenticated", kAlice, true},
        {"authenticated", kAnonymous, false},
        {"anonymous", kAlice, false},
        {"anonymous", kAnonymous, true},
        {"everyone", kAlice, true},
        {"everyone", kAnonymous, true},
    };
    for (const Case& c : cases) {
        const Policy policy = compiled({{"r", Effect::allow, {c.subject}, {"pull"}, {}, {}}});
        EXPECT_EQ(policy.allows(c.who, {Action::pull, "a", "b"}), c.matches)
            << c.subject << " and " << c.who.name << " by " << c.who.proof;
    }
}

TEST(Policy, KnowsEveryAction) {
    const std::vector<Action> all{Action::pull,   Action::create,  Action::overwrite,
                                  Action::remove, Action::catalog, Action::admin};
    const std::vector<std::pair<std::string, std::vector<Action>>> words{
        {"pull", {Action::pull}},     {"push", {Action::create, Action::overwrite}},
        {"create", {Action::create}}, {"overwrite", {Action::overwrite}},
        {"delete", {Action::remove}}, {"catalog", {Action::catalog}},
        {"admin", {Action::admin}},
    };
    for (const auto& [word, actions] : words) {
        const Policy policy = compiled({{"r", Effect::allow, {"everyone"}, {word}, {}, {}}});
        for (const Action action : all)
            EXPECT_EQ(policy.allows(kAlice, {action, "a", "b"}),
                      testing::Value(actions, testing::Contains(action)))
                << word << " and " << name_of(action);
    }
}

TEST(Policy, DenyWinsWhereverItStands) {
    const Rule allow{"all", Effect::allow, {"everyone"}, {"pull"}, {}, {}};
    const Rule deny{"not alice", Effect::deny, {"user:alice"}, {"pull"}, {"secret/**"}, {}};
    for (const Policy& policy : {compiled({allow, deny}), compiled({deny, allow})}) {
        EXPECT_EQ(policy.decide(kAlice, {Action::pull, "secret/app", "1"}).rule, "not alice");
        EXPECT_TRUE(policy.allows(kAlice, {Action::pull, "app", "1"}));
        EXPECT_TRUE(policy.allows(kJenkins, {Action::pull, "secret/app", "1"}));
    }
}

// Blobs and digests have no tag: whoever may pull or push some tags needs them, and a rule that
// protects some tags must not stop the others, but must stop deletes by digest.
TEST(Policy, DecidesRequestsWithoutATagUnderRulesWithTags) {
    const std::vector<std::string> every{"pull", "push", "delete"};
    const Policy some = compiled({{"dev tags", Effect::allow, {"everyone"}, every, {}, {"dev-*"}}});
    EXPECT_TRUE(some.allows(kAlice, {Action::create, "app", "dev-1"}));
    EXPECT_FALSE(some.allows(kAlice, {Action::create, "app", "v1"}));
    EXPECT_TRUE(some.allows(kAlice, {Action::create, "app", ""}));
    EXPECT_TRUE(some.allows(kAlice, {Action::pull, "app", ""}));
    EXPECT_FALSE(some.allows(kAlice, {Action::remove, "app", ""}));

    const Policy most = compiled({{"all", Effect::allow, {"everyone"}, every, {}, {}},
                                  {"keep v", Effect::deny, {"everyone"}, every, {}, {"v*"}}});
    EXPECT_FALSE(most.allows(kAlice, {Action::create, "app", "v1"}));
    EXPECT_TRUE(most.allows(kAlice, {Action::create, "app", "dev-1"}));
    EXPECT_TRUE(most.allows(kAlice, {Action::create, "app", ""}));
    EXPECT_TRUE(most.allows(kAlice, {Action::pull, "app", ""}));
    EXPECT_FALSE(most.allows(kAlice, {Action::remove, "app", ""}));
    EXPECT_TRUE(most.allows(kAlice, {Action::remove, "app", "dev-1"}));
}

// The catalog names only what the caller may pull, so a rule for some repositories opens it; one
// that denies it for some must not close it for all. What else has no repository is for all only.
TEST(Policy, DecidesRequestsWithoutARepository) {
    const AccessRequest catalog{Action::catalog, "", ""}, admin{Action::admin, "", ""};
    const std::vector<std::string> both{"catalog", "admin"};
    struct Case {
        std::vector<std::string> repositories;
        bool all;
    };
    for (const auto& [repositories, all] :
         std::vector<Case>{{{}, true}, {{"**"}, true}, {{"team/**"}, false}}) {
        const Rule allow{"some", Effect::allow, {"everyone"}, both, repositories, {}};
        EXPECT_TRUE(compiled({allow}).allows(kAlice, catalog));
        EXPECT_EQ(compiled({allow}).allows(kAlice, admin), all);
        const Rule deny{"not some", Effect::deny, {"everyone"}, both, repositories, {}};
        const Rule rest{"all", Effect::allow, {"everyone"}, both, {}, {}};
        EXPECT_EQ(compiled({rest, deny}).allows(kAlice, catalog), !all);
        EXPECT_EQ(compiled({rest, deny}).allows(kAlice, admin), !all);
    }
}

TEST(Policy, OpenAllowsAnythingToAnybody) {
    const Policy policy = Policy::open();
    EXPECT_TRUE(policy.allows(kAnonymous, {Action::remove, "a", "b"}));
    EXPECT_TRUE(policy.allows(kAlice, {Action::admin, "", ""}));
    EXPECT_TRUE(policy.may_enter(kAnonymous));
    EXPECT_THAT(policy.decide(kAnonymous, {Action::pull, "a", ""}).reason, HasSubstr("no policy"));
}

TEST(Policy, AnyUserAsksForALoginOnly) {
    const Policy policy = Policy::any_user();
    EXPECT_FALSE(policy.allows(kAnonymous, {Action::pull, "a", "b"}));
    EXPECT_TRUE(policy.allows(kAlice, {Action::remove, "a", "b"}));
    EXPECT_FALSE(policy.may_enter(kAnonymous));
    EXPECT_TRUE(policy.may_enter(kAlice));
    EXPECT_EQ(policy.decide(kAnonymous, {Action::pull, "a", ""}).reason,
              "only users who have logged in may pull from a");
}

TEST(Policy, WithNoRulesAllowsNothing) {
    const Policy policy = compiled({});
    EXPECT_FALSE(policy.allows(kAlice, {Action::pull, "a", "b"}));
    EXPECT_FALSE(policy.may_enter(kAlice));
}

TEST(Policy, LetsThoseEnterWhoMayDoSomething) {
    EXPECT_FALSE(example().may_enter(kAnonymous));
    EXPECT_TRUE(example().may_enter(kAlice));
    const Rule pull{"public", Effect::allow, {"anonymous"}, {"pull"}, {"public/**"}, {}};
    EXPECT_TRUE(compiled({pull}).may_enter(kAnonymous));
    EXPECT_FALSE(compiled({pull}).may_enter(kAlice));
    const Rule some{"not x", Effect::deny, {"everyone"}, {"pull"}, {"x"}, {}};
    EXPECT_TRUE(compiled({pull, some}).may_enter(kAnonymous));
    const Rule none{"closed", Effect::deny, {"everyone"}, {"pull"}, {}, {}};
    EXPECT_FALSE(compiled({pull, none}).may_enter(kAnonymous));
    const Rule names{"names", Effect::allow, {"anonymous"}, {"catalog"}, {}, {}};
    EXPECT_FALSE(compiled({names}).may_enter(kAnonymous));
}

TEST(Policy, NamesWhatIsWrongWithARule) {
    struct Case {
        Rule rule;
        std::string_view says;
    };
    const auto with = [](std::vector<std::string> subjects, std::vector<std::string> actions) {
        return Rule{"broken", Effect::allow, std::move(subjects), std::move(actions), {}, {}};
    };
    std::vector<Case> cases{
        {with({"everyone"}, {"fly"}), "unknown action 'fly'; known are pull, push"},
        {with({"everyone"}, {"pul"}), "unknown action 'pul'; did you mean 'pull'?"},
        {with({"everyone"}, {}), "no actions"},
        {with({}, {"pull"}), "no subjects"},
        {with({"usr:bob"}, {"pull"}), "unknown subject 'usr:bob'; did you mean 'user:bob'?"},
        {with({"everyon"}, {"pull"}), "did you mean 'everyone'?"},
        {with({"group"}, {"pull"}), "did you mean 'group:NAME'?"},
        {with({"jenkins"}, {"pull"}), "for a user write 'user:jenkins'"},
        {with({"xyz:bob"}, {"pull"}), "known are user:NAME"},
        {with({"user:"}, {"pull"}), "'user:' names nobody"},
        {with({"everyone:x"}, {"pull"}), "did you mean 'everyone'?"},
    };
    cases.push_back(
        {with({"everyone"}, {"pull"}), "repository 'Team/*': no repository name has a 'T'"});
    cases.back().rule.repositories = {"Team/*"};
    cases.push_back({with({"everyone"}, {"pull"}), "tag 'v?': no tag has a '?'"});
    cases.back().rule.tags = {"v?"};
    for (const Case& c : cases) {
        const auto policy = Policy::compile({c.rule});
        ASSERT_FALSE(policy) << c.says;
        EXPECT_EQ(policy.error().code, Errc::invalid);
        EXPECT_THAT(policy.error().detail, HasSubstr("policy 'broken': "));
        EXPECT_THAT(policy.error().detail, HasSubstr(c.says));
    }
}

TEST(Policy, CallsARuleWithoutANameByItsPlace) {
    const Policy policy = compiled({{"", Effect::allow, {"everyone"}, {"pull"}, {}, {}},
                                    {"", Effect::deny, {"everyone"}, {"pull"}, {"x"}, {}}});
    EXPECT_EQ(policy.decide(kAlice, {Action::pull, "x", ""}).rule, "rule 2");
}

TEST(Policy, AllowsWithoutAllocating) {
    const Policy policy = example();
    const std::size_t before = allocation_count();
    bool allowed = policy.allows(kAlice, {Action::create, "people/alice/app", "1.0"});
    allowed = allowed && policy.allows(kDev, {Action::pull, "a/b/c/d", "latest"});
    const std::size_t after = allocation_count();
    EXPECT_TRUE(allowed);
    EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace berth::auth
