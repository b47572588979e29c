// Escaping of what users type, and the grammars of filters, attributes and names.
#include "auth/ldap/escape.h"

#include <gtest/gtest.h>

namespace berth::auth {
namespace {

using namespace std::string_literals;

TEST(EscapeFilterValue, EscapesWhatHasAMeaning) {
    const std::pair<std::string, std::string> rows[] = {
        {"", ""},
        {"alice", "alice"},
        {"*", "\\2a"},
        {"a)(uid=*", "a\\29\\28uid=\\2a"},
        {"back\\slash", "back\\5cslash"},
        {"nul\0"s, "nul\\00"},
        {"line\nend\x7f", "line\\0aend\\7f"},
        {"jörg & co|!", "jörg & co|!"},
    };
    for (const auto& [value, text] : rows) {
        EXPECT_EQ(escape_filter_value(value), text);
        EXPECT_EQ(unescape_filter_value(text), value);
    }
}

TEST(EscapeFilterValue, OfEachByteComesBack) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte)
        all += static_cast<char>(byte);
    EXPECT_EQ(unescape_filter_value(escape_filter_value(all)), all);
    EXPECT_TRUE(is_filter("(uid=" + escape_filter_value(all) + ")"));
}

TEST(UnescapeFilterValue, RefusesWhatIsNoValue) {
    for (const auto& text : {"*"s, "("s, ")"s, "\\"s, "\\2"s, "\\zz"s, "a\0"s, "\\2a*"s}) {
        EXPECT_EQ(unescape_filter_value(text), std::nullopt) << text;
    }
}

TEST(IsFilter, KnowsTheGrammar) {
    for (const char* text :
         {"(a=b)", "(a=*)", "(a=)", "(a=b*c*d)", "(a>=1)", "(a<=1)", "(a~=b)", "(&(a=b))",
          "(|(a=b)(c=d))", "(!(a=b))", "(&(a=b)(!(|(c=d)(e=\\2a))))", "(1.2.3=x)", "(a;x-y=b)",
          "(member:1.2.840.113556.1.4.1941:=cn=x)", "(cn:dn:=x)", "(a=b c)", "(a=jörg)"}) {
        EXPECT_TRUE(is_filter(text)) << text;
    }
    for (const char* text :
         {"",        "a=b",         "(a=b",     "a=b)",          "((a=b))", "(a=b)(c=d)",
          "()",      "(&)",         "(!)",      "(!(a=b)(c=d))", "(a)",     "(=b)",
          "(a b=c)", "(&(a=b)c=d)", "(&a=b)",   "(a=\\)",        "(a=\\x)", "(a=b(c)",
          "(a=b)x",  "(a:1.2.3=x)", "(1..2=x)", "(1.=x)"}) {
        EXPECT_FALSE(is_filter(text)) << text;
    }
}

TEST(IsFilter, RefusesWhatIsTooDeep) {
    const auto nested = [](int depth) {
        std::string text = "(a=b)";
        for (int i = 1; i < depth; ++i)
            text = "(!" + text + ")";
        return text;
    };
    EXPECT_TRUE(is_filter(nested(32)));
    EXPECT_FALSE(is_filter(nested(33)));
    EXPECT_FALSE(is_filter(std::string(100'000, '(')));
}

TEST(EscapeDnValue, ComesBackAsOneValue) {
    for (const auto& value :
         {"alice"s, "o'brien, jr"s, " edges "s, "#hash"s, "a+b"s, "a=b"s, "\"quoted\""s, "<a;b>"s,
          "back\\slash"s, "*"s, "a)(uid=*"s, "jörg müller"s, "x,dc=example"s, " "s, "line\n"s}) {
        const std::string dn = "uid=" + escape_dn_value(value) + ",dc=example";
        const auto rdn = first_rdn(dn);
        ASSERT_TRUE(rdn) << dn;
        EXPECT_EQ(rdn->attribute, "uid");
        EXPECT_EQ(rdn->value, value);
        EXPECT_EQ(first_rdn(dn.substr(dn.rfind(',') + 1))->value, "example");
    }
}

TEST(FirstRdn, ReadsTheFirstPart) {
    EXPECT_EQ(first_rdn("cn=admins,ou=groups,dc=example")->value, "admins");
    EXPECT_EQ(first_rdn("CN=Domain Users + ou=x,dc=example")->value, "Domain Users");
    EXPECT_EQ(first_rdn("cn=a\\2Cb,dc=example")->value, "a,b");
    for (const auto& text : {""s, "admins"s, "cn"s, "cn=a,b"s, "=a"s, "cn=a\0,dc=b"s}) {
        EXPECT_FALSE(first_rdn(text)) << text;
    }
}

}  // namespace
}  // namespace berth::auth
