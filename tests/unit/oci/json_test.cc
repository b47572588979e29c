// Goal: JSON that two parsers could understand differently, or that costs more than its size, is
// refused with what is wrong and where.
#include "oci/json.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::oci {
namespace {

constexpr std::size_t kDepth = 4;

TEST(Json, ReadsEveryKindOfValue) {
    const auto value = parse_json(
        R"( {"a":[null,true,-1,18446744073709551615,1.5,"\u00e4\ud83d\ude00"],"b":{"a":{}}} )",
        kDepth);
    ASSERT_TRUE(value);
    EXPECT_EQ(value->dump(),
              "{\"a\":[null,true,-1,18446744073709551615,1.5,\"\xc3\xa4\xf0\x9f\x98\x80\"],"
              "\"b\":{\"a\":{}}}");
}

TEST(Json, RefusesWhatIsNotJson) {
    struct Row {
        std::string_view text;
        std::string_view problem;
    };
    using namespace std::string_view_literals;
    const Row table[] = {
        {"", "not JSON at byte 1"},
        {"{", "not JSON at byte 2"},
        {"{]", "not JSON at byte 2"},
        {"{}{}", "not JSON at byte 3"},
        {"{} x", "not JSON at byte 4"},
        {"{\"a\":1,}", "not JSON at byte 8"},
        {"{'a':1}", "not JSON at byte 2"},
        {"{\"a\":NaN}", "not JSON at byte 6"},
        {"{\"a\":01}", "not JSON at byte 7"},
        {"/**/{}", "not JSON at byte 1"},
        {"\"\\ud800\"", "not JSON at byte 8"},
        {"\"a\nb\"", "not JSON at byte 3"},
        {"{}\0"sv, "not JSON at byte 3"},
        {"\xef\xbb\xbf{}", "not JSON at byte 1: it begins with a byte order mark"},
        {"\"\xff\"", "not UTF-8 at byte 2"},
        {"\"\xc0\x80\"", "not UTF-8 at byte 2"},
        {"\"\xed\xa0\x80\"", "not UTF-8 at byte 3"},
        {"{\"\xe4\":1}", "not UTF-8 at byte 4"},
    };
    for (const auto& row : table) {
        const auto value = parse_json(row.text, kDepth);
        ASSERT_FALSE(value) << row.text;
        EXPECT_EQ(value.error().code, Errc::invalid);
        EXPECT_EQ(value.error().detail, row.problem) << row.text;
    }
}

TEST(Json, RefusesDuplicateKeys) {
    for (const auto* text : {R"({"a":1,"a":1})", R"([{"b":{"a":1,"c":{},"a":{}}}])",
                             R"({"a":1,"\u0061":2})", R"({"":1,"":2})"}) {
        const auto value = parse_json(text, kDepth);
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().detail, "a key stands twice in one object");
    }
    EXPECT_TRUE(parse_json(R"([{"a":{"a":1}},{"a":1,"A":2}])", kDepth));
}

TEST(Json, RefusesNumbersThatDoNotFit) {
    for (const auto* text :
         {"18446744073709551616", "-9223372036854775809", "[123456789012345678901234567890]"}) {
        const auto value = parse_json(text, kDepth);
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().detail, "an integer does not fit into 64 bits") << text;
    }
    for (const auto* text : {"1e999", "[-1e999]"}) {
        const auto value = parse_json(text, kDepth);
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().detail, "a number is too large") << text;
    }
    EXPECT_TRUE(parse_json("[-9223372036854775808,1e300,1.0000000000000000000001]", kDepth));
}

TEST(Json, BoundsNesting) {
    EXPECT_TRUE(parse_json("[[[[]]]]", kDepth));
    EXPECT_TRUE(parse_json("[[[[]]],{},[[[]]]]", kDepth));
    for (const std::string& text :
         {std::string("[[[[[]]]]]"), std::string("[{\"a\":[{\"a\":{}}]}]"),
          std::string(1 << 20, '[')}) {
        const auto value = parse_json(text, kDepth);
        ASSERT_FALSE(value);
        EXPECT_EQ(value.error().detail, "nested deeper than 4 levels");
    }
}

}  // namespace
}  // namespace berth::oci
