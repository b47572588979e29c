// Goal: subjects are read as docs/security.md says, and match whom they name. Method: tables.
#include "auth/policy/subject.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using testing::HasSubstr;

Identity workload(std::string provider, decltype(Identity::claims) claims) {
    Identity who{provider + ":subject", {}, "oidc", Identity::Kind::oidc, provider};
    who.claims = std::move(claims);
    return who;
}

TEST(Subject, AsksForTheClaimsOfAWorkload) {
    const Identity github = workload("github", {{"repository", "org/app"},
                                                {"ref", "refs/heads/main"},
                                                {"sub", "repo:org/app:ref:refs/heads/main"},
                                                {"run_id", "7"},
                                                {"empty", ""}});
    const Identity gitlab = workload("gitlab", {{"project_path", "group/sub/app"}});
    struct Case {
        std::string_view subject;
        const Identity& who;
        bool matches;
    };
    const std::vector<Case> cases{
        {"oidc:github", github, true},
        {"oidc:gitlab", github, false},
        {"oidc:github repo=org/app", github, true},
        {"oidc:github repo=org/app ref=refs/heads/main", github, true},
        {"oidc:github  repo=org/app   ref=refs/heads/main ", github, true},
        {"oidc:github repo=org/app ref=refs/heads/next", github, false},
        {"oidc:github repo=org/other ref=refs/heads/main", github, false},
        {"oidc:github repo=org/ap", github, false},
        {"oidc:github repo=org/apps", github, false},
        {"oidc:github repo=ORG/app", github, false},
        {"oidc:github repo=org/*", github, true},
        {"oidc:github repo=*", github, false},
        {"oidc:github repo=**", github, true},
        {"oidc:github ref=refs/heads/*", github, true},
        {"oidc:github ref=refs/tags/**", github, false},
        {"oidc:github repository=org/app", github, true},
        {"oidc:github project_path=org/app", github, false},
        {"oidc:github sub=repo:org/app:**", github, true},
        {"oidc:github run_id=7", github, true},
        {"oidc:github actor=*", github, false},
        {"oidc:github empty=*", github, true},
        {"oidc:github environment=**", github, false},
        {"oidc:github repo={user}", github, false},
        {"oidc:gitlab repo=group/**", gitlab, true},
        {"oidc:gitlab repo=group/*", gitlab, false},
        {"oidc:gitlab repo=group/sub/app ref=main", gitlab, false},
    };
    for (const Case& c : cases) {
        const auto subject = Subject::parse(c.subject);
        ASSERT_TRUE(subject) << subject.error().detail;
        EXPECT_EQ(subject->matches(c.who), c.matches) << c.subject << " and " << c.who.name;
    }
}

// The claim that `repo` stands for is the provider's own, not one that a job may name itself.
TEST(Subject, TakesRepoForTheProvidersClaimOnly) {
    const auto subject = Subject::parse("oidc:ci repo=org/app");
    ASSERT_TRUE(subject);
    EXPECT_FALSE(subject->matches(workload("ci", {{"repo", "org/app"}})));
    EXPECT_FALSE(subject->matches(
        workload("ci", {{"repository", "other/app"}, {"project_path", "org/app"}})));
}

TEST(Subject, TakesNoUsersOrAnonymousCallersForAWorkload) {
    const auto subject = Subject::parse("oidc:github repo=org/app");
    ASSERT_TRUE(subject);
    Identity who = workload("github", {{"repository", "org/app"}});
    EXPECT_TRUE(subject->matches(who));
    who.kind = Identity::Kind::user;
    EXPECT_FALSE(subject->matches(who));
    who.kind = Identity::Kind::oidc;
    who.name.clear();
    EXPECT_FALSE(subject->matches(who));
}

TEST(Subject, SaysWhatIsWrongWithConditions) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"oidc:", "names nobody"},
        {"oidc: repo=a", "names nobody"},
        {"oidc:github repo", "'repo' is no condition: write CLAIM=PATTERN"},
        {"oidc:github =x", "'=x' is no condition"},
        {"oidc:github repo=", "the pattern of 'repo': it is empty"},
        {"oidc:github workflow=Build and test", "'and' is no condition"},
        {"oidcs:github repo=x", "did you mean 'oidc:github repo=x'?"},
    };
    for (const auto& [text, says] : cases) {
        const auto subject = Subject::parse(text);
        ASSERT_FALSE(subject) << text;
        EXPECT_EQ(subject.error().code, Errc::invalid);
        EXPECT_THAT(subject.error().detail, HasSubstr(says));
    }
}

TEST(Subject, CoversOnlyWhatItCertainlyMatches) {
    struct Case {
        std::string_view wide, narrow;
        bool covers;
    };
    const std::vector<Case> cases{
        {"everyone", "anonymous", true},
        {"everyone", "oidc:x", true},
        {"authenticated", "user:a", true},
        {"authenticated", "robot:a", true},
        {"authenticated", "oidc:x", false},
        {"authenticated", "group:g", false},
        {"authenticated", "everyone", false},
        {"user:a", "user:a", true},
        {"user:a", "robot:a", false},
        {"user:a", "user:b", false},
        {"oidc:x", "oidc:x repo=a/b", true},
        {"oidc:x repo=a/b", "oidc:x", false},
        {"oidc:x repo=a/**", "oidc:x ref=main repo=a/b", true},
        {"oidc:x repo=a/b", "oidc:x repo=a/**", false},
        {"oidc:x repo=a/**", "oidc:y repo=a/b", false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(Subject::parse(c.wide)->covers(*Subject::parse(c.narrow)), c.covers)
            << c.wide << " and " << c.narrow;
    }
}

}  // namespace
}  // namespace berth::auth
