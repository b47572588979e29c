// Goal: the cache answers only what the index still stands by, and keeps its limits. Method: an
// index in memory gives the versions; contents are made up.
#include "registry/pull_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

using Kind = PullCache::Kind;

class PullCacheTest : public RegistryFixture {
  protected:
    static ContentPtr content_of(const std::string& text, std::size_t size = 10) {
        return std::make_shared<const Content>(
            Content{sha256_of(text), "type", size,
                    std::make_shared<const std::string>(text + std::string(size, '.')), nullptr});
    }
    ContentPtr file_content_of(const std::string& text) {
        std::shared_ptr<io::File> file = directory_->create(text).value();
        return std::make_shared<const Content>(Content{sha256_of(text), "", 1, nullptr, file});
    }
    void put(PullCache& cache, const std::string& reference, ContentPtr content) {
        cache.put(Kind::manifest, app_, reference, index_->version(app_), std::move(content));
    }
    std::size_t count(const PullCache& cache, const std::vector<std::string>& references) {
        std::size_t found = 0;
        for (const auto& reference : references)
            found += cache.find(Kind::manifest, "team/app", reference) ? 1 : 0;
        return found;
    }
};

TEST_F(PullCacheTest, FindsWhatWasPutUnderThatNameOnly) {
    PullCache cache(*index_, {1 << 20, 10});
    const auto content = content_of("a");
    put(cache, "latest", content);
    EXPECT_EQ(cache.find(Kind::manifest, "team/app", "latest"), content);
    EXPECT_FALSE(cache.find(Kind::blob, "team/app", "latest"));
    EXPECT_FALSE(cache.find(Kind::manifest, "team/app", "lates"));
    EXPECT_FALSE(cache.find(Kind::manifest, "team/ap", "latest"));
    EXPECT_FALSE(cache.find(Kind::manifest, "latest", "team/app"));
    EXPECT_FALSE(cache.find(Kind::manifest, "", ""));
}

TEST_F(PullCacheTest, AnswersNoMoreWhenTheRepositoryHasChanged) {
    PullCache cache(*index_, {1 << 20, 10});
    const auto content = content_of("a");
    put(cache, content->digest.text(), content);
    push_blob(app_, "something else");
    EXPECT_FALSE(cache.find(Kind::manifest, "team/app", content->digest.text()));
    EXPECT_EQ(cache.recall(Kind::manifest, app_, content->digest), content);
    put(cache, content->digest.text(), content);
    EXPECT_EQ(cache.find(Kind::manifest, "team/app", content->digest.text()), content);
}

// A reader that was overtaken by a writer puts what it found under the version of before.
TEST_F(PullCacheTest, NeverAnswersWithWhatWasReadBeforeTheChange) {
    PullCache cache(*index_, {1 << 20, 10});
    const auto before = index_->version(app_);
    push_blob(app_, "something else");
    cache.put(Kind::manifest, app_, "latest", before, content_of("old"));
    EXPECT_FALSE(cache.find(Kind::manifest, "team/app", "latest"));
}

TEST_F(PullCacheTest, ReplacesAnEntry) {
    PullCache cache(*index_, {1 << 20, 10});
    put(cache, "latest", content_of("a"));
    put(cache, "latest", file_content_of("b"));
    put(cache, "latest", file_content_of("c"));
    const auto last = content_of("d");
    put(cache, "latest", last);
    EXPECT_EQ(cache.find(Kind::manifest, "team/app", "latest"), last);
}

TEST_F(PullCacheTest, ForgetsAnEntryAndClosesItsFile) {
    PullCache cache(*index_, {1 << 20, 10});
    auto content = file_content_of("a");
    const std::weak_ptr<io::File> file = content->file;
    put(cache, "a", std::move(content));
    put(cache, "b", content_of("b"));
    cache.forget(Kind::manifest, app_, "a");
    EXPECT_TRUE(file.expired());
    cache.forget(Kind::manifest, app_, "a");
    EXPECT_EQ(count(cache, {"a", "b"}), 1u);
}

TEST_F(PullCacheTest, KeepsNoMoreBytesThanItMay) {
    PullCache cache(*index_, {20'000, 10});
    std::vector<std::weak_ptr<const Content>> contents;
    for (int i = 0; i < 100; ++i) {
        auto content = content_of(std::to_string(i), 1000);
        contents.push_back(content);
        put(cache, "tag-" + std::to_string(i), std::move(content));
    }
    std::size_t alive = 0;
    for (const auto& content : contents)
        alive += content.expired() ? 0 : 1;
    EXPECT_GT(alive, 5u);
    EXPECT_LT(alive, 20u);
}

TEST_F(PullCacheTest, KeepsNoMoreFilesThanItMay) {
    PullCache cache(*index_, {1 << 20, 5});
    put(cache, "bytes", content_of("bytes"));
    std::vector<std::weak_ptr<io::File>> files;
    for (int i = 0; i < 50; ++i) {
        auto content = file_content_of(std::to_string(i));
        files.push_back(content->file);
        put(cache, "tag-" + std::to_string(i), std::move(content));
    }
    std::size_t open = 0;
    for (const auto& file : files)
        open += file.expired() ? 0 : 1;
    EXPECT_EQ(open, 5u);
    EXPECT_TRUE(cache.find(Kind::manifest, "team/app", "bytes")) << "files go, bytes stay";
}

TEST_F(PullCacheTest, KeepsWhatIsAskedForAgainLonger) {
    PullCache cache(*index_, {40'000, 10});
    std::vector<std::string> wanted;
    for (int i = 0; i < 8; ++i) {
        wanted.push_back("wanted-" + std::to_string(i));
        put(cache, wanted.back(), content_of(wanted.back(), 1000));
    }
    for (int i = 0; i < 500; ++i) {
        EXPECT_EQ(count(cache, wanted), wanted.size()) << i;
        put(cache, "once-" + std::to_string(i), content_of(std::to_string(i), 1000));
    }
}

TEST_F(PullCacheTest, KeepsNothingWithoutRoom) {
    PullCache cache(*index_, {0, 0});
    put(cache, "latest", content_of("a"));
    put(cache, "file", file_content_of("b"));
    EXPECT_EQ(count(cache, {"latest", "file"}), 0u);
}

TEST_F(PullCacheTest, ServesManyThreads) {
    PullCache cache(*index_, {30'000, 4});
    std::atomic<int> wrong = 0;
    std::vector<ContentPtr> contents;
    for (int i = 0; i < 64; ++i)
        contents.push_back(i % 8 == 0 ? file_content_of(std::to_string(i))
                                      : content_of(std::to_string(i), 500));
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (std::size_t i = 0; i < 2000; ++i) {
                const std::size_t pick = (i * (thread + 1)) % contents.size();
                const std::string name = "tag-" + std::to_string(pick);
                const auto found = cache.find(Kind::manifest, "team/app", name);
                if (found && found != contents[pick]) ++wrong;
                if (!found) put(cache, name, contents[pick]);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace berth::registry
