// The walk from a user to all groups, over a directory that is a table.
#include "auth/ldap/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace berth::auth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Groups by their distinguished name, with the members of each, and what was asked.
struct Table {
    std::map<std::string, std::vector<std::string>> groups;
    std::vector<LdapSearch> asked = {};

    LdapAsk ask() {
        return [this](const LdapSearch& search) -> Result<std::vector<LdapEntry>> {
            asked.push_back(search);
            std::vector<LdapEntry> found;
            for (const auto& [dn, members] : groups) {
                const bool here = std::ranges::any_of(members, [&search](const auto& member) {
                    return search.filter.contains(
                        (member.contains('=') ? "(member=" : "(memberUid=") + member + ")");
                });
                if (here) found.push_back({dn, {{"cn", {dn.substr(3)}}}});
            }
            return found;
        };
    }
};

const LdapEntry kAlice{"uid=alice", {{"uid", {"alice"}}}};

LdapOptions::Groups by_search(std::size_t depth) {
    LdapOptions::Groups options;
    options.base = "ou=groups";
    options.member_attributes = {"member", "memberUid"};
    options.depth = depth;
    return options;
}

TEST(GroupsOf, AsksNothingWhereNothingIsConfigured) {
    Table table{{{"cn=devs", {"uid=alice"}}}};
    EXPECT_THAT(*groups_of(kAlice, "alice", {}, table.ask()), IsEmpty());
    EXPECT_THAT(table.asked, IsEmpty());
}

TEST(GroupsOf, FindsDirectGroupsByBothKindsOfMembers) {
    Table table{{{"cn=devs", {"uid=alice"}}, {"cn=posix", {"alice"}}, {"cn=no", {"uid=bob"}}}};
    EXPECT_THAT(*groups_of(kAlice, "alice", by_search(0), table.ask()),
                ElementsAre("devs", "posix"));
    ASSERT_EQ(table.asked.size(), 1U);
    EXPECT_EQ(table.asked[0].filter,
              "(&" + by_search(0).filter + "(|(member=uid=alice)(memberUid=alice)))");
}

TEST(GroupsOf, ANameThatLooksLikeADistinguishedNameIsNoMember) {
    Table table{{{"cn=admins", {"cn=boss"}}}};
    const LdapEntry user{"uid=x", {{"uid", {"cn=boss"}}}};
    EXPECT_THAT(*groups_of(user, "cn=boss", by_search(3), table.ask()), IsEmpty());
}

TEST(GroupsOf, GoesUpAsFarAsTheDepthSays) {
    Table table{{{"cn=a", {"uid=alice"}}, {"cn=b", {"cn=a"}}, {"cn=c", {"cn=b"}}}};
    EXPECT_THAT(*groups_of(kAlice, "", by_search(0), table.ask()), ElementsAre("a"));
    EXPECT_THAT(*groups_of(kAlice, "", by_search(1), table.ask()), ElementsAre("a", "b"));
    EXPECT_THAT(*groups_of(kAlice, "", by_search(9), table.ask()), ElementsAre("a", "b", "c"));
}

TEST(GroupsOf, EndsInACycle) {
    Table table{{{"cn=a", {"uid=alice", "cn=b"}}, {"cn=b", {"cn=a", "cn=b"}}}};
    EXPECT_THAT(*groups_of(kAlice, "", by_search(1000), table.ask()), ElementsAre("a", "b"));
    EXPECT_EQ(table.asked.size(), 3U);
}

TEST(GroupsOf, AsksForManyGroupsAtOnce) {
    Table table;
    for (int i = 0; i < 120; ++i)
        table.groups["cn=g" + std::to_string(i)] = {"uid=alice"};
    EXPECT_EQ(groups_of(kAlice, "", by_search(5), table.ask())->size(), 120U);
    EXPECT_EQ(table.asked.size(), 1U + 3U);
}

TEST(GroupsOf, MoreGroupsThanTheLimitIsAnError) {
    LdapOptions::Groups options;
    options.own_attribute = "memberOf";
    LdapEntry user{"uid=x", {{"memberOf", {}}}};
    Table table;
    for (int i = 0; i < 2000; ++i) {
        user.attributes[0].values.push_back("group " + std::to_string(i));
    }
    EXPECT_EQ(groups_of(user, "", options, table.ask())->size(), 2000U);
    user.attributes[0].values.push_back("one more");
    EXPECT_EQ(groups_of(user, "", options, table.ask()).error().code, Errc::too_large);
}

TEST(GroupsOf, AnErrorIsAnError) {
    const LdapAsk broken = [](const LdapSearch&) -> Result<std::vector<LdapEntry>> {
        return fail(Errc::unavailable, "gone");
    };
    EXPECT_EQ(groups_of(kAlice, "", by_search(5), broken).error().code, Errc::unavailable);
}

TEST(GroupsOf, ReadsTheOwnAttributeOfTheUserAndOfItsGroups) {
    LdapOptions::Groups options;
    options.own_attribute = "memberOf";
    const LdapEntry user{"uid=x", {{"memberof", {"cn=Devs,ou=g", "plain name"}}}};
    std::vector<std::string> read;
    const LdapAsk ask = [&read](const LdapSearch& search) -> Result<std::vector<LdapEntry>> {
        read.push_back(search.base);
        EXPECT_EQ(search.scope, LdapSearch::Scope::base);
        if (search.base != "cn=Devs,ou=g") return std::vector<LdapEntry>();
        return std::vector<LdapEntry>{{search.base, {{"memberOf", {"cn=all,ou=g"}}}}};
    };
    EXPECT_THAT(*groups_of(user, "", options, ask), ElementsAre("Devs", "all", "plain name"));
    EXPECT_THAT(read, ElementsAre("cn=Devs,ou=g", "cn=all,ou=g"));
}

}  // namespace
}  // namespace berth::auth
