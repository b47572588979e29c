// Goal: guessing is slowed down, in bounded memory, and only for the caller that guesses.
#include "auth/login_throttle.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

const KeyedHasher kHasher;
const KeyedHash kCaller = kHasher("alice from here");
const SteadyTime kStart{};

TEST(LoginThrottle, RefusesAfterTooManyFailuresUntilThePauseIsOver) {
    LoginThrottle throttle({3, 30s});
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(throttle.begin(kCaller, kStart + i * 1s));
    EXPECT_FALSE(throttle.begin(kCaller, kStart + 3s));
    EXPECT_TRUE(throttle.begin(kHasher("bob from here"), kStart + 3s));
    // Refused tries do not make the pause longer: it began with the last failure.
    EXPECT_FALSE(throttle.begin(kCaller, kStart + 31s));
    EXPECT_TRUE(throttle.begin(kCaller, kStart + 32s));
    EXPECT_TRUE(throttle.begin(kCaller, kStart + 32s)) << "the count starts anew";
}

TEST(LoginThrottle, ForgetsFailuresAfterASuccess) {
    LoginThrottle throttle({2, 30s});
    EXPECT_TRUE(throttle.begin(kCaller, kStart));
    EXPECT_TRUE(throttle.begin(kCaller, kStart));
    throttle.succeeded(kCaller);
    EXPECT_TRUE(throttle.begin(kCaller, kStart));
}

TEST(LoginThrottle, TakesBackOneTryOnly) {
    LoginThrottle throttle({2, 30s});
    EXPECT_TRUE(throttle.begin(kCaller, kStart));
    EXPECT_TRUE(throttle.begin(kCaller, kStart));
    throttle.take_back(kCaller);
    EXPECT_TRUE(throttle.begin(kCaller, kStart));
    EXPECT_FALSE(throttle.begin(kCaller, kStart));
    throttle.take_back(kCaller);
    throttle.take_back(kCaller);
    EXPECT_EQ(throttle.size(), 0u);
}

TEST(LoginThrottle, ForgetsTheOldestCallerWhenThereAreTooMany) {
    LoginThrottle throttle({1, 30s, 3});
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(throttle.begin(kHasher(std::to_string(i)), kStart + i * 1ms));
    EXPECT_EQ(throttle.size(), 3u);
    EXPECT_FALSE(throttle.begin(kHasher("99"), kStart + 1s));
    EXPECT_FALSE(throttle.begin(kHasher("97"), kStart + 1s));
    EXPECT_TRUE(throttle.begin(kHasher("96"), kStart + 1s));
}

TEST(LoginThrottle, MakesRoomFirstByWhatIsOver) {
    LoginThrottle throttle({1, 30s, 2});
    EXPECT_TRUE(throttle.begin(kHasher("a"), kStart));
    EXPECT_TRUE(throttle.begin(kHasher("b"), kStart));
    EXPECT_TRUE(throttle.begin(kHasher("c"), kStart + 60s));
    EXPECT_EQ(throttle.size(), 1u);
}

}  // namespace
}  // namespace berth::auth
