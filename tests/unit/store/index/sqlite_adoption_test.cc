// Goal: what is taken over is in the index as if it had been pushed, whatever was there before, and
// the counts are right after it.
// Method: the index in a file; its invariants are checked as SQL after each test. Random contents
// are compared with what they say.
#include "store/index/sqlite_adoption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "store/index/sqlite_index.h"
#include "support/fake_clock.h"
#include "support/index_check.h"
#include "support/index_values.h"
#include "support/temporary_directory.h"

namespace berth::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RepositoryContent::Blob blob_of(std::uint64_t number) {
    return {digest_of(number), number};
}

class SqliteAdoption : public testing::Test {
  protected:
    ~SqliteAdoption() override {
        index_.reset();
        EXPECT_THAT(inconsistencies_of(path_), IsEmpty());
    }

    TagRecord tag(const std::string& name, std::uint64_t manifest, int second = 0) const {
        const Time at = clock_.now() - std::chrono::hours(1) + std::chrono::seconds(second);
        return {tag_of(name), digest_of(manifest), at, kAdoptionActor};
    }
    void adopt(const RepositoryContent& content) {
        const auto adopted = index_->adopt(name_, content);
        ASSERT_TRUE(adopted) << adopted.error().detail;
    }
    std::vector<std::string> tags() {
        std::vector<std::string> tags;
        const auto page = index_->tags(name_, "", 1000).value();
        for (const auto& name : page.names) {
            const auto record = index_->find_tag(name_, tag_of(name)).value();
            tags.push_back(name + "=" + record->digest.text().substr(66));
        }
        return tags;
    }
    bool has_manifest(std::uint64_t number) {
        return index_->find_manifest(name_, digest_of(number)).value().has_value();
    }
    bool has_blob(std::uint64_t number) {
        return index_->find_blob(name_, digest_of(number)).value().has_value();
    }
    std::string moves(const std::string& name) {
        std::string moves;
        const auto history = index_->history(name_, tag_of(name)).value();
        for (const auto& move : history) {
            const auto text = [](const auto& digest) {
                return digest ? digest->text().substr(66) : std::string("-");
            };
            moves += move.actor + ":" + text(move.old_digest) + ">" + text(move.new_digest) + " ";
        }
        return moves;
    }

    const TemporaryDirectory directory_;
    const std::string path_ = directory_.file("index.db");
    FakeClock clock_;
    std::unique_ptr<Index> index_ = open_sqlite_index({.path = path_}, clock_).value();
    const RepositoryName name_ = repository_of("team/app");
    const RepositoryName other_ = repository_of("team/other");
};

TEST_F(SqliteAdoption, ARepositoryHasWhatItsFilesSay) {
    adopt({.blobs = {blob_of(1), blob_of(2), blob_of(3)},
           .manifests = {image_of(10, {digest_of(1), digest_of(2)}), image_of(11, {digest_of(1)}),
                         index_of(12, {digest_of(10), digest_of(11)})},
           .tags = {tag("latest", 12), tag("v1", 10), tag("v2", 10)}});
    EXPECT_THAT(tags(), ElementsAre("latest=00012", "v1=00010", "v2=00010"));
    EXPECT_EQ(index_->find_blob(name_, digest_of(3)).value(), 3u);
    EXPECT_EQ(index_->find_manifest(name_, digest_of(10)).value()->size, 110u);
    EXPECT_EQ(index_->find_tag(name_, tag_of("v1")).value()->updated_at,
              clock_.now() - std::chrono::hours(1));
    EXPECT_EQ(moves("v1"), "registry:2:->00010 ");
    EXPECT_THAT(index_->repositories("", 10).value().names, ElementsAre("team/app"));
    const auto totals = index_->totals().value();
    EXPECT_EQ(totals.manifests, 3u);
    EXPECT_EQ(totals.tags, 3u);
}

