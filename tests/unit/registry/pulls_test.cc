// Goal: a pull gets what the index names, whole, and nothing else; from memory as soon as it can,
// and never something older than an acknowledgement. Method: a registry in memory.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

using PullTest = RegistryFixture;

TEST_F(PullTest, ServesAManifestByTagAndByDigest) {
    const auto digest = push_image(app_, "latest");
    for (const Reference& reference : {Reference(tag_of("latest")), Reference(digest)}) {
        const auto content = registry().manifest(app_, reference);
        ASSERT_TRUE(content) << content.error().detail;
        EXPECT_EQ((*content)->digest, digest);
        EXPECT_EQ((*content)->media_type, kOciManifest);
        EXPECT_EQ(text_of(**content), image_json({descriptor_of("layer")}));
        EXPECT_EQ((*content)->size, text_of(**content).size());
    }
}

TEST_F(PullTest, ServesBlobsOfAllSizes) {
    for (const std::size_t size : {0u, 1u, 65'536u, 65'537u, 1'000'000u}) {
        const std::string bytes(size, 'x');
        const auto digest = push_blob(app_, bytes);
        const auto content = registry().blob(app_, digest);
        ASSERT_TRUE(content) << content.error().detail;
        EXPECT_EQ((*content)->size, size);
        EXPECT_EQ((*content)->media_type, "");
        EXPECT_EQ((*content)->bytes != nullptr, size <= 65'536) << size;
        EXPECT_EQ(text_of(**content), bytes);
    }
}

TEST_F(PullTest, KnowsNothingOfOtherRepositories) {
    const auto manifest = push_image(app_, "latest");
    const auto layer = sha256_of("layer");
    push_blob(other_, "something");
    EXPECT_EQ(manifest_error(other_, tag_of("latest")), Errc::not_found);
    EXPECT_EQ(manifest_error(other_, manifest), Errc::not_found);
    EXPECT_EQ(blob_error(other_, layer), Errc::not_found);
    EXPECT_EQ(manifest_error(repository_of("nobody"), manifest), Errc::not_found);
    EXPECT_EQ(manifest_error(app_, tag_of("v2")), Errc::not_found);
    EXPECT_EQ(manifest_error(app_, sha256_of("else")), Errc::not_found);
}

TEST_F(PullTest, TellsManifestsFromBlobs) {
    const auto manifest = push_image(app_, "latest");
    EXPECT_EQ(blob_error(app_, manifest), Errc::not_found);
    EXPECT_EQ(manifest_error(app_, sha256_of("layer")), Errc::not_found);
}

TEST_F(PullTest, AnswersTheNextPullFromMemory) {
    const auto digest = push_image(app_, "latest");
    EXPECT_FALSE(registry().cached_manifest("team/app", "latest"));
    const auto by_tag = registry().manifest(app_, tag_of("latest")).value();
    EXPECT_EQ(registry().cached_manifest("team/app", "latest"), by_tag);
    EXPECT_EQ(registry().cached_manifest("team/app", digest.text()), by_tag);
    EXPECT_FALSE(registry().cached_blob("team/app", digest.text()));
    const auto layer = registry().blob(app_, sha256_of("layer")).value();
    EXPECT_EQ(registry().cached_blob("team/app", layer->digest.text()), layer);
    EXPECT_FALSE(registry().cached_blob("team/other", layer->digest.text()));
    EXPECT_FALSE(registry().cached_manifest("../etc", "Not a name"));
}

TEST_F(PullTest, KeepsTheBytesOverAChangeThatLeavesThemThere) {
    const auto digest = push_image(app_, "latest");
    const auto before = registry().manifest(app_, tag_of("latest")).value();
    push_image(app_, "v2", "another layer");
    EXPECT_FALSE(registry().cached_manifest("team/app", "latest"));
    EXPECT_EQ(registry().manifest(app_, tag_of("latest")).value(), before);
    EXPECT_EQ(registry().cached_manifest("team/app", digest.text()), before);
}

TEST_F(PullTest, ForgetsWhatIsDeleted) {
    const auto digest = push_image(app_, "latest");
    ASSERT_TRUE(registry().manifest(app_, tag_of("latest")));
    ASSERT_TRUE(registry().blob(app_, sha256_of("layer")));
    ASSERT_TRUE(registry().delete_tag(app_, tag_of("latest"), actor_));
    EXPECT_FALSE(registry().cached_manifest("team/app", "latest"));
    EXPECT_EQ(manifest_error(app_, tag_of("latest")), Errc::not_found);
    ASSERT_TRUE(registry().manifest(app_, digest));
    ASSERT_TRUE(registry().delete_manifest(app_, digest, actor_));
    EXPECT_FALSE(registry().cached_manifest("team/app", digest.text()));
    EXPECT_EQ(manifest_error(app_, digest), Errc::not_found);
    ASSERT_TRUE(registry().blob(app_, sha256_of("layer")));
    ASSERT_TRUE(registry().delete_blob(app_, sha256_of("layer"), actor_));
    EXPECT_FALSE(registry().cached_blob("team/app", sha256_of("layer").text()));
    EXPECT_EQ(blob_error(app_, sha256_of("layer")), Errc::not_found);
}

TEST_F(PullTest, ServesNoSmallBytesThatHaveAnotherDigest) {
    const auto manifest = push_image(app_, "latest");
    damage(manifest);
    damage(sha256_of("layer"));
    EXPECT_EQ(manifest_error(app_, manifest), Errc::corrupt);
    EXPECT_EQ(manifest_error(app_, tag_of("latest")), Errc::corrupt);
    EXPECT_EQ(blob_error(app_, sha256_of("layer")), Errc::corrupt);
}

TEST_F(PullTest, SaysWhatIsMissingOrCutShortOnTheDisk) {
    const std::string bytes(100'000, 'x');
    const auto digest = push_blob(app_, bytes);
    ASSERT_TRUE(directory_->open_to_write(path_of(digest)).value()->truncate(99'999));
    EXPECT_EQ(blob_error(app_, digest), Errc::corrupt);
    ASSERT_TRUE(directory_->remove(path_of(digest)));
    EXPECT_EQ(blob_error(app_, digest), Errc::corrupt);
}

TEST_F(PullTest, ServesTheSameContentUnderBothAlgorithms) {
    push_blob(app_, "{}");
    const auto json = image_json({});
    for (const Digest& digest : {sha256_of(json), sha512_of(json)}) {
        EXPECT_EQ(push(app_, digest, json), digest);
        const auto content = registry().manifest(app_, digest).value();
        EXPECT_EQ(content->digest, digest);
        EXPECT_EQ(text_of(*content), json);
    }
}

// The media type may have come with the request, and so differ between repositories.
TEST_F(PullTest, ServesTheMediaTypeOfTheLastPush) {
    push_blob(app_, "{}");
    const auto json = R"({"schemaVersion":2,"config":)" + descriptor_of("{}") + R"(,"layers":[]})";
    auto request = push_of(app_, tag_of("latest"), json);
    for (const char* type :
         {kOciManifest, "application/vnd.docker.distribution.manifest.v2+json"}) {
        request.content_type = type;
        ASSERT_TRUE(registry().put_manifest(request));
        EXPECT_EQ(registry().manifest(app_, tag_of("latest")).value()->media_type, type);
    }
}

// A tag that somebody moves back and forth, the old manifest deleted each time, is always there.
TEST_F(PullTest, AlwaysFindsATagThatMoves) {
    push_image(app_, "latest", "0");
    std::atomic<bool> done = false;
    std::atomic<int> failures = 0;
    std::atomic<int> pulls = 0;
    std::thread reader([&] {
        while (!done || pulls < 50) {
            if (!registry().manifest(app_, tag_of("latest"))) ++failures;
            ++pulls;
        }
    });
    for (int i = 1; i < 200; ++i) {
        const auto old = index_->find_tag(app_, tag_of("latest")).value()->digest;
        push_image(app_, "latest", std::to_string(i));
        EXPECT_TRUE(registry().delete_manifest(app_, old, actor_));
    }
    done = true;
    reader.join();
    EXPECT_EQ(failures, 0);
}

// What a push was acknowledged for is what the next pull sees, cached or not.
TEST_F(PullTest, NeverServesATagOlderThanItsLastAcknowledgedPush) {
    std::atomic<int> acknowledged = -1;
    std::atomic<bool> done = false;
    std::atomic<int> stale = 0;
    std::vector<Digest> digests;
    for (int i = 0; i < 100; ++i)
        digests.push_back(sha256_of(image_json({descriptor_of(std::to_string(i))})));
    auto read = [&] {
        while (!done) {
            const int expected = acknowledged;
            auto content = registry().cached_manifest("team/app", "latest");
            if (!content) content = registry().manifest(app_, tag_of("latest")).value_or(nullptr);
            if (expected < 0) continue;
            const auto found =
                content ? std::ranges::find(digests, content->digest) - digests.begin() : -1;
            if (found < expected) ++stale;
        }
    };
    std::thread first(read);
    std::thread second(read);
    for (int i = 0; i < 100; ++i) {
        push_image(app_, "latest", std::to_string(i));
        acknowledged = i;
    }
    done = true;
    first.join();
    second.join();
    EXPECT_EQ(stale, 0);
}

}  // namespace
}  // namespace berth::registry
