// Goal: patterns match what a reader of docs/security.md expects. Method: tables, and a comparison
// with a matcher that tries everything on all short texts.
#include "auth/policy/glob.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth::auth {
namespace {

struct Case {
    std::string_view pattern, text;
    bool matches;
    std::string_view user = "alice";
};

std::string shown(const Case& c) {
    return std::string(c.pattern) + " on " + std::string(c.text) + " for " + std::string(c.user);
}

TEST(Glob, MatchesRepositories) {
    const std::vector<Case> cases{
        {"team/app", "team/app", true},
        {"team/app", "team/apps", false},
        {"team/app", "team/ap", false},
        {"team/app", "a/team/app", false},
        {"*", "app", true},
        {"*", "team/app", false},
        {"team/*", "team/app", true},
        {"team/*", "team/app/x", false},
        {"team/*", "team", false},
        {"*/app", "team/app", true},
        {"*/app", "a/team/app", false},
        {"team-*/app", "team-a/app", true},
        {"team-*/app", "team-/app", true},
        {"team-*/app", "team/app", false},
        {"a*b*c", "axxbyybzc", true},
        {"a*b*c", "axxbyybz", false},
        {"**", "app", true},
        {"**", "a/b/c", true},
        {"prod/**", "prod/a", true},
        {"prod/**", "prod/a/b", true},
        {"prod/**", "prod", false},
        {"prod/**", "production/a", false},
        {"**/app", "app", true},
        {"**/app", "team/app", true},
        {"**/app", "a/b/app", true},
        {"**/app", "a/myapp", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "ab", false},
        {"a/**/b", "a/xb", false},
        {"a**", "a/b/c", true},
        {"a**", "abc", true},
        {"a**", "b/a", false},
        {"**/x/*", "x/b", true},
        {"**/x/*", "a/x/x/b", true},
        {"**/x/*", "x/b/c", false},
        {"**/x/**/y", "a/x/b/x/y", true},
        {"people/{user}/**", "people/alice/app", true},
        {"people/{user}/**", "people/bob/app", false},
        {"people/{user}/**", "people/alicea/app", false},
        {"{user}", "alice", true},
        {"x-{user}-y", "x-alice-y", true},
    };
    for (const Case& c : cases) {
        const auto glob = Glob::parse_repository(c.pattern);
        ASSERT_TRUE(glob) << c.pattern << ": " << glob.error().detail;
        EXPECT_EQ(glob->matches(c.text, c.user), c.matches) << shown(c);
    }
}

// A name with a slash or a star must not reach into what belongs to others.
TEST(Glob, TakesOnlyPathComponentsForTheUser) {
    const std::vector<Case> cases{
        {"people/{user}/**", "people/a.b/app", true, "a.b"},
        {"people/{user}/**", "people/a__b-c/app", true, "a__b-c"},
        {"people/{user}/**", "people/a--b/app", true, "a--b"},
        {"people/{user}/**", "people/alice/bob/app", false, "alice/bob"},
        {"people/{user}/**", "people/alice/app", false, "*"},
        {"people/{user}/**", "people/alice/app", false, "**"},
        {"people/{user}/**", "people//app", false, ""},
        {"{user}**", "alice", false, ""},
        {"people/{user}/**", "people/../app", false, ".."},
        {"people/{user}/**", "people/Alice/app", false, "Alice"},
        {"people/{user}/**", "people/a..b/app", false, "a..b"},
        {"people/{user}/**", "people/a___b/app", false, "a___b"},
        {"people/{user}/**", "people/a./app", false, "a."},
        {"people/{user}/**", "people/.a/app", false, ".a"},
        {"people/{user}/**", "people/-a/app", false, "-a"},
        {"people/{user}/**", "people/a_-b/app", false, "a_-b"},
    };
    for (const Case& c : cases)
        EXPECT_EQ(Glob::parse_repository(c.pattern)->matches(c.text, c.user), c.matches)
            << shown(c);
}

TEST(Glob, MatchesTags) {
    const std::vector<Case> cases{
        {"v*", "v1.0", true},       {"v*", "v", true},        {"v*", "1.0", false},
        {"latest", "latest", true}, {"*", "Any_tag-1", true}, {"*-rc*", "1.0-rc1", true},
        {"*-rc*", "1.0", false},    {"**", "x", true},
    };
    for (const Case& c : cases)
        EXPECT_EQ(Glob::parse_tag(c.pattern)->matches(c.text), c.matches) << shown(c);
}

TEST(Glob, RefusesPatternsThatMatchNothing) {
    for (const std::string_view pattern :
         {"", "/team", "team/", "a//b", "Team/*", "a?", "[ab]", "{users}", "{user", "a b", "a:b"}) {
        const auto glob = Glob::parse_repository(pattern);
        ASSERT_FALSE(glob) << pattern;
        EXPECT_EQ(glob.error().code, Errc::invalid);
        EXPECT_FALSE(glob.error().detail.empty());
    }
    for (const std::string_view pattern : {"", "a/b", "{user}", "v?", "v 1"})
        EXPECT_FALSE(Glob::parse_tag(pattern)) << pattern;
}

// Tries everything; `start` says whether `pattern` begins a component.
bool slow_match(std::string_view pattern, std::string_view text, bool start = true) {
    if (pattern.empty()) return text.empty();
    if (start && pattern.starts_with("**/")) {
        if (slow_match(pattern.substr(3), text)) return true;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '/' && slow_match(pattern.substr(3), text.substr(i + 1))) return true;
        }
        return false;
    }
    if (pattern[0] == '*') {
        const bool deep = pattern.starts_with("**");
        for (std::size_t i = 0; i <= text.size(); ++i) {
            if (slow_match(pattern.substr(deep ? 2 : 1), text.substr(i), false)) return true;
            if (i < text.size() && text[i] == '/' && !deep) return false;
        }
        return false;
    }
    return !text.empty() && text[0] == pattern[0] &&
           slow_match(pattern.substr(1), text.substr(1), pattern[0] == '/');
}

