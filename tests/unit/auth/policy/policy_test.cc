// Goal: the policy decides as docs/security.md says, and its texts help a person. Method: tables of
// who wants what under small policies.
#include "auth/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "auth/policy/grants.h"
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

TEST(Policy, LeavesOutWhatStandsBehindAnExclamationMark) {
    const auto rule = [](std::vector<std::string> repositories) {
        return compiled({{"r",
                          Effect::allow,
                          {"authenticated"},
                          {"pull", "catalog"},
                          std::move(repositories),
                          {}}});
    };
    const auto allows = [](const Policy& policy, std::string_view repository) {
        return policy.allows(kAlice, {Action::pull, repository, ""});
    };
    const Policy all_but = rule({"!secret", "!secret/**"});
    EXPECT_TRUE(allows(all_but, "team/app"));
    EXPECT_TRUE(allows(all_but, "secrets"));
    EXPECT_FALSE(allows(all_but, "secret"));
    EXPECT_FALSE(allows(all_but, "secret/app"));
    EXPECT_TRUE(all_but.allows(kAlice, {Action::catalog, "", ""}));
    EXPECT_TRUE(all_but.may_enter(kAlice));

    const Policy some_but = rule({"!team/{user}/**", "team/**"});
    EXPECT_TRUE(allows(some_but, "team/bob/app"));
    EXPECT_FALSE(allows(some_but, "team/alice/app"));
    EXPECT_FALSE(allows(some_but, "other"));

    const Policy denying = compiled({
        {"all", Effect::allow, {"everyone"}, {"pull"}, {}, {}},
        {"most not", Effect::deny, {"everyone"}, {"pull"}, {"!public/**"}, {}},
    });
    EXPECT_TRUE(allows(denying, "public/app"));
    EXPECT_FALSE(allows(denying, "team/app"));
    EXPECT_TRUE(denying.may_enter(kAnonymous));
    EXPECT_FALSE(Policy::compile({{"r", Effect::allow, {"everyone"}, {"pull"}, {"!Team"}, {}}}));
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

// Behind a unix socket nobody knows the caller's address; then nothing that asks for one applies.
TEST(Policy, AsksForAddresses) {
    Rule inside{"inside", Effect::allow, {"everyone"}, {"pull"}, {}, {}};
    inside.addresses = {"10.0.0.0/8", "fd00::/8"};
    Rule all{"all", Effect::allow, {"everyone"}, {"push"}, {}, {}};
    Rule banned{"banned", Effect::deny, {"everyone"}, {"push"}, {}, {}};
    banned.addresses = {"10.6.6.6"};
    const Policy policy = compiled({inside, all, banned});
    struct Case {
        std::string_view address;
        bool pulls, pushes;
    };
    const std::vector<Case> cases{
        {"10.1.2.3", true, true},  {"::ffff:10.1.2.3", true, true}, {"fd00::1", true, true},
        {"11.1.2.3", false, true}, {"10.6.6.6", true, false},       {"", false, true},
        {"unknown", false, true},
    };
    for (const auto& [address, pulls, pushes] : cases) {
        EXPECT_EQ(policy.allows(kAlice, {Action::pull, "a", "", address}), pulls) << address;
        EXPECT_EQ(policy.allows(kAlice, {Action::create, "a", "", address}), pushes) << address;
    }
    EXPECT_TRUE(compiled({inside}).may_enter(kAlice, "10.1.2.3"));
    EXPECT_FALSE(compiled({inside}).may_enter(kAlice, "11.1.2.3"));
    EXPECT_FALSE(compiled({inside}).may_enter(kAlice));

    inside.addresses = {"10.0.0.0/33"};
    const auto wrong = Policy::compile({inside});
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().detail, HasSubstr("policy 'inside': \"10.0.0.0/33\" is no address"));
}

TEST(Policy, EndsRulesWhenTheyExpire) {
    const Time end = Time{} + std::chrono::hours(1);
    const auto tick = std::chrono::milliseconds(1);
    Rule guest{"guest", Effect::allow, {"everyone"}, {"pull"}, {}, {}};
    Rule freeze{"freeze", Effect::deny, {"everyone"}, {"push"}, {}, {}};
    const Rule all{"all", Effect::allow, {"everyone"}, {"push"}, {}, {}};
    guest.expires = freeze.expires = end;
    const Policy policy = compiled({guest, freeze, all});
    const auto pulls = [&](Time at) {
        return policy.allows(kAlice, {Action::pull, "a", "", "", at});
    };
    const auto pushes = [&](Time at) {
        return policy.allows(kAlice, {Action::create, "a", "", "", at});
    };
    EXPECT_TRUE(pulls(end - tick));
    EXPECT_FALSE(pulls(end));
    EXPECT_FALSE(pushes(end - tick));
    EXPECT_TRUE(pushes(end));
    // At an unknown time the answer is the safe one.
    EXPECT_FALSE(pulls({}));
    EXPECT_FALSE(pushes({}));
    EXPECT_TRUE(compiled({guest}).may_enter(kAnonymous, "", end - tick));
    EXPECT_FALSE(compiled({guest}).may_enter(kAnonymous, "", end));
}

