#include "base/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace berth {
namespace {

TEST(Text, LowersAsciiLettersAlone) {
    EXPECT_EQ(lower_case("Basic-ÄZ@[`{09"), "basic-Äz@[`{09");
}

TEST(Text, ComparesWordsWhateverTheirCase) {
    EXPECT_TRUE(equal_ignoring_case("Content-TYPE", "content-type"));
    EXPECT_FALSE(equal_ignoring_case("content", "content-type"));
    EXPECT_FALSE(equal_ignoring_case("@", "`"));  // 0x20 apart, but no letters
}

TEST(Text, PutsPartsTogether) {
    EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
    EXPECT_EQ(join(std::vector<std::string>{"a"}, ", "), "a");
    EXPECT_EQ(join(std::vector<std::string_view>{"a", "", "b"}, ", "), "a, , b");
    EXPECT_EQ(join(std::vector<std::string>{"", "a"}, "."), ".a");
}

}  // namespace
}  // namespace berth
