// Goal: a login is remembered with what says how long it holds, in bounded memory.
#include "auth/login_memory.h"

#include <gtest/gtest.h>

#include <chrono>

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

const KeyedHasher kHasher;
const SteadyTime kStart{};

RememberedLogin login(std::string name, std::chrono::seconds lasts,
                      std::chrono::seconds grace = 0s) {
    return {std::make_shared<const Identity>(Identity{std::move(name), {}, "htpasswd"}), 1, 7,
            kStart + lasts, kStart + lasts + grace};
}

TEST(LoginMemory, FindsWhatWasPut) {
    LoginMemory memory(10);
    memory.put(kHasher("a"), login("alice", 10s, 5s), kStart);
    const auto found = memory.find(kHasher("a"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->identity->name, "alice");
    EXPECT_EQ(found->verifier, 1u);
    EXPECT_EQ(found->version, 7u);
    EXPECT_EQ(found->expires, kStart + 10s);
    EXPECT_EQ(found->grace_until, kStart + 15s);
    EXPECT_FALSE(memory.find(kHasher("b")));
}

TEST(LoginMemory, KeepsTheLatest) {
    LoginMemory memory(10);
    memory.put(kHasher("a"), login("alice", 10s), kStart);
    memory.put(kHasher("a"), login("alice", 20s), kStart);
    EXPECT_EQ(memory.find(kHasher("a"))->expires, kStart + 20s);
    EXPECT_EQ(memory.size(), 1u);
}

TEST(LoginMemory, IsBounded) {
    LoginMemory memory(3);
    for (int i = 0; i < 100; ++i)
        memory.put(kHasher(std::to_string(i)), login("u", 10s), kStart);
    EXPECT_EQ(memory.size(), 3u);
    EXPECT_TRUE(memory.find(kHasher("99")));
}

TEST(LoginMemory, MakesRoomFirstByWhatHasExpiredWithItsGrace) {
    LoginMemory memory(3);
    memory.put(kHasher("old"), login("u", 1s), kStart);
    memory.put(kHasher("grace"), login("u", 1s, 10s), kStart);
    memory.put(kHasher("a"), login("u", 10s), kStart);
    memory.put(kHasher("b"), login("u", 10s), kStart + 5s);
    EXPECT_FALSE(memory.find(kHasher("old")));
    EXPECT_TRUE(memory.find(kHasher("grace")));
    EXPECT_TRUE(memory.find(kHasher("a")));
    EXPECT_TRUE(memory.find(kHasher("b")));
}

TEST(LoginMemory, OfNoEntriesRemembersNothing) {
    LoginMemory memory(0);
    memory.put(kHasher("a"), login("u", 10s), kStart);
    EXPECT_FALSE(memory.find(kHasher("a")));
}

}  // namespace
}  // namespace berth::auth
