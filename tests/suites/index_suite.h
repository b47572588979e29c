// What every Index must do, whatever keeps it. A backend's test program includes this once and says
// INSTANTIATE_TEST_SUITE_P(Name, IndexSuite, ::testing::Values(IndexBackend{…})).
//
// Time is a FakeClock. After each test the backend looks for counts that do not hold.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/index/index.h"
#include "support/fake_clock.h"
#include "support/index_values.h"

namespace berth::store {

class TestedIndex {
  public:
    virtual ~TestedIndex() = default;
    virtual Index& index() = 0;
    // Empty: all counts are right, or the backend cannot be looked at from outside.
    virtual std::vector<std::string> inconsistencies() { return {}; }
};

struct IndexBackend {
    std::string name;
    std::function<std::unique_ptr<TestedIndex>(const Clock& clock)> make;
};

inline void PrintTo(const IndexBackend& backend, std::ostream* out) {
    *out << backend.name;
}

// `2->3` for a move; `-` where there is none. The numbers are those of digest_of.
inline std::string format_move(const TagMove& move) {
    auto format = [](const std::optional<Digest>& digest) -> std::string {
        if (!digest) return "-";
        return std::to_string(std::stoull(std::string(digest->hex())));
    };
    return format(move.old_digest) + "->" + format(move.new_digest);
}

class IndexSuite : public ::testing::TestWithParam<IndexBackend> {
  protected:
    void SetUp() override { tested_ = GetParam().make(clock_); }
    void TearDown() override { EXPECT_THAT(tested_->inconsistencies(), ::testing::IsEmpty()); }

    Index& index() { return tested_->index(); }

    void link(const RepositoryName& repository, std::uint64_t number, std::uint64_t size = 10) {
        ASSERT_TRUE(index().link_blob(repository, digest_of(number), size, actor_));
    }
    void put(const RepositoryName& repository, const ManifestRecord& record,
             const std::vector<Tag>& tags = {}) {
        auto done = index().put_manifest(repository, record, tags, Overwrite::yes, actor_);
        ASSERT_TRUE(done) << done.error().detail;
    }
    std::vector<std::string> moves(const RepositoryName& repository, const Tag& tag) {
        std::vector<std::string> lines;
        const auto history = index().history(repository, tag).value();
        for (const TagMove& move : history) {
            lines.push_back(format_move(move));
        }
        return lines;
    }
    std::vector<std::uint64_t> referrers(const RepositoryName& repository, std::uint64_t subject,
                                         const std::string& artifact_type = {},
                                         const std::string& last = {}, std::size_t limit = 1000) {
        std::vector<std::uint64_t> numbers;
        auto found =
            index().referrers(repository, digest_of(subject), artifact_type, last, limit).value();
        for (const auto& one : found)
            numbers.push_back(std::stoull(std::string(one.digest.hex())));
        return numbers;
    }

