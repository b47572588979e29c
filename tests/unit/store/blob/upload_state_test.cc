// Goal: a state file says again what it was told, and damage of any kind shows.
// Method: a state with two offsets; then every truncation and every changed byte of its text.
#include "store/blob/upload_state.h"

#include <gtest/gtest.h>

#include "oci/hasher.h"
#include "store/blob/upload_sessions.h"

namespace berth::store {
namespace {

std::string hash_of(std::string_view text) {
    oci::Hasher hasher(oci::Algorithm::sha256);
    hasher.update(as_bytes(text));
    return hasher.save();
}

UploadState example() {
    const Time start(std::chrono::milliseconds(1'700'000'000'123));
    return {{UploadId::parse("6ba7b810-9dad-41d1-80b4-00c04fd430c8").value(),
             oci::RepositoryName::parse("library/alpine").value(), oci::Algorithm::sha256, 8, start,
             start + std::chrono::seconds(5)},
            hash_of("12345678"),
            3,
            hash_of("123")};
}

TEST(UploadState, ComesBackUnderTheSameKernel) {
    const auto state = example();
    const auto parsed = parse_state(state.info.id, format_state(state, "boot"), "boot").value();
    EXPECT_EQ(parsed.info.id, state.info.id);
    EXPECT_EQ(parsed.info.repository, state.info.repository);
    EXPECT_EQ(parsed.info.algorithm, state.info.algorithm);
    EXPECT_EQ(parsed.info.offset, 8u);
    EXPECT_EQ(parsed.info.started_at, state.info.started_at);
    EXPECT_EQ(parsed.info.updated_at, state.info.updated_at);
    EXPECT_EQ(parsed.hash, state.hash);
    EXPECT_EQ(parsed.synced_offset, 3u);
    EXPECT_EQ(parsed.synced_hash, state.synced_hash);
}

TEST(UploadState, GoesBackToWhatWasSyncedUnderAnother) {
    const auto state = example();
    for (const auto boot : {"other", ""}) {
        const auto parsed = parse_state(state.info.id, format_state(state, "boot"), boot).value();
        EXPECT_EQ(parsed.info.offset, 3u);
        EXPECT_EQ(parsed.hash, state.synced_hash);
    }
    // Two unnamed kernels are not the same one.
    EXPECT_EQ(parse_state(state.info.id, format_state(state, ""), "").value().info.offset, 3u);
}

TEST(UploadState, EveryDamageShows) {
    const auto state = example();
    const std::string text = format_state(state, "boot");
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto cut = parse_state(state.info.id, text.substr(0, i), "boot");
        ASSERT_FALSE(cut) << i;
        EXPECT_EQ(cut.error().code, Errc::corrupt) << i;
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(parse_state(state.info.id, changed, "boot")) << i;
        changed[i] = '\0';
        EXPECT_FALSE(parse_state(state.info.id, changed, "boot")) << i;
    }
}

TEST(UploadState, TheNewerSlotCountsAndTheOlderOneWhenItIsDamaged) {
    auto state = example();
    std::string content(2 * kStateSlotBytes, '\0');
    for (const std::uint64_t sequence : {0u, 1u, 2u, 3u, 4u}) {
        const std::string before = content;
        state.sequence = sequence;
        state.info.offset = 8 + sequence;
        const std::string text = format_state(state, "boot");
        ASSERT_LE(text.size(), kStateSlotBytes);
        content.replace(slot_offset(state), text.size(), text);
        const auto parsed = parse_state(state.info.id, content, "boot").value();
        EXPECT_EQ(parsed.sequence, sequence);
        EXPECT_EQ(parsed.info.offset, 8 + sequence);
        std::string torn = content;
        torn[slot_offset(state) + 200] = '\0';
        const auto older = parse_state(state.info.id, torn, "boot");
        ASSERT_EQ(older.has_value(), sequence > 0);
        if (older) {
            EXPECT_EQ(older->sequence, sequence - 1);
        }
    }
}

TEST(UploadState, AShorterStateOverwritesALongerOne) {
    auto state = example();
    std::string content = format_state(state, "a kernel with a long name");
    const std::string text = format_state(state, "boot");
    content.replace(0, text.size(), text);
    EXPECT_EQ(parse_state(state.info.id, content, "boot").value().info.offset, 8u);
}

TEST(UploadState, TheLongestStateFitsItsSlot) {
    auto state = example();
    const std::string longest(oci::RepositoryName::kLengthMax, 'a');
    state.info.repository = oci::RepositoryName::parse(longest).value();
    state.info.algorithm = oci::Algorithm::sha512;
    oci::Hasher hasher(oci::Algorithm::sha512);
    hasher.update(as_bytes(std::string(127, 'x')));
    state.hash = state.synced_hash = hasher.save();
    state.info.offset = state.synced_offset = state.sequence = ~std::uint64_t{0};
    EXPECT_LE(format_state(state, UploadId::make().text()).size(), kStateSlotBytes);
}

TEST(UploadState, AHashStateOfAnotherAlgorithmIsDamage) {
    auto state = example();
    state.info.algorithm = oci::Algorithm::sha512;
    EXPECT_FALSE(parse_state(state.info.id, format_state(state, "boot"), "boot"));
}

TEST(UploadId, IsACanonicalUuid) {
    EXPECT_TRUE(UploadId::parse("6ba7b810-9dad-41d1-80b4-00c04fd430c8"));
    EXPECT_TRUE(UploadId::parse(UploadId::make().text()));
    EXPECT_NE(UploadId::make(), UploadId::make());
    for (const auto text :
         {"", "6BA7B810-9dad-41d1-80b4-00c04fd430c8", "6ba7b8109dad41d180b400c04fd430c8",
          "../../../etc/passwd", "6ba7b810-9dad-41d1-80b4-00c04fd430c",
          "6ba7b810-9dad-41d1-80b4-00c04fd430c8/", "6ba7b810-9dad-41d1-80b4-00c04fd430cg",
          "6ba7b810-9dad-41d1-80b4000c04fd430c8", "6ba7b810a9dad-41d1-80b4-00c04fd430c8"}) {
        EXPECT_FALSE(UploadId::parse(text)) << text;
    }
}

TEST(UploadSessions, GiveAnUploadToOneAtATime) {
    UploadSessions sessions;
    const auto state = example();
    auto lease = sessions.try_lease(state.info.id);
    ASSERT_TRUE(lease);
    EXPECT_FALSE(sessions.try_lease(state.info.id));
    {
        const UploadSessions::Lease moved = std::move(*lease);
        lease.reset();
        EXPECT_FALSE(sessions.try_lease(state.info.id));
    }
    EXPECT_TRUE(sessions.try_lease(state.info.id));
}

TEST(UploadSessions, KeepBoundedlyManyStates) {
    UploadSessions sessions;
    auto state = example();
    ASSERT_TRUE(sessions.add(state));
    EXPECT_EQ(sessions.find(state.info.id)->info.offset, state.info.offset);
    EXPECT_EQ(sessions.ids(), std::vector{state.info.id});
    const UploadId first = state.info.id;
    int added = 0;
    do {
        state.info.id = UploadId::make();
        ASSERT_LT(++added, 100'000);
    } while (sessions.add(state));
    EXPECT_FALSE(sessions.find(state.info.id));
    sessions.remove(first);
    EXPECT_FALSE(sessions.find(first));
    EXPECT_TRUE(sessions.add(state));
}

}  // namespace
}  // namespace berth::store
