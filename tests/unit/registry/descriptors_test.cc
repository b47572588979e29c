// Goal: a descriptor cache answers what memory has lost, and never makes a blob outlive the
// acknowledged end of it. Method: a registry that keeps nothing in memory, with a cache whose calls
// a test can come between.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

// Keeps the entry that was put last, as Redis does.
class MemoryDescriptors final : public store::DescriptorCache {
  public:
    std::optional<std::uint64_t> find(const RepositoryName& repository, const Digest& digest,
                                      std::uint64_t version) override {
        ++finds;
        if (before_find) std::exchange(before_find, {})();
        std::lock_guard lock(mutex_);
        const auto found = entries_.find({repository.text(), digest.text()});
        if (found == entries_.end() || found->second.first != version) return std::nullopt;
        ++hits;
        return found->second.second;
    }
    void put(const RepositoryName& repository, const Digest& digest, std::uint64_t version,
             std::uint64_t size) override {
        ++puts;
        if (before_put) std::exchange(before_put, {})();
        std::lock_guard lock(mutex_);
        entries_[{repository.text(), digest.text()}] = {version, size};
    }

    std::atomic<int> finds = 0, hits = 0, puts = 0;
    std::function<void()> before_find, before_put;  // called once

  private:
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, std::uint64_t>> entries_;
};

class DescriptorsTest : public RegistryFixture {
  protected:
    DescriptorsTest() { restart({.cache_bytes_max = 0, .cache_files_max = 0}); }

    void restart(RegistryOptions options) {
        options.descriptors = &descriptors_;
        RegistryFixture::restart(std::move(options));
    }

    MemoryDescriptors descriptors_;
};

TEST_F(DescriptorsTest, AnswersWhatMemoryHasLost) {
    const auto digest = push_blob(app_, "layer");
    ASSERT_TRUE(registry().blob(app_, digest));
    EXPECT_EQ(descriptors_.puts, 1);
    const auto again = registry().blob(app_, digest);
    ASSERT_TRUE(again);
    EXPECT_EQ(text_of(**again), "layer");
    EXPECT_EQ(descriptors_.hits, 1);
    EXPECT_EQ(descriptors_.puts, 1) << "the index was asked again";
}

TEST_F(DescriptorsTest, IsNotAskedForWhatIsInMemory) {
    restart({});
    const auto digest = push_blob(app_, "layer");
    ASSERT_TRUE(registry().blob(app_, digest));
    ASSERT_TRUE(registry().cached_blob("team/app", digest.text()));
    EXPECT_EQ(descriptors_.finds, 1);
}

TEST_F(DescriptorsTest, KeepsNothingOfWhatIsNotThere) {
    EXPECT_EQ(blob_error(app_, sha256_of("layer")), Errc::not_found);
    EXPECT_EQ(descriptors_.puts, 0);
    const auto digest = push_blob(app_, "layer");
    EXPECT_TRUE(registry().blob(app_, digest));
}

TEST_F(DescriptorsTest, IsAskedAnewAfterAChangeOfTheRepository) {
    const auto digest = push_blob(app_, "layer");
    ASSERT_TRUE(registry().blob(app_, digest));
    push_blob(app_, "another");
    ASSERT_TRUE(registry().blob(app_, digest));
    EXPECT_EQ(descriptors_.hits, 0);
    EXPECT_EQ(descriptors_.puts, 2);
    ASSERT_TRUE(registry().blob(app_, digest));
    EXPECT_EQ(descriptors_.hits, 1);
}

TEST_F(DescriptorsTest, ADeletedBlobIsGoneThoughItsEntryStays) {
    const auto digest = push_blob(app_, "layer");
    push_blob(other_, "layer");
    ASSERT_TRUE(registry().blob(app_, digest));
    ASSERT_TRUE(registry().delete_blob(app_, digest, actor_));
    EXPECT_EQ(blob_error(app_, digest), Errc::not_found);
    EXPECT_TRUE(registry().blob(other_, digest));
    EXPECT_EQ(push_blob(app_, "layer"), digest);
    EXPECT_TRUE(registry().blob(app_, digest));
}

TEST_F(DescriptorsTest, AnEntryIsOfTheVersionFromBeforeTheIndexWasAsked) {
    const auto digest = push_blob(app_, "layer");
    descriptors_.before_find = [&] { push_blob(app_, "another"); };
    ASSERT_TRUE(registry().blob(app_, digest));
    ASSERT_TRUE(registry().blob(app_, digest));
    EXPECT_EQ(descriptors_.hits, 0);
    ASSERT_TRUE(registry().blob(app_, digest));
    EXPECT_EQ(descriptors_.hits, 1);
}

// The pull has asked the index, and is late with its entry.
TEST_F(DescriptorsTest, ABlobThatIsDeletedBeforeAPullWritesItsEntryIsGone) {
    const auto digest = push_blob(app_, "layer");
    descriptors_.before_put = [&] {
        ASSERT_TRUE(registry().delete_blob(app_, digest, actor_));
        EXPECT_EQ(blob_error(app_, digest), Errc::not_found);
    };
    ASSERT_TRUE(registry().blob(app_, digest)) << "it was there when the pull began";
    EXPECT_EQ(descriptors_.puts, 1);
    EXPECT_EQ(blob_error(app_, digest), Errc::not_found);
    EXPECT_EQ(descriptors_.hits, 0);
}

TEST_F(DescriptorsTest, NoPullAmongManyBringsBackWhatIsDeleted) {
    const auto digest = push_blob(app_, "layer");
    std::vector<std::jthread> pulls;  // told to stop by their end
    for (int i = 0; i < 3; ++i) {
        pulls.emplace_back([&](const std::stop_token& stop) {
            while (!stop.stop_requested())
                static_cast<void>(registry().blob(app_, digest));
        });
    }
    for (int round = 0; round < 200; ++round) {
        ASSERT_TRUE(registry().delete_blob(app_, digest, actor_));
        for (int i = 0; i < 10; ++i)
            ASSERT_EQ(blob_error(app_, digest), Errc::not_found);
        push_blob(app_, "layer");
    }
}

}  // namespace
}  // namespace berth::registry