    FakeClock clock_;
    std::unique_ptr<TestedIndex> tested_;
    const Actor actor_{"jenkins"};
    const RepositoryName app_ = repository_of("team/app");
    const RepositoryName other_ = repository_of("team/other");
    const Tag latest_ = tag_of("latest");
};

TEST_P(IndexSuite, IsEmptyAtFirst) {
    EXPECT_FALSE(index().has_repository(app_).value());
    EXPECT_FALSE(index().find_tag(app_, latest_).value());
    EXPECT_FALSE(index().find_manifest(app_, digest_of(1)).value());
    EXPECT_FALSE(index().find_blob(app_, digest_of(1)).value());
    EXPECT_FALSE(index().find_stored(digest_of(1)).value());
    EXPECT_TRUE(index().repositories("", 10).value().names.empty());
    EXPECT_TRUE(index().tags(app_, "", 10).value().names.empty());
    EXPECT_TRUE(index().history(app_, latest_).value().empty());
    EXPECT_EQ(index().totals().value().blobs, 0u);
}

TEST_P(IndexSuite, ServesABlobOnlyWhereItIsLinked) {
    link(app_, 1, 42);
    EXPECT_EQ(index().find_blob(app_, digest_of(1)).value(), 42u);
    EXPECT_FALSE(index().find_blob(other_, digest_of(1)).value());
    EXPECT_EQ(index().find_stored(digest_of(1)).value(), 42u);
    EXPECT_TRUE(index().has_repository(app_).value());
    EXPECT_FALSE(index().has_repository(other_).value());
}

TEST_P(IndexSuite, LinksABlobTwiceAsOnce) {
    link(app_, 1);
    link(app_, 1);
    EXPECT_TRUE(index().unlink_blob(app_, digest_of(1), actor_));
    EXPECT_FALSE(index().find_blob(app_, digest_of(1)).value());
}

TEST_P(IndexSuite, TakesTheSizeThatWasVerifiedLast) {
    link(app_, 1, 42);
    link(other_, 1, 43);
    EXPECT_EQ(index().find_blob(app_, digest_of(1)).value(), 43u);
    EXPECT_EQ(index().find_stored(digest_of(1)).value(), 43u);
}

TEST_P(IndexSuite, RefusesASizeBeyondAllLimits) {
    EXPECT_EQ(index().link_blob(app_, digest_of(1), ~std::uint64_t{0}, actor_).error().code,
              Errc::too_large);
}

TEST_P(IndexSuite, KeepsAnUnlinkedBlobStoredUntilItIsCollected) {
    link(app_, 1, 42);
    ASSERT_TRUE(index().unlink_blob(app_, digest_of(1), actor_));
    EXPECT_FALSE(index().find_blob(app_, digest_of(1)).value());
    EXPECT_EQ(index().find_stored(digest_of(1)).value(), 42u);
    EXPECT_EQ(index().unlink_blob(app_, digest_of(1), actor_).error().code, Errc::not_found);
    link(other_, 1, 42);
    EXPECT_EQ(index().find_blob(other_, digest_of(1)).value(), 42u);
}

TEST_P(IndexSuite, NamesTheFirstRepositoriesWithABlobInByteOrder) {
    for (const char* name : {"c", "a", "b/x", "b"})
        link(repository_of(name), 1);
    link(repository_of("a0"), 2);
    std::vector<std::string> names;
    const auto first = index().repositories_with(digest_of(1), 3).value();
    for (const auto& name : first)
        names.push_back(name.text());
    EXPECT_THAT(names, ::testing::ElementsAre("a", "b", "b/x"));
}

TEST_P(IndexSuite, FindsAManifestAsItWasPut) {
    link(app_, 1);
    ManifestRecord record = image_of(10, {digest_of(1)});
    record.artifact_type = "application/x-sbom";
    record.annotations = R"({"a":"b"})";
    record.subject = digest_of(99);
    put(app_, record);
    const auto found = index().find_manifest(app_, digest_of(10)).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->digest, record.digest);
    EXPECT_EQ(found->media_type, record.media_type);
    EXPECT_EQ(found->size, record.size);
    EXPECT_EQ(found->artifact_type, record.artifact_type);
    EXPECT_EQ(found->annotations, record.annotations);
    EXPECT_EQ(found->subject, record.subject);
    EXPECT_EQ(index().find_stored(digest_of(10)).value(), record.size);
    EXPECT_FALSE(index().find_manifest(other_, digest_of(10)).value());
    EXPECT_FALSE(index().find_blob(app_, digest_of(10)).value()) << "a manifest is not a blob";
}

TEST_P(IndexSuite, RefusesAManifestWhoseBlobIsNotInTheRepository) {
    link(app_, 1);
    link(other_, 2);
    const auto put = index().put_manifest(app_, image_of(10, {digest_of(1), digest_of(2)}),
                                          {latest_}, Overwrite::yes, actor_);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code, Errc::conflict);
    EXPECT_THAT(put.error().detail, ::testing::HasSubstr(digest_of(2).text()));
    EXPECT_FALSE(index().find_manifest(app_, digest_of(10)).value());
    EXPECT_FALSE(index().find_tag(app_, latest_).value());
    EXPECT_FALSE(index().find_stored(digest_of(10)).value());
}

TEST_P(IndexSuite, RefusesAnIndexWhoseChildIsNotInTheRepository) {
    put(other_, image_of(10));
    link(app_, 11);  // as a blob only
    for (std::uint64_t child : {10u, 11u}) {
        const auto put = index().put_manifest(app_, index_of(20, {digest_of(child)}), {},
                                              Overwrite::yes, actor_);
        ASSERT_FALSE(put);
        EXPECT_EQ(put.error().code, Errc::conflict);
        EXPECT_THAT(put.error().detail, ::testing::HasSubstr(digest_of(child).text()));
    }
    EXPECT_FALSE(index().find_manifest(app_, digest_of(20)).value());
}

