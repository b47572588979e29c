// Goal: a login is remembered until its time is up or the file changes, in bounded memory.
#include "auth/login_memory.h"

#include <gtest/gtest.h>

#include <chrono>

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

const KeyedHasher kHasher;
const SteadyTime kStart{};

std::shared_ptr<const Identity> identity(std::string name) {
    return std::make_shared<const Identity>(Identity{std::move(name), {}, "htpasswd"});
}

TEST(LoginMemory, FindsWhatWasPut) {
    LoginMemory memory(10);
    memory.put(kHasher("a"), identity("alice"), 1, kStart, kStart + 10s);
    const auto found = memory.find(kHasher("a"), 1, kStart + 9s);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "alice");
    EXPECT_FALSE(memory.find(kHasher("b"), 1, kStart));
}

TEST(LoginMemory, ForgetsWhenTheTimeIsUp) {
    LoginMemory memory(10);
    memory.put(kHasher("a"), identity("alice"), 1, kStart, kStart + 10s);
    EXPECT_FALSE(memory.find(kHasher("a"), 1, kStart + 10s));
}

TEST(LoginMemory, ForgetsEverythingUnderANewVersion) {
    LoginMemory memory(10);
    memory.put(kHasher("a"), identity("alice"), 1, kStart, kStart + 10s);
    EXPECT_FALSE(memory.find(kHasher("a"), 2, kStart));
    memory.put(kHasher("b"), identity("bob"), 2, kStart, kStart + 10s);
    EXPECT_EQ(memory.size(), 1u);
    EXPECT_FALSE(memory.find(kHasher("a"), 2, kStart));
}

// A verification that began before the file changed must not be remembered after.
TEST(LoginMemory, TakesNothingUnderAnOldVersion) {
    LoginMemory memory(10);
    memory.put(kHasher("b"), identity("bob"), 2, kStart, kStart + 10s);
    memory.put(kHasher("a"), identity("alice"), 1, kStart, kStart + 10s);
    EXPECT_FALSE(memory.find(kHasher("a"), 2, kStart));
    EXPECT_TRUE(memory.find(kHasher("b"), 2, kStart));
}

TEST(LoginMemory, IsBounded) {
    LoginMemory memory(3);
    for (int i = 0; i < 100; ++i)
        memory.put(kHasher(std::to_string(i)), identity("u"), 1, kStart, kStart + 10s);
    EXPECT_EQ(memory.size(), 3u);
    EXPECT_TRUE(memory.find(kHasher("99"), 1, kStart));
}

TEST(LoginMemory, MakesRoomFirstByWhatHasExpired) {
    LoginMemory memory(2);
    memory.put(kHasher("old"), identity("u"), 1, kStart, kStart + 1s);
    memory.put(kHasher("a"), identity("u"), 1, kStart, kStart + 10s);
    memory.put(kHasher("b"), identity("u"), 1, kStart + 5s, kStart + 10s);
    EXPECT_TRUE(memory.find(kHasher("a"), 1, kStart + 5s));
    EXPECT_TRUE(memory.find(kHasher("b"), 1, kStart + 5s));
}

TEST(LoginMemory, OfNoEntriesRemembersNothing) {
    LoginMemory memory(0);
    memory.put(kHasher("a"), identity("u"), 1, kStart, kStart + 10s);
    EXPECT_FALSE(memory.find(kHasher("a"), 1, kStart));
}

}  // namespace
}  // namespace berth::auth
