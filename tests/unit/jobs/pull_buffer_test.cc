// Goal: pulls are kept in order, and no more of them than fit.
#include "jobs/pull_buffer.h"

#include <gtest/gtest.h>

namespace berth::jobs {
namespace {

store::Event event_of(const std::string& repository) {
    store::Event event;
    event.repository = repository;
    return event;
}

TEST(PullBuffer, GivesWhatCameInItsOrder) {
    PullBuffer buffer(1 << 20);
    EXPECT_TRUE(buffer.add(event_of("a")));
    EXPECT_FALSE(buffer.add(event_of("b"))) << "not the first";
    const auto taken = buffer.take();
    ASSERT_EQ(taken.size(), 2u);
    EXPECT_EQ(taken[0].repository, "a");
    EXPECT_EQ(taken[1].repository, "b");
    EXPECT_TRUE(buffer.take().empty());
    EXPECT_TRUE(buffer.add(event_of("c")));
}

TEST(PullBuffer, CountsWhatDoesNotFit) {
    PullBuffer buffer(10'000);
    EXPECT_TRUE(buffer.add(event_of(std::string(6'000, 'a'))));
    EXPECT_FALSE(buffer.add(event_of(std::string(6'000, 'b'))));
    EXPECT_FALSE(buffer.add(event_of(std::string(6'000, 'c'))));
    EXPECT_EQ(buffer.take_lost(), 2u);
    EXPECT_EQ(buffer.take_lost(), 0u);
    EXPECT_EQ(buffer.take().size(), 1u);
    EXPECT_TRUE(buffer.add(event_of(std::string(6'000, 'd')))) << "there is room again";
}

}  // namespace
}  // namespace berth::jobs
