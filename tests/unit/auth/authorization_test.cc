// Goal: parse_basic takes RFC 7617's header, and nothing that could confuse a log or a file.
// Method: a table of the decoded text; the header is made around it.
#include <gtest/gtest.h>

#include "auth/authenticator.h"
#include "base/encoding.h"

namespace berth::auth {
namespace {

std::string header(std::string_view text) {
    return "Basic " + base64_encode(as_bytes(text));
}

TEST(ParseBasic, TakesUserAndPasswordApart) {
    struct Case {
        std::string_view text, user, password;
    };
    const std::vector<Case> cases{
        {"alice:secret", "alice", "secret"},
        {"alice:wonder:land", "alice", "wonder:land"},
        {"alice:", "alice", ""},
        {"alice::", "alice", ":"},
        {"al ice: a b ", "al ice", " a b "},
        {"J\xc3\xbcrgen:p\xc3\xa4ss\xe2\x82\xac", "J\xc3\xbcrgen", "p\xc3\xa4ss\xe2\x82\xac"},
        {"\xf0\x9f\x90\xb3:whale", "\xf0\x9f\x90\xb3", "whale"},
        // Passwords are compared as bytes, so one in Latin-1 may fit.
        {"alice:p\xe4ss", "alice", "p\xe4ss"},
    };
    for (const Case& c : cases) {
        const auto credentials = parse_basic(header(c.text));
        ASSERT_TRUE(credentials) << c.text;
        EXPECT_EQ(credentials->user, c.user);
        EXPECT_EQ(credentials->password, c.password);
    }
}

TEST(ParseBasic, TakesTheSchemeInAnyCaseAndSpacesAround) {
    for (const std::string_view scheme : {"Basic ", "basic ", "BASIC ", "bAsIc   "}) {
        EXPECT_TRUE(parse_basic(std::string(scheme) + "YTpi")) << scheme;
        EXPECT_TRUE(parse_basic(std::string(scheme) + "YTpi ")) << scheme;
    }
    EXPECT_TRUE(parse_basic("Basic YWI6Yw")) << "padding may be missing";
}

TEST(ParseBasic, RefusesEverythingElse) {
    const std::vector<std::string> headers{
        "",
        "Basic",
        "Basic ",
        "Basic  ",
        "Basi YTpi",
        "Basicc YTpi",
        "BasicYTpi",
        "Bearer YTpi",
        "Basic YTpi YTpi",
        "Basic Y%pi",
        "Basic YTp",
        "Basic\tYTpi",
        " Basic YTpi",
        header("alice"),           // no colon
        header(":secret"),         // no user
        header("al\nice:secret"),  // would end a log line
        header(std::string_view("a\0b:c", 5)),
        header(std::string_view("a:b\0c", 5)),
        header("alice:tab\there"),
        header("alice\x7f:x"),
        header("\xe4lice:x"),          // not UTF-8
        header("\xc0\xaf:x"),          // not the shortest form
        header("\xed\xa0\x80:x"),      // a surrogate
        header("\xf4\x90\x80\x80:x"),  // beyond Unicode
        header("\xe2\x82:x"),          // cut short
    };
    for (const std::string& text : headers) {
        const auto credentials = parse_basic(text);
        ASSERT_FALSE(credentials) << text;
        EXPECT_EQ(credentials.error().code, Errc::unauthenticated);
        EXPECT_EQ(credentials.error().detail.find("secret"), std::string::npos);
    }
}

}  // namespace
}  // namespace berth::auth
