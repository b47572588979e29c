// Goal: `n` and `last` are understood, bounded, and refused with a sentence.
// Method: a table of queries.
#include <gtest/gtest.h>

#include "api/exchange.h"

namespace berth::api {
namespace {

Reply<Paging> parse(std::string_view query) {
    return parse_paging(http::Query::parse(query).value(), 100);
}

TEST(Paging, CapsWhatIsAskedFor) {
    for (const auto& [query, limit] : std::vector<std::pair<std::string_view, std::size_t>>{
             {"", 100},
             {"n=1", 1},
             {"n=0", 0},
             {"n=007", 7},
             {"n=100", 100},
             {"n=101", 100},
             {"n=99999999999999999999999999", 100}}) {
        EXPECT_EQ(parse(query).value().limit, limit) << query;
    }
}

TEST(Paging, RefusesWhatIsNoNumber) {
    for (const std::string_view query : {"n=", "n=-1", "n=1.5", "n=x", "n=+1", "n=1%20"}) {
        const auto paging = parse(query);
        ASSERT_FALSE(paging) << query;
        EXPECT_EQ(paging.error().code, Code::pagination_number_invalid);
    }
}

TEST(Paging, TakesLastAsItIs) {
    EXPECT_EQ(parse("").value().last, "");
    EXPECT_EQ(parse("last=a%2Fb&n=1").value().last, "a/b");
}

}  // namespace
}  // namespace berth::api
