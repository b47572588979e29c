// Goal: the parameters of a query come back decoded, and a malformed one is refused.
#include "http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::http {
namespace {

TEST(Query, FindsParameters) {
    const auto query = Query::parse("n=10&tag=a%2Fb&&tag=c+d&last&x=1=2&%61=b");
    ASSERT_TRUE(query.has_value());
    EXPECT_EQ(query->find("n"), "10");
    EXPECT_EQ(query->find("tag"), "a/b");
    EXPECT_THAT(query->all("tag"), testing::ElementsAre("a/b", "c d"));
    EXPECT_EQ(query->find("last"), "");
    EXPECT_TRUE(query->has("last"));
    EXPECT_EQ(query->find("x"), "1=2");
    EXPECT_EQ(query->find("a"), "b");
    EXPECT_EQ(query->find("N"), std::nullopt);
    EXPECT_TRUE(query->all("other").empty());
}

TEST(Query, IsEmptyWithoutParameters) {
    EXPECT_FALSE(Query::parse("")->has(""));
    EXPECT_FALSE(Query::parse("&&")->has(""));
    EXPECT_EQ(Query::parse("=a")->find(""), "a");
}

TEST(Query, RefusesMalformedEscapes) {
    for (const char* text : {"a=%", "a=%4", "%zz=b", "a=b&c=%G1"}) {
        const auto query = Query::parse(text);
        ASSERT_FALSE(query.has_value()) << text;
        EXPECT_EQ(query.error().code, Errc::invalid);
    }
}

}  // namespace
}  // namespace berth::http