// Anybody can get a token of a public provider, so that having one is not enough.
TEST(Policy, AllowsNothingToWorkloadsThatNoRuleNames) {
    const Identity workload{"github:repo:evil/app", {}, "oidc", Identity::Kind::oidc, "github"};
    const AccessRequest request{Action::pull, "a", ""};
    EXPECT_FALSE(Policy::any_user().allows(workload, request));
    EXPECT_EQ(Policy::any_user().decide(workload, request).reason,
              "no policy is set that would allow github:repo:evil/app to pull from a");
    EXPECT_FALSE(compiled({{"r", Effect::allow, {"authenticated"}, {"pull"}, {}, {}}})
                     .allows(workload, request));
}

TEST(Policy, FindsTheLastOfManyGroups) {
    Identity who{"alice", {}, "ldap"};
    for (int i = 0; i < 1000; ++i)
        who.groups.push_back("group " + std::to_string(i));
    const Policy policy =
        compiled({{"no", Effect::deny, {"group:group 999"}, {"push"}, {}, {}},
                  {"yes", Effect::allow, {"group:group 500"}, {"pull", "push"}, {}, {}}});
    EXPECT_TRUE(policy.allows(who, {Action::pull, "a", ""}));
    EXPECT_EQ(policy.decide(who, {Action::create, "a", ""}).rule, "no");
    EXPECT_TRUE(policy.may_enter(who));
}

TEST(Policy, ExplainsEachRule) {
    Rule elsewhere{"elsewhere", Effect::allow, {"everyone"}, {"pull"}, {}, {}};
    elsewhere.addresses = {"10.0.0.0/8"};
    Rule past{"past", Effect::allow, {"everyone"}, {"pull"}, {}, {}};
    past.expires = Time{} + std::chrono::hours(1);
    const Policy policy = compiled({
        {"others", Effect::allow, {"user:jenkins"}, {"push"}, {"prod/**"}, {"v*"}},
        elsewhere,
        past,
        {"first", Effect::allow, {"user:alice"}, {"pull"}, {}, {}},
        {"second", Effect::allow, {"user:alice"}, {"pull"}, {}, {}},
        {"not secrets", Effect::deny, {"everyone"}, {"pull"}, {"secret/*"}, {}},
        {"not secrets either", Effect::deny, {"everyone"}, {"pull"}, {"secret/**"}, {}},
    });
    const auto whys = [&policy](const Identity& who, const AccessRequest& request) {
        std::map<std::string, std::vector<Why>> all;
        for (auto& answer : policy.explain(who, request).rules)
            all[answer.rule] = answer.whys;
        return all;
    };
    const Time now = Time{} + std::chrono::hours(2);
    auto open = whys(kAlice, {Action::pull, "team/app", "1", "192.0.2.1", now});
    EXPECT_THAT(open["others"], testing::ElementsAre(Why::other_action, Why::other_subject,
                                                     Why::other_repository, Why::other_tag));
    EXPECT_THAT(open["elsewhere"], testing::ElementsAre(Why::other_address));
    EXPECT_THAT(open["past"], testing::ElementsAre(Why::expired));
    EXPECT_THAT(open["first"], testing::ElementsAre(Why::decides));
    EXPECT_THAT(open["second"], testing::ElementsAre(Why::later));
    EXPECT_THAT(open["not secrets"], testing::ElementsAre(Why::other_repository));

    auto secret = whys(kAlice, {Action::pull, "secret/app", "1", "192.0.2.1", now});
    EXPECT_THAT(secret["first"], testing::ElementsAre(Why::overruled));
    EXPECT_THAT(secret["not secrets"], testing::ElementsAre(Why::decides));
    EXPECT_THAT(secret["not secrets either"], testing::ElementsAre(Why::later));

    Identity limited = kAlice;
    limited.grants = std::make_shared<Grants>();
    const AccessRequest request{Action::pull, "team/app", "1", "", now};
    EXPECT_THAT(whys(limited, request)["first"], testing::ElementsAre(Why::beyond_grants));
    EXPECT_TRUE(policy.explain(limited, request).decision.beyond_grants);
    EXPECT_EQ(policy.explain(kAlice, request).decision.rule, "first");
    EXPECT_THAT(Policy::open().explain(kAlice, request).rules, testing::IsEmpty());
}

TEST(Policy, AllowsWithoutAllocating) {
    const Policy policy = example();
    Rule rule{"r",      Effect::allow, {"oidc:github repo=organisation/* ref=refs/heads/main"},
              {"pull"}, {"**/app"},    {"*"}};
    rule.addresses = {"2001:db8::/32"};
    const Policy limited = compiled({rule});
    Identity workload{"github:repo", {}, "oidc", Identity::Kind::oidc, "github"};
    workload.claims = {{"repository", "organisation/application"}, {"ref", "refs/heads/main"}};
    const std::size_t before = allocation_count();
    bool allowed = policy.allows(kAlice, {Action::create, "people/alice/app", "1.0"});
    allowed = allowed && policy.allows(kDev, {Action::pull, "a/b/c/d", "latest"});
    allowed = allowed && limited.allows(workload, {Action::pull, "a/long/enough/name/app", "latest",
                                                   "2001:db8:1111:2222:3333:4444:5555:6666"});
    const std::size_t after = allocation_count();
    EXPECT_TRUE(allowed);
    EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace berth::auth