TEST_P(IndexSuite, CountsABlobOnceForAManifestThatNamesItTwice) {
    link(app_, 1);
    put(app_, image_of(10, {digest_of(1), digest_of(1)}), {latest_});
    put(app_, image_of(10, {digest_of(1), digest_of(1)}), {latest_});
    EXPECT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
}

TEST_P(IndexSuite, TakesADigestThatIsBlobAndManifest) {
    link(app_, 10, 110);
    put(app_, image_of(10));
    put(app_, index_of(20, {digest_of(10)}));
    ManifestRecord both = image_of(30, {digest_of(10)});
    both.manifests = {digest_of(10)};
    put(app_, both);
    EXPECT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
    EXPECT_EQ(index().find_blob(app_, digest_of(10)).value(), 110u);
}

TEST_P(IndexSuite, PutsAManifestAgainWithoutAMove) {
    put(app_, image_of(10), {latest_});
    clock_.advance(std::chrono::seconds(5));
    ASSERT_TRUE(index().put_manifest(app_, image_of(10), {latest_, tag_of("v1")}, Overwrite::yes,
                                     Actor{"bob"}));
    EXPECT_THAT(moves(app_, latest_), ::testing::ElementsAre("-->10"));
    EXPECT_THAT(moves(app_, tag_of("v1")), ::testing::ElementsAre("-->10"));
    const auto tag = index().find_tag(app_, latest_).value();
    ASSERT_TRUE(tag);
    EXPECT_EQ(tag->updated_at, clock_.now());
    EXPECT_EQ(tag->actor, "bob");
}

TEST_P(IndexSuite, RecordsTheMovesOfATag) {
    const Time start = clock_.now();
    put(app_, image_of(10), {latest_});
    clock_.advance(std::chrono::seconds(1));
    put(app_, image_of(11), {latest_});
    clock_.advance(std::chrono::seconds(1));
    ASSERT_TRUE(index().delete_tag(app_, latest_, Actor{"bob"}));
    EXPECT_THAT(moves(app_, latest_), ::testing::ElementsAre("11->-", "10->11", "-->10"));
    const auto history = index().history(app_, latest_).value();
    EXPECT_EQ(history.back().at, start);
    EXPECT_EQ(history.back().actor, "jenkins");
    EXPECT_EQ(history.front().at, start + std::chrono::seconds(2));
    EXPECT_EQ(history.front().actor, "bob");
    EXPECT_FALSE(index().find_tag(app_, latest_).value());
    EXPECT_TRUE(index().find_manifest(app_, digest_of(11)).value());
}

TEST_P(IndexSuite, MovesNoTagWhereThatIsForbidden) {
    put(app_, image_of(10), {latest_});
    const auto moved =
        index().put_manifest(app_, image_of(11), {tag_of("v1"), latest_}, Overwrite::no, actor_);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().code, Errc::already_exists);
    EXPECT_EQ(moved.error().detail, "latest");
    EXPECT_FALSE(index().find_manifest(app_, digest_of(11)).value()) << "all or nothing";
    EXPECT_FALSE(index().find_tag(app_, tag_of("v1")).value());
    EXPECT_EQ(index().find_tag(app_, latest_).value()->digest, digest_of(10));
    // Again to where it is, or for the first time, is no move.
    EXPECT_TRUE(
        index().put_manifest(app_, image_of(10), {latest_, tag_of("v2")}, Overwrite::no, actor_));
    ASSERT_TRUE(index().delete_tag(app_, latest_, actor_));
    EXPECT_TRUE(index().put_manifest(app_, image_of(11), {latest_}, Overwrite::no, actor_));
}

// Of many who create a tag at the same time one wins, and the others learn that they did not.
TEST_P(IndexSuite, LetsOneOfManyCreateATag) {
    constexpr std::uint64_t kThreads = 8;
    std::atomic<int> created = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> threads;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            const auto put =
                index().put_manifest(app_, image_of(10 + thread), {latest_}, Overwrite::no, actor_);
            if (put) ++created;
            if (!put && put.error().code == Errc::already_exists) ++refused;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(created, 1);
    EXPECT_EQ(refused, 7);
    EXPECT_EQ(index().history(app_, latest_).value().size(), 1u);
}

