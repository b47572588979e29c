// Goal: paths and expressions of <Location> are about the repositories they name, or not
// understood. Method: tables.
#include "migrate/scope.h"

#include <gtest/gtest.h>

namespace berth::migrate {
namespace {

std::string shown(const Scope& scope) {
    if (scope.kind == Scope::Kind::everything) return "everything";
    if (scope.kind == Scope::Kind::nothing) return "nothing";
    if (scope.kind == Scope::Kind::unknown) return "unknown";
    std::string text = scope.catalog ? "catalog " : "";
    for (const auto& prefix : scope.repositories) {
        for (const auto& pattern : prefix.patterns())
            text += pattern + " ";
    }
    return text;
}

TEST(Scope, OfPaths) {
    const std::pair<const char*, const char*> kCases[] = {
        {"/", "everything"},
        {"/v2", "everything"},
        {"/v2/", "everything"},
        {"/v1", "nothing"},
        {"/v", "nothing"},
        {"/v2x", "nothing"},
        {"/v2/team", "team team/** "},
        {"/v2/team/", "team team/** "},
        {"/v2/team/app", "team/app team/app/** "},
        {"/v2/_catalog", "catalog "},
        {"/v2/Team", "nothing"},
        {"/v2/team/manifests", "unknown"},
        {"/v2/team/manifests/latest", "unknown"},
        {"/v2/*/app", "unknown"},
        {"v2", "unknown"},
        {"", "unknown"},
        {"/server-status", "nothing"},
    };
    for (const auto& [path, scope] : kCases)
        EXPECT_EQ(shown(scope_of_path(path, "/")), scope) << path;
    EXPECT_EQ(shown(scope_of_path("/hub/v2/a", "/hub/")), "a a/** ");
    EXPECT_EQ(shown(scope_of_path("/hub", "/hub/")), "everything");
    EXPECT_EQ(shown(scope_of_path("/v2/a", "/hub/")), "nothing");
}

TEST(Scope, OfExpressions) {
    const std::pair<const char*, const char*> kCases[] = {
        {"^/", "everything"},
        {"^/v2", "everything"},
        {"^/v2/", "everything"},
        {"^/v2/.*", "everything"},
        {"^/v2(/|$)", "everything"},
        {"^/v2/$", "nothing"},
        {"^/v2/?$", "nothing"},
        {"^/v2/team/", "team team/** "},
        {"^/v2/team/.*$", "team team/** "},
        {"^/v2/team(/.*)?$", "team team/** "},
        {"^/v2/team", "team** "},
        {"^/v2/team-", "team-** "},
        {"^/v2/(a|b/c)/", "a a/** b/c b/c/** "},
        {"^/v2/(?:a|b)/", "a a/** b b/** "},
        {"^/v2/a\\.b/", "a.b a.b/** "},
        {"^/v2/[^/]+/public/", "*/public */public/** "},
        {"^/v2/_catalog$", "catalog "},
        {"^/v2/_catalog", "catalog "},
        {"^/(v1|v2)/", "everything"},
        {"^/v1/", "nothing"},
        {"/v2/team/", "unknown"},
        {"^/v2/team[0-9]/", "unknown"},
        {"^/v2/team.x/", "unknown"},
        {"^/v2/te[^/]+/", "unknown"},
        {"^/v2/[^/]+", "unknown"},
        {"^/[^/]+/team/", "unknown"},
        {"^/v2/a|^/v2/b", "unknown"},
        {"^/v2/(a|b)?/", "unknown"},
        {"^/v2/ab?/", "unknown"},
        {"^/v2/.*/manifests/", "unknown"},
        {"^/v2/team/manifests/", "unknown"},
        {"^/v2/team/$", "unknown"},
        {"(?i)^/v2/", "unknown"},
        {"^/v2/(a", "unknown"},
        {"^/v2/a\\", "unknown"},
        {"", "unknown"},
    };
    for (const auto& [expression, scope] : kCases)
        EXPECT_EQ(shown(scope_of_expression(expression, "/")), scope) << expression;
}

TEST(Scope, KnowsHowPrefixesLie) {
    const RepositoryPrefix team{"team", true}, app{"team/app", true}, start{"tea", false},
        other{"other", true}, star{"*/app", true}, team_start{"team", false};
    EXPECT_EQ(relation(team, team), Relation::equal);
    EXPECT_EQ(relation(app, team), Relation::inside);
    EXPECT_EQ(relation(team, app), Relation::around);
    EXPECT_EQ(relation(team, start), Relation::inside);
    EXPECT_EQ(relation(team, team_start), Relation::inside);
    EXPECT_EQ(relation(team_start, team), Relation::around);
    EXPECT_EQ(relation(team, other), Relation::apart);
    EXPECT_EQ(relation(team, star), Relation::unknown);
    EXPECT_EQ(relation({"b/*/x", true}, {"a/*/x", true}), Relation::apart);
}

}  // namespace
}  // namespace berth::migrate
