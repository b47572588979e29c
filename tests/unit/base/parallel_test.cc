// Goal: each number is worked on once, an error ends the rest, and work may be split again inside.
#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace berth {
namespace {

TEST(Parallel, CallsForEachNumberOnce) {
    Parallel parallel(4);
    std::vector<std::atomic<int>> calls(1000);
    EXPECT_TRUE(parallel.each(calls.size(), [&](std::size_t i) -> Result<void> {
        ++calls[i];
        return {};
    }));
    for (const auto& count : calls)
        EXPECT_EQ(count, 1);
    EXPECT_TRUE(parallel.each(0, [](std::size_t) { return fail(Errc::io, "called"); }));
}

TEST(Parallel, EndsWithTheFirstError) {
    Parallel alone(1);
    std::size_t calls = 0;
    const auto done = alone.each(10, [&](std::size_t i) -> Result<void> {
        ++calls;
        if (i == 3) return fail(Errc::io, "three");
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().detail, "three");
    EXPECT_EQ(calls, 4u);
}

TEST(Parallel, MayBeSplitAgainInside) {
    Parallel parallel(2);
    std::atomic<int> calls = 0;
    EXPECT_TRUE(parallel.each(8, [&](std::size_t) {
        return parallel.each(8, [&](std::size_t) -> Result<void> {
            ++calls;
            return {};
        });
    }));
    EXPECT_EQ(calls, 64);
}

}  // namespace
}  // namespace berth