TEST_P(IndexSuite, AnswersNotFoundForWhatCannotBeDeleted) {
    EXPECT_EQ(index().delete_tag(app_, latest_, actor_).error().code, Errc::not_found);
    EXPECT_EQ(index().delete_manifest(app_, digest_of(1), actor_).error().code, Errc::not_found);
    EXPECT_EQ(index().unlink_blob(app_, digest_of(1), actor_).error().code, Errc::not_found);
    put(app_, image_of(1));
    EXPECT_EQ(index().delete_tag(app_, latest_, actor_).error().code, Errc::not_found);
    EXPECT_EQ(index().delete_manifest(other_, digest_of(1), actor_).error().code, Errc::not_found);
}

TEST_P(IndexSuite, DeletesAManifestWithItsTags) {
    put(app_, image_of(10), {latest_, tag_of("v1")});
    put(app_, image_of(11), {tag_of("v2")});
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
    EXPECT_FALSE(index().find_manifest(app_, digest_of(10)).value());
    EXPECT_THAT(index().tags(app_, "", 10).value().names, ::testing::ElementsAre("v2"));
    EXPECT_THAT(moves(app_, latest_), ::testing::ElementsAre("10->-", "-->10"));
    EXPECT_THAT(moves(app_, tag_of("v1")), ::testing::ElementsAre("10->-", "-->10"));
}

TEST_P(IndexSuite, TakesBackAChildThatItsIndexHasOutlived) {
    link(app_, 1);
    put(app_, image_of(10, {digest_of(1)}));
    put(app_, index_of(20, {digest_of(10)}), {latest_});
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
    ASSERT_TRUE(index().unlink_blob(app_, digest_of(1), actor_));
    EXPECT_TRUE(index().find_manifest(app_, digest_of(20)).value());
    link(app_, 1);
    put(app_, image_of(10, {digest_of(1)}));  // the checker sees that it counts its index again
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(20), actor_));
    EXPECT_TRUE(index().find_manifest(app_, digest_of(10)).value());
}

TEST_P(IndexSuite, UnlinksABlobThatAManifestNames) {
    link(app_, 1);
    put(app_, image_of(10, {digest_of(1)}));
    ASSERT_TRUE(index().unlink_blob(app_, digest_of(1), actor_));
    link(app_, 1);
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
    EXPECT_TRUE(index().find_blob(app_, digest_of(1)).value());
}

TEST_P(IndexSuite, FindsTheTagsOfAManifest) {
    put(app_, image_of(10), {tag_of("b"), tag_of("a"), tag_of("a")});
    put(app_, image_of(11), {tag_of("c")});
    put(other_, image_of(10), {tag_of("d")});
    const auto tags = index().tags_of(app_, digest_of(10)).value();
    ASSERT_EQ(tags.size(), 2u);
    EXPECT_EQ(tags[0].tag.text(), "a");
    EXPECT_EQ(tags[0].digest, digest_of(10));
    EXPECT_EQ(tags[1].tag.text(), "b");
}

TEST_P(IndexSuite, ListsRepositoriesWhileTheyHoldSomething) {
    link(repository_of("a"), 1);
    put(repository_of("b"), image_of(10), {latest_});
    link(repository_of("c"), 1);
    ASSERT_TRUE(index().unlink_blob(repository_of("a"), digest_of(1), actor_));
    EXPECT_THAT(index().repositories("", 10).value().names, ::testing::ElementsAre("b", "c"));
    ASSERT_TRUE(index().delete_manifest(repository_of("b"), digest_of(10), actor_));
    EXPECT_THAT(index().repositories("", 10).value().names, ::testing::ElementsAre("c"));
    EXPECT_FALSE(index().has_repository(repository_of("b")).value());
    EXPECT_THAT(moves(repository_of("b"), latest_), ::testing::ElementsAre("10->-", "-->10"));
    link(repository_of("a"), 1);
    EXPECT_THAT(index().repositories("", 10).value().names, ::testing::ElementsAre("a", "c"));
}

