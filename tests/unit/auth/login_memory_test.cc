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

// Or a flood of new logins would make every put cost as much as the memory is large.
TEST(LoginMemory, LooksForWhatHasExpiredOnceASecondAtMost) {
    LoginMemory memory(3);
    for (const char* name : {"a", "b", "c"})
        memory.put(kHasher(name), login("u", 2s), kStart);
    const SteadyTime later = kStart + 1500ms;
    memory.put(kHasher("d"), login("u", 10s), later);
    EXPECT_EQ(memory.size(), 3u);
    memory.put(kHasher("e"), login("u", 10s), later + 900ms);
    EXPECT_EQ(memory.size(), 3u) << "what has expired is not looked for again so soon";
    memory.put(kHasher("f"), login("u", 10s), later + 1s);
    EXPECT_TRUE(memory.find(kHasher("f")));
    EXPECT_FALSE(memory.find(kHasher("a")) || memory.find(kHasher("b")) ||
                 memory.find(kHasher("c")));
}

TEST(LoginMemory, OfNoEntriesRemembersNothing) {
    LoginMemory memory(0);
    memory.put(kHasher("a"), login("u", 10s), kStart);
    EXPECT_FALSE(memory.find(kHasher("a")));
}

}  // namespace
}  // namespace berth::auth
