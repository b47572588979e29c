// Goal: ranges and entity tags are read as RFC 9110 and the distribution-spec write them.
// Method: tables of fields and what they mean.
#include "http/range.h"

#include <gtest/gtest.h>

namespace berth::http {
namespace {

std::string show(const Result<std::optional<ByteRange>>& parsed) {
    if (!parsed) return std::string(name_of(parsed.error().code));
    if (!*parsed) return "whole";
    return std::to_string((*parsed)->offset) + "+" + std::to_string((*parsed)->size);
}

TEST(ByteRange, IsReadOrIgnored) {
    struct Row {
        const char* field;
        std::uint64_t size;
        const char* meaning;
    };
    const Row rows[] = {
        {"bytes=0-0", 10, "0+1"},
        {"bytes=0-9", 10, "0+10"},
        {"bytes=3-5", 10, "3+3"},
        {"bytes=9-9", 10, "9+1"},
        {"Bytes= 3-5 ", 10, "3+3"},
        {"bytes=3-100", 10, "3+7"},
        {"bytes=3-99999999999999999999999", 10, "3+7"},
        {"bytes=3-", 10, "3+7"},
        {"bytes=-3", 10, "7+3"},
        {"bytes=-10", 10, "0+10"},
        {"bytes=-11", 10, "0+10"},
        {"bytes=10-", 10, "out_of_range"},
        {"bytes=10-12", 10, "out_of_range"},
        {"bytes=18446744073709551616-", 10, "out_of_range"},
        {"bytes=-0", 10, "out_of_range"},
        {"bytes=5-3", 10, "out_of_range"},
        {"bytes=0-1,3-4", 10, "whole"},
        {"bytes=-", 10, "whole"},
        {"bytes=", 10, "whole"},
        {"bytes", 10, "whole"},
        {"bytes=a-b", 10, "whole"},
        {"bytes=1", 10, "whole"},
        {"bytes=1 - 2", 10, "whole"},
        {"bytes=+1-2", 10, "whole"},
        {"bytes=1-2-3", 10, "whole"},
        {"items=1-2", 10, "whole"},
        {"", 10, "whole"},
        {"bytes=0-", 0, "whole"},
        {"bytes=-5", 0, "whole"},
        {"bytes=5-6", 0, "whole"},
    };
    for (const Row& row : rows)
        EXPECT_EQ(show(parse_range(row.field, row.size)), row.meaning) << row.field;
}

TEST(ChunkRange, IsTwoNumbersInOrder) {
    const auto range = parse_chunk_range("100-199");
    ASSERT_TRUE(range.has_value());
    EXPECT_EQ(range->offset, 100u);
    EXPECT_EQ(range->size, 100u);
    EXPECT_EQ(parse_chunk_range("0-0")->size, 1u);
    EXPECT_EQ(parse_chunk_range("0-18446744073709551614")->size, 18446744073709551615u);
    for (const char* field : {"", "-", "1", "1-", "-1", "2-1", "a-b", "1-2,3-4", "1-2 ", " 1-2",
                              "bytes=1-2", "bytes 1-2/3", "0-18446744073709551615", "+1-2"}) {
        const auto parsed = parse_chunk_range(field);
        ASSERT_FALSE(parsed.has_value()) << field;
        EXPECT_EQ(parsed.error().code, Errc::invalid);
    }
}

TEST(EntityTags, AreFoundInAList) {
    struct Row {
        const char* field;
        bool named;
    };
    const Row rows[] = {
        {"\"sha256:ab\"", true},
        {"W/\"sha256:ab\"", true},
        {"\"x\", \"sha256:ab\"", true},
        {"\"x\",W/\"y,z\" ,\t\"sha256:ab\"", true},
        {"*", true},
        {"sha256:ab", true},
        {"x, sha256:ab", true},
        {"", false},
        {"\"sha256:abc\"", false},
        {"\"x sha256:ab\"", false},
        {"\"*\"", false},
        {"\"x, sha256:ab", false},
        {"\"", false},
        {",,", false},
        {"W/", false},
    };
    for (const Row& row : rows)
        EXPECT_EQ(names_etag(row.field, "sha256:ab"), row.named) << row.field;
}

}  // namespace
}  // namespace berth::http
