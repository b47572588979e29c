// Goal: UUIDs are version 4 in canonical form and do not repeat; all of a buffer is filled.
#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace berth {
namespace {

TEST(Random, FillsTheWholeBuffer) {
    // More than the 256 bytes that the kernel hands out without a chance of interruption.
    std::vector<std::byte> bytes(1 << 16);
    random_bytes(bytes);
    const auto last_set = std::ranges::find_if(bytes.rbegin(), bytes.rend(),
                                               [](std::byte b) { return b != std::byte{0}; });
    EXPECT_LT(last_set - bytes.rbegin(), 16);
    random_bytes({});
}

TEST(Random, UuidsAreOfVersion4) {
    for (int i = 0; i < 100; ++i) {
        const auto uuid = random_uuid();
        ASSERT_EQ(uuid.size(), 36u);
        for (std::size_t k = 0; k < uuid.size(); ++k) {
            const bool dash = k == 8 || k == 13 || k == 18 || k == 23;
            const std::string_view fits = dash ? "-" : "0123456789abcdef";
            EXPECT_TRUE(fits.contains(uuid[k])) << uuid;
        }
        EXPECT_EQ(uuid[14], '4') << uuid;
        EXPECT_TRUE(std::string_view("89ab").contains(uuid[19])) << uuid;
    }
}

TEST(Random, UuidsDoNotRepeat) {
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i)
        EXPECT_TRUE(seen.insert(random_uuid()).second);
}

}  // namespace
}  // namespace berth