TEST_F(SqliteAdoption, ReferrersAreFound) {
    ManifestRecord signature = image_of(20, {digest_of(1)});
    signature.subject = digest_of(10);
    signature.artifact_type = "signature";
    signature.annotations = R"({"a":"b"})";
    adopt({.blobs = {blob_of(1)}, .manifests = {image_of(10), signature}, .tags = {}});
    const auto referrers = index_->referrers(name_, digest_of(10), "", "", 10).value();
    ASSERT_EQ(referrers.size(), 1u);
    EXPECT_EQ(referrers[0].digest, digest_of(20));
    EXPECT_EQ(referrers[0].artifact_type, "signature");
    EXPECT_EQ(referrers[0].annotations, R"({"a":"b"})");
}

TEST_F(SqliteAdoption, WhatAManifestNamesAndIsNotThereIsLeftOut) {
    adopt({.blobs = {blob_of(1)},
           .manifests = {image_of(10, {digest_of(1), digest_of(2)}), index_of(11, {digest_of(12)})},
           .tags = {tag("v1", 10), tag("lost", 13)}});
    EXPECT_TRUE(has_manifest(10));
    EXPECT_FALSE(has_blob(2));
    EXPECT_FALSE(index_->find_stored(digest_of(2)).value());
    EXPECT_THAT(tags(), ElementsAre("v1=00010"));
}

TEST_F(SqliteAdoption, BlobsAreSharedBetweenRepositories) {
    adopt({.blobs = {blob_of(1)}, .manifests = {image_of(10, {digest_of(1)})}, .tags = {}});
    ASSERT_TRUE(index_->adopt(
        other_, {.blobs = {blob_of(1)}, .manifests = {image_of(10, {digest_of(1)})}, .tags = {}}));
    EXPECT_EQ(index_->repositories_with(digest_of(1), 10).value().size(), 2u);
    EXPECT_EQ(index_->totals().value().blob_bytes, 1u + 110u);
}

TEST_F(SqliteAdoption, IsDoneOnce) {
    EXPECT_FALSE(index_->adopted(name_).value());
    adopt({.blobs = {}, .manifests = {image_of(10)}, .tags = {tag("v1", 10)}});
    EXPECT_TRUE(index_->adopted(name_).value());
    EXPECT_FALSE(index_->adopted(other_).value());
    ASSERT_TRUE(index_->delete_tag(name_, tag_of("v1"), {"alice"}));
    adopt({.blobs = {}, .manifests = {image_of(10)}, .tags = {tag("v1", 10)}});
    EXPECT_THAT(tags(), IsEmpty());
}

TEST_F(SqliteAdoption, AnEmptyRepositoryIsRememberedAndNotListed) {
    adopt({});
    EXPECT_TRUE(index_->adopted(name_).value());
    EXPECT_FALSE(index_->has_repository(name_).value());
    EXPECT_THAT(index_->repositories("", 10).value().names, IsEmpty());
}

TEST_F(SqliteAdoption, OnceAllIsAdoptedEachIs) {
    EXPECT_FALSE(index_->adopted_all().value());
    adopt({.blobs = {blob_of(1)}, .manifests = {}, .tags = {}});
    ASSERT_TRUE(index_->set_adopted_all());
    ASSERT_TRUE(index_->set_adopted_all());
    EXPECT_TRUE(index_->adopted_all().value());
    EXPECT_TRUE(index_->adopted(other_).value());
    ASSERT_TRUE(index_->adopt(other_, {.blobs = {blob_of(1)}, .manifests = {}, .tags = {}}));
    EXPECT_FALSE(index_->find_blob(other_, digest_of(1)).value());
    ASSERT_TRUE(index_->set_given_back());
    EXPECT_FALSE(index_->adopted_all().value());
    EXPECT_FALSE(index_->adopted(name_).value());
}

TEST_F(SqliteAdoption, SurvivesARestart) {
    adopt({.blobs = {blob_of(1)}, .manifests = {}, .tags = {}});
    index_.reset();
    index_ = open_sqlite_index({.path = path_}, clock_).value();
    EXPECT_TRUE(index_->adopted(name_).value());
    ASSERT_TRUE(index_->set_adopted_all());
    index_.reset();
    index_ = open_sqlite_index({.path = path_}, clock_).value();
    EXPECT_TRUE(index_->adopted_all().value());
}