TEST_P(IndexSuite, PagesRepositoriesByName) {
    for (const char* name : {"a", "a-b", "a/b", "b"})
        link(repository_of(name), 1);
    const Page first = index().repositories("", 2).value();
    EXPECT_THAT(first.names, ::testing::ElementsAre("a", "a-b"));
    EXPECT_TRUE(first.more);
    const Page second = index().repositories("a-b", 2).value();
    EXPECT_THAT(second.names, ::testing::ElementsAre("a/b", "b"));
    EXPECT_FALSE(second.more);
    EXPECT_TRUE(index().repositories("b", 2).value().names.empty());
}

TEST_P(IndexSuite, PagesTheManifestsAndBlobsOfARepository) {
    for (const std::uint64_t number : {3, 1, 2})
        link(app_, number);
    put(app_, image_of(11, {digest_of(1)}), {latest_});
    put(app_, index_of(10, {digest_of(11)}));
    put(other_, image_of(12));
    const auto text = [](std::uint64_t number) { return digest_of(number).text(); };
    const Page blobs = index().blobs(app_, "", 2).value();
    EXPECT_THAT(blobs.names, ::testing::ElementsAre(text(1), text(2)));
    EXPECT_TRUE(blobs.more);
    const Page last = index().blobs(app_, text(2), 2).value();
    EXPECT_THAT(last.names, ::testing::ElementsAre(text(3)));
    EXPECT_FALSE(last.more);
    EXPECT_THAT(index().manifests(app_, "", 10).value().names,
                ::testing::ElementsAre(text(10), text(11)));
    EXPECT_THAT(index().manifests(app_, text(10), 10).value().names,
                ::testing::ElementsAre(text(11)));
    EXPECT_THAT(index().manifests(repository_of("nothing"), "", 10).value().names,
                ::testing::IsEmpty());
}

TEST_P(IndexSuite, PagesTagsInByteOrder) {
    put(app_, image_of(10), {tag_of("b"), tag_of("B"), tag_of("_"), tag_of("1"), tag_of("b.1")});
    put(other_, image_of(10), {tag_of("a")});
    const Page all = index().tags(app_, "", 10).value();
    EXPECT_THAT(all.names, ::testing::ElementsAre("1", "B", "_", "b", "b.1"));
    EXPECT_FALSE(all.more);
    const Page from_a_missing_name = index().tags(app_, "AAA", 2).value();
    EXPECT_THAT(from_a_missing_name.names, ::testing::ElementsAre("B", "_"));
    EXPECT_TRUE(from_a_missing_name.more);
    EXPECT_FALSE(index().tags(app_, "", 5).value().more);
    const Page none = index().tags(app_, "", 0).value();
    EXPECT_TRUE(none.names.empty());
    EXPECT_TRUE(none.more);
    EXPECT_EQ(index().tags(app_, "", ~std::size_t{0}).value().names.size(), 5u);
}

TEST_P(IndexSuite, PagesTenThousandTags) {
    std::vector<Tag> tags;
    std::vector<std::string> expected;
    for (int i = 0; i < 10'000; ++i) {
        tags.push_back(tag_of("v" + std::to_string(i)));
        expected.push_back(tags.back().text());
    }
    std::sort(expected.begin(), expected.end());
    put(app_, image_of(10), tags);
    std::vector<std::string> listed;
    for (std::string last;;) {
        const Page page = index().tags(app_, last, 999).value();
        listed.insert(listed.end(), page.names.begin(), page.names.end());
        if (!page.more) break;
        ASSERT_EQ(page.names.size(), 999u);
        last = page.names.back();
    }
    EXPECT_EQ(listed, expected);
    EXPECT_EQ(index().totals().value().tags, 10'000u);
}

TEST_P(IndexSuite, FindsReferrersByTypeInDigestOrder) {
    for (std::uint64_t number : {14u, 12u, 13u, 11u}) {
        ManifestRecord record = image_of(number);
        record.subject = digest_of(1);
        record.artifact_type = number % 2 == 0 ? "application/even" : "application/odd";
        record.annotations = R"({"n":"1"})";
        put(app_, record);
    }
    put(app_, image_of(15));
    EXPECT_THAT(referrers(app_, 1), ::testing::ElementsAre(11, 12, 13, 14));
    EXPECT_THAT(referrers(app_, 1, "application/odd"), ::testing::ElementsAre(11, 13));
    EXPECT_THAT(referrers(app_, 1, "", digest_of(12).text()), ::testing::ElementsAre(13, 14));
    EXPECT_THAT(referrers(app_, 1, "", "", 2), ::testing::ElementsAre(11, 12));
    EXPECT_TRUE(referrers(app_, 2).empty());
    EXPECT_TRUE(referrers(other_, 1).empty());
    const auto first = index().referrers(app_, digest_of(1), "", "", 1).value().at(0);
    EXPECT_EQ(first.size, 111u);
    EXPECT_EQ(first.artifact_type, "application/odd");
    EXPECT_EQ(first.annotations, R"({"n":"1"})");
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(12), actor_));
    EXPECT_THAT(referrers(app_, 1), ::testing::ElementsAre(11, 13, 14));
}

