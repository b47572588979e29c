// Goal: the linter names what certainly has no effect, and nothing else. Method: small policies
// with one flaw each, their twins without it, and random policies in which a rule that is said to
// do nothing must not decide anything.
#include "auth/policy/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "support/policy_maker.h"

namespace berth::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNow = Time{} + std::chrono::hours(1000);

Rule allow(std::string name, std::vector<std::string> subjects, std::vector<std::string> actions,
           std::vector<std::string> repositories = {}, std::vector<std::string> tags = {}) {
    return {std::move(name),    Effect::allow,           std::move(subjects),
            std::move(actions), std::move(repositories), std::move(tags)};
}

Rule deny(Rule rule) {
    rule.effect = Effect::deny;
    return rule;
}

std::vector<std::string> said(const std::vector<Rule>& rules, LintContext context = {kNow}) {
    std::vector<std::string> texts;
    for (const Finding& finding : lint(rules, context))
        texts.push_back(finding.rule + ": " + finding.text);
    return texts;
}

TEST(Lint, IsSilentAboutTheExampleOfTheDocumentation) {
    EXPECT_THAT(
        said({
            allow("everyone pulls", {"authenticated"}, {"pull"}),
            allow("CI pushes", {"user:jenkins"}, {"pull", "push", "delete"}, {"**"}),
            allow("own space", {"authenticated"}, {"pull", "push", "delete"}, {"people/{user}/**"}),
            deny(allow("releases are final", {"everyone"}, {"overwrite"}, {"prod/**"}, {"v*"})),
        }),
        IsEmpty());
}

TEST(Lint, NamesRulesThatNeverApply) {
    Rule expired = allow("r", {"everyone"}, {"pull"});
    expired.expires = kNow;
    EXPECT_THAT(said({expired}), ElementsAre(HasSubstr("r: it has expired (1970-02-11T16:00")));
    expired.expires = kNow + std::chrono::seconds(1);
    EXPECT_THAT(said({expired}), IsEmpty());

    const auto about = [](std::vector<std::string> repositories, std::vector<std::string> tags) {
        return allow("r", {"everyone"}, {"pull"}, std::move(repositories), std::move(tags));
    };
    for (const std::string impossible : {"-a", "a-", "a..b", "a/.b", "-a/**", "a-/*", "a._b/*"}) {
        EXPECT_THAT(said({about({impossible}, {})}),
                    ElementsAre("r: no repository can have a name that fits its repositories"))
            << impossible;
        EXPECT_THAT(said({about({impossible, "b"}, {})}),
                    ElementsAre("r: no repository can have a name that fits '" + impossible + "'"))
            << impossible;
    }
    for (const std::string possible : {"a", "a-b", "a__b", "a-*", "*-a", "{user}-x/**", "a.*/b"})
        EXPECT_THAT(said({about({possible}, {})}), IsEmpty()) << possible;
    for (const std::string impossible : {"-a", ".x", ".*", "-*"}) {
        EXPECT_THAT(said({about({}, {impossible})}),
                    ElementsAre("r: no tag can have a name that fits its tags"))
            << impossible;
    }
    EXPECT_THAT(said({about({}, {"v*", "_a", "*.x"})}), IsEmpty());

    EXPECT_THAT(said({allow("r", {"everyone"}, {"admin"}, {"team/**"})}),
                ElementsAre(HasSubstr("about the registry as a whole")));
    EXPECT_THAT(said({deny(allow("r", {"everyone"}, {"catalog"}, {}, {"v*"}))}),
                ElementsAre(HasSubstr("about the registry as a whole")));
    EXPECT_THAT(said({allow("r", {"everyone"}, {"catalog"}, {"team/**"})}), IsEmpty());
}

TEST(Lint, NamesSubjectsThatNobodyIs) {
    LintContext context{kNow, true, false, {{"dev"}}, {{"github"}}};
    const auto by = [](std::vector<std::string> subjects) {
        return allow("r", std::move(subjects), {"pull"});
    };
    EXPECT_THAT(said({by({"user:a"})}, context), IsEmpty());
    EXPECT_THAT(said({by({"group:dev"})}, context), IsEmpty());
    EXPECT_THAT(said({by({"oidc:github repo=a/b"})}, context), IsEmpty());
    EXPECT_THAT(said({by({"user:a", "group:ops"})}, context),
                ElementsAre("r: nobody who can log in is 'group:ops'"));
    EXPECT_THAT(said({by({"robot:a", "oidc:gitlab"})}, context),
                ElementsAre("r: nobody who can log in is one of its subjects"));
    context = {kNow, false, false};
    EXPECT_THAT(said({by({"authenticated"})}, context), SizeIs(1));
    EXPECT_THAT(said({by({"anonymous"}), by({"everyone"})}, context),
                ElementsAre(HasSubstr("several rules of this name")));
    EXPECT_THAT(said({by({"group:unknown", "robot:x", "oidc:any"})}), IsEmpty());
}

TEST(Lint, NamesClaimsThatAreMisspelt) {
    EXPECT_THAT(
        said({allow("r", {"oidc:github repositry=a/b", "oidc:github repo=x mine=y"}, {"pull"})}),
        ElementsAre("r: does it mean the claim 'repository' by 'repositry'?"));
}

TEST(Lint, NamesNamesThatAreUsedTwice) {
    EXPECT_THAT(said({allow("r", {"user:a"}, {"pull"}), allow("r", {"user:b"}, {"pull"}),
                      allow("r", {"user:c"}, {"pull"})}),
                ElementsAre(HasSubstr("r: there are several rules of this name")));
}