TEST_F(SqliteAdoption, ChangesTheVersionThatCachesCompare) {
    const auto before = index_->version(name_);
    adopt({.blobs = {blob_of(1)}, .manifests = {}, .tags = {}});
    EXPECT_NE(index_->version(name_), before);
}

// After an export in place the original has served: what it did comes back.
TEST_F(SqliteAdoption, TheTreeIsTheTruthAfterItWasGivenBack) {
    const Actor alice{"alice"};
    for (const std::uint64_t blob : {1, 2, 3})
        ASSERT_TRUE(index_->link_blob(name_, digest_of(blob), blob, alice));
    for (const std::uint64_t image : {10, 11, 12}) {
        ASSERT_TRUE(index_->put_manifest(name_, image_of(image, {digest_of(image - 9)}),
                                         {tag_of("v" + std::to_string(image))}, Overwrite::yes,
                                         alice));
    }
    ASSERT_TRUE(index_->set_adopted_all());
    ASSERT_TRUE(index_->set_given_back());
    // Image 12 was deleted, 13 pushed; v11 was moved to it, v12 deleted, v10 left alone.
    adopt({.blobs = {blob_of(1), blob_of(2), blob_of(4)},
           .manifests = {image_of(10, {digest_of(1)}), image_of(11, {digest_of(2)}),
                         image_of(13, {digest_of(4)})},
           .tags = {tag("v10", 10), tag("v11", 13), tag("v13", 13)}});
    EXPECT_THAT(tags(), ElementsAre("v10=00010", "v11=00013", "v13=00013"));
    EXPECT_TRUE(has_manifest(11));
    EXPECT_FALSE(has_manifest(12));
    EXPECT_FALSE(has_blob(3));
    EXPECT_TRUE(has_blob(4));
    EXPECT_EQ(moves("v10"), "alice:->00010 ");
    EXPECT_EQ(moves("v11"), "registry:2:00011>00013 alice:->00011 ");
    EXPECT_EQ(moves("v12"), "registry:2:00012>- alice:->00012 ");
    EXPECT_EQ(index_->find_tag(name_, tag_of("v10")).value()->actor, "alice");
}

TEST_F(SqliteAdoption, WhatAKnownManifestNamesMayHaveComeSince) {
    adopt({.blobs = {}, .manifests = {index_of(12, {digest_of(10)})}, .tags = {tag("v1", 12)}});
    ASSERT_TRUE(index_->set_given_back());
    adopt({.blobs = {},
           .manifests = {image_of(10), index_of(12, {digest_of(10)})},
           .tags = {tag("v1", 12)}});
    EXPECT_TRUE(has_manifest(10));
    // It is counted as named: the destructor's check would say otherwise.
}

TEST_F(SqliteAdoption, ARepositoryThatTheTreeLostIsEmptied) {
    adopt({.blobs = {blob_of(1)},
           .manifests = {image_of(10, {digest_of(1)})},
           .tags = {tag("v1", 10)}});
    ASSERT_TRUE(index_->set_given_back());
    adopt({});
    EXPECT_FALSE(index_->has_repository(name_).value());
    EXPECT_EQ(moves("v1"), "registry:2:00010>- registry:2:->00010 ");
}

TEST_F(SqliteAdoption, AChildThatComesBackIsStillCountedFor) {
    adopt({.blobs = {blob_of(1)},
           .manifests = {image_of(10, {digest_of(1)}), index_of(12, {digest_of(10)})},
           .tags = {tag("v1", 12)}});
    ASSERT_TRUE(index_->delete_manifest(name_, digest_of(10), {"alice"}));
    ASSERT_TRUE(index_->set_given_back());
    adopt({.blobs = {blob_of(1)},
           .manifests = {image_of(10, {digest_of(1)}), index_of(12, {digest_of(10)})},
           .tags = {tag("v1", 12)}});
    EXPECT_TRUE(has_manifest(10));
}