std::vector<std::string> words(std::string_view alphabet, std::size_t length_max) {
    std::vector<std::string> all{""};
    for (std::size_t first = 0, length = 0; length < length_max; ++length) {
        const std::size_t end = all.size();
        for (; first < end; ++first)
            for (const char c : alphabet)
                all.push_back(all[first] + c);
    }
    return all;
}

TEST(Glob, AgreesWithTryingEverything) {
    const std::vector<std::string> texts = words("ab/", 5);
    for (const std::string& pattern : words("a/*", 6)) {
        const auto glob = Glob::parse_repository(pattern);
        if (!glob) continue;
        for (const std::string& text : texts)
            ASSERT_EQ(glob->matches(text), slow_match(pattern, text)) << pattern << " on " << text;
    }
}

TEST(Glob, IsQuickOnTheWorstPattern) {
    std::string pattern, text(255, 'a');
    for (int i = 0; i < 100; ++i)
        pattern += "**a";
    // Trying everything would not end.
    EXPECT_FALSE(Glob::parse_repository(pattern + "b")->matches(text));
}

TEST(Glob, MatchesTextsOfAnyCharacters) {
    const std::vector<Case> cases{
        {"refs/heads/main", "refs/heads/main", true},
        {"refs/heads/*", "refs/heads/Main", true},
        {"refs/heads/*", "refs/heads/a/b", false},
        {"refs/**", "refs/heads/a/b", true},
        {"Org/*", "Org/My App", true},
        {"Org/*", "org/app", false},
        {"{user}", "{user}", true},
        {"{user}", "alice", false},
        {"system:*:ci", "system:build:ci", true},
        {"*", "", true},
        {"a b", "a b", true},
        {"?", "a", false},
    };
    for (const Case& c : cases) {
        const auto glob = Glob::parse_text(c.pattern);
        ASSERT_TRUE(glob) << c.pattern;
        EXPECT_EQ(glob->matches(c.text, c.user), c.matches) << shown(c);
    }
    EXPECT_FALSE(Glob::parse_text(""));
}

TEST(Glob, KnowsHowItsTextsStartAndEnd) {
    struct Ends {
        std::string_view pattern, prefix, suffix;
        bool literal;
    };
    const std::vector<Ends> cases{
        {"team/app", "team/app", "team/app", true},
        {"team/*", "team/", "", false},
        {"**/app", "", "app", false},
        {"a/**/b", "a/", "b", false},
        {"people/{user}/x", "people/", "/x", false},
        {"**", "", "", false},
    };
    for (const Ends& c : cases) {
        const auto glob = Glob::parse_repository(c.pattern);
        ASSERT_TRUE(glob) << c.pattern;
        EXPECT_EQ(glob->prefix(), c.prefix) << c.pattern;
        EXPECT_EQ(glob->suffix(), c.suffix) << c.pattern;
        EXPECT_EQ(glob->literal(), c.literal) << c.pattern;
    }
}

TEST(Glob, CoversNothingThatItDoesNotMatch) {
    const std::vector<std::string_view> patterns{
        "a",   "a/b", "a/*",    "a/**",   "**",        "*",        "**/b",  "a/**/b", "a*",
        "a**", "*b",  "a/b/**", "{user}", "{user}/**", "a/{user}", "**/**", "*/**",   "ab/**"};
    const std::vector<std::string_view> texts{"a",   "b",   "a/b", "a/a",   "a/b/c", "ab",
                                              "a/x", "b/b", "x/b", "a/b/b", "ab/c",  "x"};
    int covered = 0;
    for (const auto wide : patterns) {
        for (const auto narrow : patterns) {
            const auto a = Glob::parse_repository(wide), b = Glob::parse_repository(narrow);
            ASSERT_TRUE(a && b);
            if (!a->covers(*b)) continue;
            ++covered;
            for (const auto text : texts) {
                for (const auto user : {"a", "b", "x"})
                    EXPECT_TRUE(a->matches(text, user) || !b->matches(text, user))
                        << wide << " and " << narrow << " on " << text << " for " << user;
            }
        }
    }
    EXPECT_GT(covered, 30);
}

}  // namespace
}  // namespace berth::auth
