// Goal: what is UTF-8 is taken, what only looks like it is not.
// Method: a table of RFC 3629's borders.
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace berth {
namespace {

TEST(Utf8, IsWhatTheStandardSays) {
    for (const std::string& text :
         std::vector<std::string>{"", "plain", std::string("\0", 1), "\x7f", "\xc2\x80", "\xdf\xbf",
                                  "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
                                  "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa4z"}) {
        EXPECT_TRUE(is_utf8(text)) << text;
    }
    for (const std::string& text : std::vector<std::string>{
             "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2 ", "\xe0\x80\x80",
             "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xe2\x82", "\xf0\x80\x80\x80",
             "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe4z"}) {
        EXPECT_FALSE(is_utf8(text)) << text;
    }
}

}  // namespace
}  // namespace berth
