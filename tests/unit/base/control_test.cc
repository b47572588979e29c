// Goal: control characters are found wherever they stand, and nothing else is taken for one.
#include "base/control.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

using namespace std::string_view_literals;

TEST(Control, IsFoundAnywhereInAText) {
    for (const auto text : {"\0"sv, "a\nb"sv, "\ta"sv, "a\x1f"sv, "a\x7f"sv}) {
        EXPECT_TRUE(has_control(text));
        EXPECT_TRUE(has_terminal_control(text));
    }
    for (const auto text : {""sv, "alice b~"sv, "J\xc3\xbcrgen"sv, "\xff"sv}) {
        EXPECT_FALSE(has_control(text));
        EXPECT_FALSE(has_terminal_control(text));
    }
}

TEST(Control, OfTheSecondSetCountsOnTerminalsOnly) {
    for (const auto text : {"\xc2\x80"sv, "a\xc2\x9b"sv, "\xc2\x9f!"sv}) {
        EXPECT_FALSE(has_control(text));
        EXPECT_TRUE(has_terminal_control(text));
    }
    for (const auto text : {"\xc2\xa0"sv, "\xc2"sv})
        EXPECT_FALSE(has_terminal_control(text));
}

}  // namespace
}  // namespace berth