TEST_P(IndexSuite, AddsUpWhatItHolds) {
    link(app_, 1, 1000);
    link(other_, 1, 1000);
    put(app_, image_of(10, {digest_of(1)}), {latest_, tag_of("v1")});
    const Totals totals = index().totals().value();
    EXPECT_EQ(totals.repositories, 2u);
    EXPECT_EQ(totals.manifests, 1u);
    EXPECT_EQ(totals.tags, 2u);
    EXPECT_EQ(totals.blobs, 2u);
    EXPECT_EQ(totals.blob_bytes, 1110u);
}

TEST_P(IndexSuite, ChangesTheVersionWithEveryWrite) {
    std::uint64_t before = index().version(app_);
    auto expect_change = [&](const char* after) {
        EXPECT_NE(index().version(app_), before) << after;
        before = index().version(app_);
    };
    link(app_, 1);
    expect_change("link_blob");
    put(app_, image_of(10, {digest_of(1)}), {latest_});
    expect_change("put_manifest");
    ASSERT_TRUE(index().delete_tag(app_, latest_, actor_));
    expect_change("delete_tag");
    ASSERT_TRUE(index().delete_manifest(app_, digest_of(10), actor_));
    expect_change("delete_manifest");
    ASSERT_TRUE(index().unlink_blob(app_, digest_of(1), actor_));
    expect_change("unlink_blob");
    ASSERT_TRUE(index().find_stored(digest_of(1)));
    EXPECT_EQ(index().version(app_), before) << "a read is no change";
}

// Eight pushers, some of them on the same tag, two of them deleting: what each was told is what is
// there.
TEST_P(IndexSuite, HoldsUnderConcurrentPushes) {
    constexpr std::uint64_t kThreads = 8;
    constexpr std::uint64_t kPushes = 60;
    std::atomic<int> failures = 0;
    auto expect = [&failures](bool fine) { failures += fine ? 0 : 1; };
    auto push = [&](std::uint64_t thread) {
        const Tag own = tag_of("own-" + std::to_string(thread));
        for (std::uint64_t i = 0; i < kPushes; ++i) {
            const std::uint64_t layer = 1000 + i;  // shared by all threads
            const std::uint64_t manifest = 10'000 + thread * 1000 + i;
            const RepositoryName& repository = i % 3 == 0 ? other_ : app_;
            expect(index().link_blob(repository, digest_of(layer), 7, actor_).has_value());
            expect(index()
                       .put_manifest(repository, image_of(manifest, {digest_of(layer)}),
                                     {latest_, own}, Overwrite::yes, actor_)
                       .has_value());
            const auto tag = index().find_tag(repository, own);
            expect(tag && *tag && (*tag)->digest == digest_of(manifest));
            if (thread < 2 && i % 5 == 0) {
                expect(
                    index().delete_manifest(repository, digest_of(manifest), actor_).has_value());
                const auto gone = index().find_tag(repository, own);
                expect(gone && !*gone);
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back(push, thread);
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_TRUE(index().find_tag(app_, latest_).value());
    EXPECT_EQ(index().tags(app_, "", 100).value().names.size(), kThreads + 1);
    const Totals totals = index().totals().value();
    EXPECT_EQ(totals.manifests, kThreads * kPushes - 2 * kPushes / 5);
    EXPECT_EQ(totals.blobs, kThreads * kPushes + kPushes);
}

}  // namespace berth::store
