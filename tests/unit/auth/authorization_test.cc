// Goal: parse_authorization takes the headers of RFC 7617 and RFC 6750, and nothing that could
// confuse a log or a file. Method: tables of texts.
#include <gtest/gtest.h>

#include "auth/verifier.h"
#include "base/encoding.h"

namespace berth::auth {
namespace {

std::string header(std::string_view text) {
    return "Basic " + base64_encode(as_bytes(text));
}

TEST(ParseAuthorization, TakesUserAndPasswordApart) {
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
        const auto credentials = parse_authorization(header(c.text));
        ASSERT_TRUE(credentials) << c.text;
        EXPECT_EQ(credentials->user, c.user);
        EXPECT_EQ(credentials->secret, c.password);
    }
}

TEST(ParseAuthorization, TakesTheSchemeInAnyCaseAndSpacesAround) {
    for (const std::string_view scheme : {"Basic ", "basic ", "BASIC ", "bAsIc   "}) {
        EXPECT_TRUE(parse_authorization(std::string(scheme) + "YTpi")) << scheme;
        EXPECT_TRUE(parse_authorization(std::string(scheme) + "YTpi ")) << scheme;
    }
    EXPECT_TRUE(parse_authorization("Basic YWI6Yw")) << "padding may be missing";
}

TEST(ParseAuthorization, TakesABearersTokenAsItIs) {
    for (const std::string_view text : {"Bearer abc", "bearer abc", "BEARER   abc  "}) {
        const auto credentials = parse_authorization(text);
        ASSERT_TRUE(credentials) << text;
        EXPECT_EQ(credentials->scheme, Credentials::Scheme::bearer);
        EXPECT_EQ(credentials->secret, "abc");
        EXPECT_EQ(credentials->user, "");
    }
    EXPECT_EQ(parse_authorization("Bearer a.B-c_9~+/==")->secret, "a.B-c_9~+/==");
    for (const std::string_view text :
         {"Bearer", "Bearer ", "Bearer a b", "Bearer a\"b", "Bearer \xc3\xa4", "Bearer a,b"}) {
        EXPECT_FALSE(parse_authorization(text)) << text;
    }
}

TEST(ParseAuthorization, RefusesEverythingElse) {
    const std::vector<std::string> headers{
        "",
        "Basic",
        "Basic ",
        "Basic  ",
        "Basi YTpi",
        "Basicc YTpi",
        "BasicYTpi",
        "Negotiate YTpi",
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
        const auto credentials = parse_authorization(text);
        ASSERT_FALSE(credentials) << text;
        EXPECT_EQ(credentials.error().code, Errc::unauthenticated);
        EXPECT_EQ(credentials.error().detail.find("secret"), std::string::npos);
    }
}

}  // namespace
}  // namespace berth::auth