TEST(Lint, NamesRulesThatOthersLeaveNothingTo) {
    struct Case {
        Rule first, second;
        std::string_view says;  // of the second; empty: nothing
    };
    const auto wide = [](std::vector<std::string> repositories,
                         std::vector<std::string> tags = {}) {
        return allow("wide", {"authenticated"}, {"pull", "push"}, std::move(repositories),
                     std::move(tags));
    };
    const auto narrow = [](std::vector<std::string> repositories,
                           std::vector<std::string> tags = {}) {
        return allow("narrow", {"user:a"}, {"pull"}, std::move(repositories), std::move(tags));
    };
    const std::string nothing = "changes nothing: the rule 'wide'";
    const std::string forbidden = "allows nothing: the rule 'wide' forbids";
    const std::vector<Case> cases{
        {wide({}), narrow({"a/b"}), nothing},
        {wide({"a/**"}), narrow({"a/b"}), nothing},
        {wide({"a/**"}), narrow({"a/b/**", "a/*/x"}), nothing},
        {wide({"a/**"}), narrow({"a/b", "b"}), ""},
        {wide({"a/**"}), narrow({}), ""},
        {wide({"**"}), narrow({}), nothing},
        {wide({"a/*"}), narrow({"a/**"}), ""},
        {wide({"a/*"}), narrow({"a/b"}), nothing},
        {wide({"a/{user}"}), narrow({"a/a"}), ""},
        {wide({}, {"v*"}), narrow({}, {"v1"}), nothing},
        {wide({}, {"v*"}), narrow({}, {"latest"}), ""},
        {wide({}, {"v*"}), narrow({}), ""},
        {wide({}), allow("narrow", {"user:a"}, {"delete"}), ""},
        {wide({}), allow("narrow", {"user:a", "anonymous"}, {"pull"}), ""},
        {wide({}), allow("narrow", {"oidc:github"}, {"pull"}), ""},
        {narrow({"a/b"}), wide({}), ""},
        {deny(wide({"a/**"})), narrow({"a/b"}), forbidden},
        {deny(wide({"a/**"}, {"v*"})), narrow({"a/b"}, {"v1"}), ""},
        {wide({}), deny(narrow({"a/b"})), ""},
        {deny(wide({})), deny(narrow({"a/b"})), nothing},
        {deny(allow("wide", {"everyone"}, {"catalog", "pull"}, {"a/**"})),
         allow("narrow", {"user:a"}, {"catalog"}, {"a/b"}), ""},
        {deny(allow("wide", {"everyone"}, {"delete"}, {}, {"v*"})),
         allow("narrow", {"user:a"}, {"delete"}, {}, {"v1"}), forbidden},
    };
    for (const Case& c : cases) {
        const auto texts = said({c.first, c.second});
        if (c.says.empty()) {
            EXPECT_THAT(texts, IsEmpty());
        } else {
            EXPECT_THAT(texts, ElementsAre(HasSubstr("narrow: it " + std::string(c.says))));
        }
    }
    // A rule that denies forbids wherever it stands.
    EXPECT_THAT(said({narrow({"a/b"}), deny(wide({}))}),
                ElementsAre(HasSubstr("narrow: it " + forbidden)));
}

TEST(Lint, DoesNotCountOnWhatEndsOrIsElsewhere) {
    Rule wide = allow("wide", {"everyone"}, {"pull"});
    Rule narrow = allow("narrow", {"user:a"}, {"pull"});
    wide.expires = kNow + std::chrono::hours(1);
    EXPECT_THAT(said({wide, narrow}), IsEmpty());
    narrow.expires = kNow + std::chrono::hours(2);
    EXPECT_THAT(said({wide, narrow}), IsEmpty());
    narrow.expires = wide.expires;
    EXPECT_THAT(said({wide, narrow}), SizeIs(1));
    wide.addresses = {"10.0.0.0/8"};
    EXPECT_THAT(said({wide, narrow}), IsEmpty());
    narrow.addresses = {"192.0.2.1"};
    EXPECT_THAT(said({wide, narrow}), IsEmpty());
    narrow.addresses = wide.addresses;
    EXPECT_THAT(said({wide, narrow}), SizeIs(1));
}

TEST(Lint, IsRightAboutRandomPolicies) {
    constexpr unsigned kSeeds = 1000;
    constexpr int kRequestsOfPolicy = 60;
    std::size_t findings = 0;
    for (unsigned seed = 0; seed < kSeeds; ++seed) {
        std::mt19937 random(seed);
        PolicyMaker make([&random](std::size_t n) { return random() % n; });
        std::vector<Rule> rules = make.rules(8);
        for (std::size_t i = 0; i < rules.size(); ++i)
            rules[i].name = std::to_string(i);
        const auto policy = Policy::compile(rules);
        ASSERT_TRUE(policy);
        const auto found = lint(rules, {});
        for (int i = 0; i < kRequestsOfPolicy; ++i) {
            const Identity who = make.identity();
            MadeRequest made = make.request();
            made.at = Time{} + std::chrono::seconds(1);
            const Decision decision = policy->decide(who, made.request());
            for (const Finding& finding : found) {
                const bool sure = finding.text.starts_with("it ");
                ASSERT_FALSE(sure && finding.rule == decision.rule)
                    << "seed " << seed << ": " << finding.rule << ": " << finding.text;
                findings += sure ? 1 : 0;
            }
        }
    }
    EXPECT_GT(findings, 1000u);
}

}  // namespace
}  // namespace berth::auth
