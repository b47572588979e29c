// Goal: grants cover what their texts say and nothing else, and narrow what a policy allows.
// Method: tables of requests.
#include "auth/policy/grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "auth/policy/policy.h"
#include "unit/auth/allocation_count.h"

namespace berth::auth {
namespace {

using testing::HasSubstr;

Grants parsed(const std::vector<std::string>& texts) {
    auto grants = Grants::parse(texts);
    EXPECT_TRUE(grants) << grants.error().detail;
    return grants.value_or(Grants());
}

TEST(Grants, CoverWhatTheirTextsSay) {
    struct Case {
        std::vector<std::string> texts;
        AccessRequest request;
        bool covered;
    };
    const std::vector<Case> cases{
        {{}, {Action::pull, "team/app", ""}, false},
        {{"pull:team/**"}, {Action::pull, "team/app", "1"}, true},
        {{"pull:team/**"}, {Action::pull, "team", "1"}, false},
        {{"pull:team/**"}, {Action::create, "team/app", "1"}, false},
        {{"pull:team/**"}, {Action::catalog, "", ""}, false},
        {{"push:team/app"}, {Action::create, "team/app", "1"}, true},
        {{"push:team/app"}, {Action::overwrite, "team/app", "1"}, true},
        {{"push:team/app"}, {Action::pull, "team/app", "1"}, false},
        {{"create:**"}, {Action::overwrite, "a", "1"}, false},
        {{"pull,push:a", "delete:b"}, {Action::remove, "a", ""}, false},
        {{"pull,push:a", "delete:b"}, {Action::remove, "b", ""}, true},
        {{"*:a"}, {Action::remove, "a", ""}, true},
        {{"*:a"}, {Action::admin, "", ""}, false},
        {{"*:**"}, {Action::catalog, "", ""}, false},
        {{"catalog"}, {Action::catalog, "", ""}, true},
        {{"catalog"}, {Action::pull, "a", ""}, false},
        {{"catalog,admin"}, {Action::admin, "", ""}, true},
        {{"push:people/{user}/**"}, {Action::create, "people/alice/app", "1"}, true},
        {{"push:people/{user}/**"}, {Action::create, "people/bob/app", "1"}, false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(parsed(c.texts).cover(c.request, "alice"), c.covered)
            << testing::PrintToString(c.texts) << " " << name_of(c.request.action) << " "
            << c.request.repository;
    }
}

TEST(Grants, SayWhatIsWrongWithAText) {
    const std::vector<std::pair<std::string, std::string_view>> cases{
        {"pul:a", "grant 'pul:a': unknown action 'pul'; did you mean 'pull'?"},
        {"", "grant '': unknown action ''"},
        {"pull,:a", "unknown action ''"},
        {"pull", "grant 'pull': of which repositories? For all of them write 'pull:**'"},
        {"*", "write '*:**'"},
        {"catalog:a", "catalog and admin stand alone"},
        {"pull,admin:a", "catalog and admin stand alone"},
        {"pull:Team", "no repository name has a 'T'"},
        {"pull:", "it is empty"},
        {"pull:a:b", "no repository name has a ':'"},
    };
    for (const auto& [text, says] : cases) {
        const auto grants = Grants::parse({"pull:a", text});
        ASSERT_FALSE(grants) << text;
        EXPECT_EQ(grants.error().code, Errc::invalid);
        EXPECT_THAT(grants.error().detail, HasSubstr(says));
    }
}

TEST(Grants, OfATokensAccessAreTakenLiterally) {
    struct Case {
        std::string_view type, name;
        std::vector<std::string> actions;
        AccessRequest request;
        bool covered;
    };
    const std::vector<Case> cases{
        {"repository", "a/b", {"pull"}, {Action::pull, "a/b", ""}, true},
        {"repository", "a/b", {"pull"}, {Action::create, "a/b", ""}, false},
        {"repository", "a/b", {"pull"}, {Action::pull, "a/bc", ""}, false},
        {"repository", "a/b", {"push"}, {Action::create, "a/b", ""}, true},
        {"repository", "a/b", {"push"}, {Action::overwrite, "a/b", "1"}, true},
        {"repository", "a/b", {"push"}, {Action::pull, "a/b", "1"}, false},
        {"repository", "a/b", {"delete"}, {Action::remove, "a/b", "1"}, true},
        {"repository", "a/b", {"*"}, {Action::remove, "a/b", "1"}, true},
        {"repository", "a/b", {"*"}, {Action::pull, "a/b", "1"}, true},
        {"repository", "a/b", {"*"}, {Action::admin, "a/b", ""}, false},
        {"repository", "a/b", {"admin", "catalog"}, {Action::admin, "a/b", ""}, false},
        {"repository", "**", {"pull"}, {Action::pull, "a/b", ""}, false},
        {"repository", "", {"*"}, {Action::pull, "", ""}, false},
        {"repository(plugin)", "a/b", {"pull"}, {Action::pull, "a/b", ""}, false},
        {"Repository", "a/b", {"pull"}, {Action::pull, "a/b", ""}, false},
        {"registry", "catalog", {"*"}, {Action::catalog, "", ""}, true},
        {"registry", "catalog", {"*"}, {Action::admin, "", ""}, false},
        {"registry", "catalog", {"pull"}, {Action::catalog, "", ""}, false},
        {"registry", "admin", {"*"}, {Action::admin, "", ""}, false},
        {"unknown", "a/b", {"pull"}, {Action::pull, "a/b", ""}, false},
    };
    for (const Case& c : cases) {
        Grants grants;
        grants.add(c.type, c.name, c.actions);
        EXPECT_EQ(grants.cover(c.request, "alice"), c.covered)
            << c.type << ":" << c.name << " " << name_of(c.request.action);
    }
}

TEST(Grants, NarrowWhatThePolicyAllows) {
    const auto policy =
        Policy::compile({{"own", Effect::allow, {"user:alice"}, {"pull", "push"}, {"a"}, {}}});
    ASSERT_TRUE(policy);
    Identity alice{"alice", {}, "token"};
    alice.grants = std::make_shared<Grants>(parsed({"pull:**", "delete:**"}));

    EXPECT_TRUE(policy->allows(alice, {Action::pull, "a", ""}));
    const Decision push = policy->decide(alice, {Action::create, "a", ""});
    EXPECT_FALSE(push.allowed);
    EXPECT_TRUE(push.beyond_grants);
    EXPECT_EQ(push.rule, "");
    EXPECT_EQ(push.reason, "this token does not allow alice to push to a");
    EXPECT_FALSE(policy->allows(alice, {Action::create, "a", ""}));
    // Another token would not help.
    const Decision remove = policy->decide(alice, {Action::remove, "a", ""});
    EXPECT_FALSE(remove.allowed);
    EXPECT_FALSE(remove.beyond_grants);
    EXPECT_EQ(remove.reason, "no rule allows alice to delete from a");
}

TEST(Grants, NarrowWithoutAPolicyToo) {
    Identity alice{"alice", {}, "token"};
    alice.grants = std::make_shared<Grants>(parsed({"pull:a"}));
    for (const Policy& policy : {Policy::open(), Policy::any_user()}) {
        EXPECT_TRUE(policy.allows(alice, {Action::pull, "a", ""}));
        EXPECT_TRUE(policy.decide(alice, {Action::pull, "b", ""}).beyond_grants);
        EXPECT_FALSE(policy.allows(alice, {Action::pull, "b", ""}));
    }
}

TEST(Grants, AreAllThatCountsWhereTokensComeFromOutside) {
    const Policy policy = Policy::by_grants();
    Identity alice{"alice", {}, "bearer"};
    EXPECT_FALSE(policy.allows(alice, {Action::pull, "a", ""}));
    EXPECT_FALSE(policy.decide(alice, {Action::pull, "a", ""}).beyond_grants);
    EXPECT_EQ(policy.decide(alice, {Action::pull, "a", ""}).reason,
              "only the holder of a token may pull from a");
    EXPECT_FALSE(policy.may_enter(alice));

    // Clients try a login with a token for nothing.
    alice.grants = std::make_shared<Grants>();
    EXPECT_TRUE(policy.may_enter(alice));
    EXPECT_TRUE(policy.decide(alice, {Action::pull, "a", ""}).beyond_grants);

    // Token servers give tokens to the anonymous too.
    Identity nobody;
    nobody.grants = std::make_shared<Grants>(parsed({"pull:a"}));
    EXPECT_TRUE(policy.allows(nobody, {Action::pull, "a", ""}));
    EXPECT_FALSE(policy.allows(nobody, {Action::create, "a", ""}));
}

TEST(Grants, OfARobotHaveNoUsersSpace) {
    const auto policy = Policy::compile(
        {{"own", Effect::allow, {"authenticated"}, {"pull"}, {"people/{user}/*"}, {}}});
    ASSERT_TRUE(policy);
    const AccessRequest request{Action::pull, "people/alice/app", ""};
    Identity who{"alice", {}, "token"};
    EXPECT_TRUE(policy->allows(who, request));
    who.kind = Identity::Kind::robot;
    EXPECT_FALSE(policy->allows(who, request));
    who.grants = std::make_shared<Grants>(parsed({"pull:people/{user}/*"}));
    EXPECT_FALSE(Policy::open().allows(who, request));
}

TEST(Grants, CoverWithoutAllocating) {
    const Grants grants = parsed({"pull:team/**/very-long-names-here/*", "push:people/{user}/**"});
    const std::size_t before = allocation_count();
    const bool covered = grants.cover({Action::create, "people/alice/app", "1"}, "alice");
    const std::size_t after = allocation_count();
    EXPECT_TRUE(covered);
    EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace berth::auth