TEST_F(SqliteAdoption, NothingIsToldOfToEndpoints) {
    index_.reset();
    index_ = open_sqlite_index(
                 {.path = path_, .events = {.push = true, .mount = true, .remove = true}}, clock_)
                 .value();
    adopt({.blobs = {blob_of(1)}, .manifests = {image_of(10)}, .tags = {tag("v1", 10)}});
    ASSERT_TRUE(index_->set_given_back());
    adopt({});
    EXPECT_THAT(index_->events(0, 10).value(), IsEmpty());
}

TEST_F(SqliteAdoption, TakesManyRepositoriesAtOnce) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([this, thread] {
            for (int i = 0; i < 25; ++i) {
                const auto name = repository_of("r" + std::to_string(thread * 25 + i));
                EXPECT_TRUE(index_->adopt(name, {.blobs = {blob_of(1)},
                                                 .manifests = {image_of(10, {digest_of(1)})},
                                                 .tags = {tag("v1", 10)}}));
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(index_->totals().value().repositories, 100u);
    EXPECT_EQ(index_->repositories_with(digest_of(1), 1000).value().size(), 100u);
}

// Contents that follow one another in the same repository, between them what clients do: the index
// has what the last content said.
TEST_F(SqliteAdoption, RandomContentsReplaceEachOther) {
    std::mt19937_64 random(20261125);
    const auto below = [&random](std::uint64_t end) { return random() % end; };
    for (int round = 0; round < 60; ++round) {
        RepositoryContent content;
        std::set<Digest> blobs, manifests;
        std::map<std::string, Digest> wanted;
        for (std::uint64_t i = below(8); i > 0; --i)
            blobs.insert(digest_of(1 + below(9)));
        for (const auto& digest : blobs)
            content.blobs.push_back({digest, 7});
        for (std::uint64_t number = 20; number < 30; ++number) {
            if (below(2) == 0) continue;
            ManifestRecord record = number < 26 ? image_of(number) : index_of(number, {});
            for (std::uint64_t i = number % 4; number < 26 && i > 0; --i)
                record.blobs.push_back(digest_of((number * i) % 9 + 1));
            for (std::uint64_t i = number % 3 + 1; number >= 26 && i > 0; --i)
                record.manifests.push_back(digest_of(20 + (number * i) % 6));
            manifests.insert(record.digest);
            content.manifests.push_back(record);
        }
        for (int i = 0; i < 6; ++i) {
            const auto name = "t" + std::to_string(below(5));
            const auto digest = digest_of(20 + below(10));
            if (!manifests.contains(digest) || wanted.contains(name)) continue;
            wanted.emplace(name, digest);
            content.tags.push_back({tag_of(name), digest, clock_.now(), kAdoptionActor});
        }
        clock_.advance(std::chrono::minutes(1));
        ASSERT_TRUE(index_->set_given_back());
        adopt(content);
        for (std::uint64_t number = 1; number < 10; ++number)
            EXPECT_EQ(has_blob(number), blobs.contains(digest_of(number))) << round;
        for (std::uint64_t number = 20; number < 30; ++number)
            EXPECT_EQ(has_manifest(number), manifests.contains(digest_of(number))) << round;
        EXPECT_EQ(tags().size(), wanted.size());
        for (const auto& [name, digest] : wanted)
            EXPECT_EQ(index_->find_tag(name_, tag_of(name)).value()->digest, digest);
        EXPECT_THAT(inconsistencies_of(path_), IsEmpty()) << round;
        // What clients do in between.
        if (!content.tags.empty() && below(2) == 0) {
            ASSERT_TRUE(index_->delete_tag(name_, content.tags[0].tag, {"alice"}));
        }
        if (!manifests.empty() && below(2) == 0) {
            ASSERT_TRUE(index_->delete_manifest(name_, *manifests.begin(), {"alice"}));
        }
        if (below(2) == 0) {
            ASSERT_TRUE(index_->link_blob(name_, digest_of(1), 7, {"alice"}));
        }
    }
}

}  // namespace
}  // namespace berth::store
