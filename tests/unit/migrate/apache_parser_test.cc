// Goal: the grammar is Apache's. Method: small files, printed as a tree; tables for words.
#include "migrate/apache_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/migrate/site_files.h"

namespace berth::migrate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Each directive as `place name|word|word`, what is inside a section in braces.
std::string shown(const std::vector<Directive>& directives) {
    std::string text;
    for (const auto& one : directives) {
        text += one.place + " " + one.key;
        for (const auto& word : one.words)
            text += "|" + word;
        if (one.is_section()) text += " {" + shown(one.children) + "}";
        text += "; ";
    }
    return text;
}

std::string parsed(const SiteFiles& files) {
    Report report;
    const auto site = parse_apache(files.sources(), report);
    return site ? shown(site->directives) : "error: " + site.error().detail;
}

std::string parsed(const std::string& text) {
    return parsed(SiteFiles{{{"site.conf", text}}, {}});
}

TEST(Words, AreTakenApartAsApacheDoes) {
    EXPECT_THAT(split_words("a  b\tc"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(split_words("\"a b\" 'c d'"), ElementsAre("a b", "c d"));
    EXPECT_THAT(split_words(R"("a \"b\" \\ \c")"), ElementsAre(R"(a "b" \ \c)"));
    EXPECT_THAT(split_words("a\"b c\"d"), ElementsAre("a\"b", "c\"d"));
    EXPECT_THAT(split_words("\"a\"b"), ElementsAre("a", "b"));
    EXPECT_THAT(split_words("\"open"), ElementsAre("open"));
    EXPECT_THAT(split_words("\"\""), ElementsAre(""));
    EXPECT_THAT(split_words("  "), IsEmpty());
}

TEST(Grammar, ReadsDirectivesAndSections) {
    EXPECT_EQ(
        parsed("ServerName a\n\n  # no\n<Location  \"/x\" >\n Require user a\n</location>\nB"),
        "site.conf:1 servername|a; site.conf:4 <location|/x {site.conf:5 require|user|a; }; "
        "site.conf:7 b; ");
    EXPECT_EQ(parsed("<If \"%{X} > 3\">\n</If>"), "site.conf:1 <if|%{X} > 3 {}; ");
    EXPECT_EQ(parsed("A b\\\n  c\\\r\nd\r\nE"), "site.conf:1 a|b|cd; site.conf:4 e; ");
    EXPECT_EQ(parsed("# no \\\nA b\nC"), "site.conf:3 c; ");
    EXPECT_EQ(parsed("A b # no comment"), "site.conf:1 a|b|#|no|comment; ");
    EXPECT_EQ(parsed(""), "");
    EXPECT_EQ(parsed("A \\"), "site.conf:1 a; ");
}

TEST(Grammar, SaysWhereItIsBroken) {
    EXPECT_EQ(parsed("<A>\n"), "error: site.conf:1: <A> is not closed");
    EXPECT_EQ(parsed("\n</A>\n"), "error: site.conf:2: </A> closes nothing");
    EXPECT_EQ(parsed("<A>\n<B>\n</A>"), "error: site.conf:3: </A> closes <B> of site.conf:2");
    EXPECT_EQ(parsed("<A"), "error: site.conf:1: > is missing");
    EXPECT_EQ(parsed("<>"), "error: site.conf:1: a section without a name");
    EXPECT_EQ(parsed(std::string("A\0b", 3)), "error: site.conf: this is no text");
    EXPECT_EQ(parsed("A " + std::string(1 << 17, 'x')), "error: site.conf:1: too long");
    std::string deep;
    for (int i = 0; i < 40; ++i)
        deep += "<A>\n";
    EXPECT_EQ(parsed(deep), "error: site.conf:33: sections nested too deep");
    EXPECT_EQ(parsed("<IfDefine X>\n" + deep), "error: site.conf:33: sections nested too deep");
    std::string many;
    for (int i = 0; i < 20'001; ++i)
        many += "A\n";
    EXPECT_EQ(parsed(many), "error: site.conf:20001: too many directives");
    EXPECT_EQ(parsed("<IfDefine X>\n<B>\n</C>\n"), "error: site.conf:3: </C> closes <b>");
    EXPECT_EQ(parsed("<IfDefine X>\n"), "error: site.conf:1: <IfDefine> is not closed");
}

TEST(Variables, ArePutIn) {
    EXPECT_EQ(parsed({{{"site.conf",
                        "Define A x\nDefine B ${A}y\nC ${B} ${LOG} ${NONE} ${ $\n"
                        "UnDefine A\nD ${A}"}},
                      {{"LOG", "/var/log"}}}),
              "site.conf:3 c|xy|/var/log|${NONE}|${|$; site.conf:5 d|${A}; ");
    std::string bomb = "Define A " + std::string(1000, 'x') + "\n";
    for (char name = 'B'; name < 'H'; ++name) {
        const std::string last = "${" + std::string(1, static_cast<char>(name - 1)) + "}";
        bomb += "Define " + std::string(1, name) + " " + last + last + last + last + "\n";
    }
    EXPECT_THAT(parsed(bomb), HasSubstr("too long"));
}

TEST(Includes, StandWhereTheyAreNamed) {
    EXPECT_EQ(parsed({{{"site.conf",
                        "ServerRoot /srv\n<A>\nInclude conf/a.conf\n</A>\nInclude "
                        "/d/*.conf\nIncludeOptional none.conf"},
                       {"/srv/conf/a.conf", "B"},
                       {"/d/1.conf", "C"},
                       {"/d/2.conf", "D"}},
                      {}}),
              "site.conf:2 <a {/srv/conf/a.conf:1 b; }; /d/1.conf:1 c; /d/2.conf:1 d; ");
}

TEST(Includes, AreBounded) {
    EXPECT_EQ(parsed("Include none.conf"),
              "error: site.conf:1: /etc/apache2/none.conf: no such file");
    EXPECT_EQ(parsed("Include"), "error: site.conf:1: names no file");
    EXPECT_EQ(parsed({{{"site.conf", "Include /a"}, {"/a", "Include /a"}}, {}}),
              "error: /a:1: includes nested too deep");
    EXPECT_EQ(parsed({{{"site.conf", "Include /a"}, {"/a", "</X>"}}, {}}),
              "error: /a:1: </X> closes nothing");
    std::string often;
    for (int i = 0; i < 300; ++i)
        often += "Include /a\n";
    EXPECT_EQ(parsed({{{"site.conf", often}, {"/a", ""}}, {}}),
              "error: /a: too many or too large files");
}

TEST(Conditions, AreDecidedWhenTheFileIsRead) {
    const std::pair<const char*, bool> kCases[] = {
        {"IfModule mod_ssl.c", true},    {"IfModule !mod_ssl.c", false},
        {"IfModule ssl_module", true},   {"IfModule mod_authz_default.c", false},
        {"IfDefine THERE", true},        {"IfDefine !THERE", false},
        {"IfDefine MISSING", false},     {"IfDefine !MISSING", true},
        {"IfVersion >= 2.4", true},      {"IfVersion < 2.4", false},
        {"IfVersion > 2.4", true},       {"IfVersion 2.4.1", false},
        {"IfVersion !< 2.4", true},      {"IfVersion <= 2.3.9", false},
        {"IfFile site.conf", true},      {"IfFile none", false},
        {"IfDirective SSLEngine", true}, {"IfSection Location", true},
        {"IfVersion ~ ^2\\.4", true},
    };
    for (const auto& [condition, taken] : kCases) {
        const std::string name(condition, std::string_view(condition).find(' '));
        const auto text = "Define THERE\n<" + std::string(condition) + ">\nA\n</" + name + ">\nB";
        EXPECT_EQ(parsed(text), taken ? "site.conf:3 a; site.conf:5 b; " : "site.conf:5 b; ")
            << condition;
    }
}

TEST(Conditions, SkipWhatIsNotTaken) {
    EXPECT_EQ(parsed("<IfDefine X>\n<Location />\n<IfDefine X>\n</IfDefine>\nInclude "
                     "none\n</Location>\n</IfDefine>\nA"),
              "site.conf:8 a; ");
}

TEST(Lines, ShowNoSecrets) {
    const std::pair<const char*, const char*> kCases[] = {
        {"ServerName a", "ServerName a"},
        {"AuthLDAPBindPassword  \"a b\"", "AuthLDAPBindPassword (hidden)"},
        {"SetEnv TOKEN abc", "SetEnv TOKEN (hidden)"},
        {"Define A b", "Define A (hidden)"},
        {"Define A", "Define A"},
        {"RequestHeader set Authorization \"Basic eA==\"",
         "RequestHeader set Authorization (hidden)"},
        {"RequestHeader set Authorization \"\"", "RequestHeader set Authorization \"\""},
        {"RequestHeader set X-Forwarded-Proto https", "RequestHeader set X-Forwarded-Proto https"},
        {"RequestHeader set X-Api-Key abc", "RequestHeader set X-Api-Key (hidden)"},
        {"ProxyPass / http://u:p@host/", "ProxyPass / http://(hidden)@host/"},
        {"A ${B}", "A ${B}"},
        {"AuthBasicFake u p", "AuthBasicFake (hidden)"},
        {"DBDParams \"pass=x\"", "DBDParams (hidden)"},
    };
    for (const auto& [text, line] : kCases) {
        Report report;
        const SiteFiles files{{{"site.conf", std::string("<X>\n") + text + "\n</X>"}}, {}};
        const auto site = parse_apache(files.sources(), report);
        ASSERT_TRUE(site);
        if (site->directives[0].children.empty()) {
            const auto lines = report.take();
            ASSERT_EQ(lines.size(), 1u) << text;
            EXPECT_EQ(lines[0].directive, line);
        } else {
            EXPECT_EQ(site->directives[0].children[0].line(), line);
        }
    }
}

}  // namespace
}  // namespace berth::migrate
