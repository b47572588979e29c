// Apache's AuthLDAPURL: what each form means, and what is refused.
#include <gtest/gtest.h>

#include "auth/ldap/directory.h"

namespace berth::auth {
namespace {

using Scope = LdapUrl::Scope;

struct Reading {
    std::string text;
    std::vector<std::string> servers;
    std::string base;
    std::string attribute = "uid";
    Scope scope = Scope::subtree;
    std::string filter = "(objectClass=*)";
};

TEST(LdapUrl, ReadsEachForm) {
    const std::vector<Reading> readings{
        {"ldap://dir/dc=example", {"ldap://dir:389"}, "dc=example"},
        {"ldaps://dir/dc=example", {"ldaps://dir:636"}, "dc=example"},
        {"LDAP://dir:1389/dc=example", {"ldap://dir:1389"}, "dc=example"},
        {"ldap://one two:1389 three/o=x",
         {"ldap://one:389", "ldap://two:1389", "ldap://three:389"},
         "o=x"},
        {"ldaps://one  two/o=x", {"ldaps://one:636", "ldaps://two:636"}, "o=x"},
        {"ldap://[::1]/o=x", {"ldap://[::1]:389"}, "o=x"},
        {"ldap://[fe80::1]:1389 10.0.0.1/o=x",
         {"ldap://[fe80::1]:1389", "ldap://10.0.0.1:389"},
         "o=x"},
        {"ldap://dir", {"ldap://dir:389"}, ""},
        {"ldap://dir/", {"ldap://dir:389"}, ""},
        {"ldap://dir/??sub", {"ldap://dir:389"}, ""},
        {"ldap://dir/ou=People, o=Company?cn", {"ldap://dir:389"}, "ou=People, o=Company", "cn"},
        {"ldap://dir/ou=A%20B%2co=x?mail?one",
         {"ldap://dir:389"},
         "ou=A B,o=x",
         "mail",
         Scope::one},
        {"ldap://dir/o=x?sAMAccountName?ONE?(objectClass=user)",
         {"ldap://dir:389"},
         "o=x",
         "sAMAccountName",
         Scope::one,
         "(objectClass=user)"},
        {"ldap://dir/o=x?mail,cn?sub?objectClass=person",
         {"ldap://dir:389"},
         "o=x",
         "mail",
         Scope::subtree,
         "(objectClass=person)"},
        {"ldap://dir/o=x??"
         "?(%26(a=1)(!(b=%3f)))",
         {"ldap://dir:389"},
         "o=x",
         "uid",
         Scope::subtree,
         "(&(a=1)(!(b=?)))"},
    };
    for (const Reading& reading : readings) {
        const auto url = LdapUrl::parse(reading.text);
        ASSERT_TRUE(url) << reading.text << ": " << url.error().detail;
        EXPECT_EQ(url->servers, reading.servers) << reading.text;
        EXPECT_EQ(url->base, reading.base) << reading.text;
        EXPECT_EQ(url->attribute, reading.attribute) << reading.text;
        EXPECT_EQ(url->scope, reading.scope) << reading.text;
        EXPECT_EQ(url->filter, reading.filter) << reading.text;
    }
}

TEST(LdapUrl, RefusesWhatIsWrong) {
    const std::vector<std::string> texts{
        "",
        "ldap",
        "ldap:",
        "ldap:/dir/o=x",
        "http://dir/o=x",
        "ldapi://%2ftmp%2fsocket/o=x",
        "ldap:///o=x",
        "ldap:// /o=x",
        "ldap://dir:/o=x",
        "ldap://dir:0/o=x",
        "ldap://dir:65536/o=x",
        "ldap://dir:+389/o=x",
        "ldap://dir:389x/o=x",
        "ldap://a,b/o=x",
        "ldap://user@dir/o=x",
        "ldap://dir?uid",
        "ldap://::1/o=x",
        "ldap://[::1/o=x",
        "ldap://[]/o=x",
        "ldap://[dir]/o=x",
        "ldap://one ldap://two/o=x",
        "ldap://dir/people",
        "ldap://dir/o=%zz",
        "ldap://dir/o=x%00",
        "ldap://dir/o=x?u id",
        "ldap://dir/o=x?uid)(a",
        "ldap://dir/o=x?,uid",
        "ldap://dir/o=x?uid?base",
        "ldap://dir/o=x?uid?tree",
        "ldap://dir/o=x?uid?sub?(a=1",
        "ldap://dir/o=x?uid?sub?a=1)(b=2",
        "ldap://dir/o=x?uid?sub?(a=1)(b=2)",
        "ldap://dir/o=x?uid?sub?(a=1)?x=y",
        "ldap://dir/o=x\n",
        std::string("ldap://dir/o=x\0", 15),
        "ldap://1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17/o=x",
        "ldap://dir/o=" + std::string(10'000, 'x'),
    };
    for (const std::string& text : texts) {
        const auto url = LdapUrl::parse(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::invalid) << text;
        EXPECT_TRUE(url.error().detail.contains("expected ldap[s]://")) << url.error().detail;
    }
}

}  // namespace
}  // namespace berth::auth
