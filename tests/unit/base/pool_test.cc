// Goal: jobs run, at most so many at once; load turns into refusals; what was accepted runs even
// when the pool goes.
// Method: jobs that wait for the test, so that nothing depends on timing.
#include "base/pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <future>
#include <latch>
#include <string>

namespace berth {
namespace {

TEST(Pool, RunsAJobOnAThreadOfItsName) {
    std::promise<std::string> name;
    Pool pool({.name = "a-name-of-more-than-15-characters"});
    ASSERT_TRUE(pool.submit([&] {
        std::array<char, 32> text{};
        pthread_getname_np(pthread_self(), text.data(), text.size());
        name.set_value(text.data());
    }));
    EXPECT_EQ(name.get_future().get(), "a-name-of-more-");
}

TEST(Pool, RunsAsManyAtOnceAsItHasThreads) {
    constexpr int kThreads = 3;
    Pool pool({.name = "test", .threads = kThreads});
    // Each waits for all: this ends only if they run side by side.
    std::latch all(kThreads + 1);
    for (int i = 0; i < kThreads; ++i)
        ASSERT_TRUE(pool.submit([&] { all.arrive_and_wait(); }));
    all.arrive_and_wait();
}

TEST(Pool, RefusesWhenItsQueueIsFull) {
    std::latch started(1), release(1);
    std::atomic<int> ran = 0;
    {
        Pool pool({.name = "test", .threads = 1, .queue = 2});
        ASSERT_TRUE(pool.submit([&] {
            started.count_down();
            release.wait();
        }));
        started.wait();
        EXPECT_TRUE(pool.submit([&] { ++ran; }));
        EXPECT_TRUE(pool.submit([&] { ++ran; }));
        EXPECT_FALSE(pool.submit([&] { ran += 100; }));
        release.count_down();
    }
    EXPECT_EQ(ran, 2);
}

TEST(Pool, RunsWhatIsQueuedBeforeItGoes) {
    std::atomic<int> ran = 0;
    {
        Pool pool({.name = "test", .threads = 2, .queue = 1000});
        for (int i = 0; i < 1000; ++i)
            ASSERT_TRUE(pool.submit([&] { ++ran; }));
    }
    EXPECT_EQ(ran, 1000);
}

TEST(Pool, LetsAJobsStateGoBeforeTheNextJob) {
    std::promise<bool> expired;
    Pool pool({.name = "test", .threads = 1});
    auto state = std::make_shared<int>(7);
    const std::weak_ptr<int> watched = state;
    ASSERT_TRUE(pool.submit([kept = std::move(state)] {}));
    ASSERT_TRUE(pool.submit([&] { expired.set_value(watched.expired()); }));
    EXPECT_TRUE(expired.get_future().get());
}

}  // namespace
}  // namespace berth
