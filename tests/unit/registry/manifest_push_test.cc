// Goal: a manifest is pushed as a whole or not at all: bytes, digest, tags, references. Method: a
// registry in memory. The rules on what a manifest names are in manifest_check_test.cc.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

class ManifestPushTest : public RegistryFixture {
  protected:
    void SetUp() override { push_blob(app_, "{}"); }
    std::vector<std::string> tags() { return registry().tags(app_, "", 100, kAll).value().names; }

    // Images that differ.
    static std::string image(int number) {
        return image_json({}, R"(,"annotations":{"n":")" + std::to_string(number) + R"("})");
    }
};

TEST_F(ManifestPushTest, AnswersWithTheDigestAndTheSubject) {
    const auto plain = try_push(app_, tag_of("latest"), image(1));
    EXPECT_EQ(plain.value().digest, sha256_of(image(1)));
    EXPECT_FALSE(plain.value().subject);
    const auto json = image_json({}, R"(,"subject":)" + child_of("not there"));
    const auto referrer = try_push(app_, sha256_of(json), json);
    EXPECT_EQ(referrer.value().subject, sha256_of("not there"));
}

TEST_F(ManifestPushTest, RefusesADigestThatIsNotThatOfTheBytes) {
    for (const Digest& asked : {sha256_of("else"), sha512_of("else")}) {
        const auto pushed = try_push(app_, asked, image(1));
        ASSERT_FALSE(pushed);
        EXPECT_EQ(pushed.error().code, Errc::invalid);
        const auto actual = oci::digest_of(asked.algorithm(), as_bytes(image(1)));
        EXPECT_THAT(pushed.error().detail, testing::HasSubstr(actual.text()));
        EXPECT_EQ(manifest_error(app_, asked), Errc::not_found);
    }
}

TEST_F(ManifestPushTest, RefusesWhatIsNoManifest) {
    EXPECT_EQ(try_push(app_, tag_of("a"), "{").error().code, Errc::invalid);
    const auto json = image(1);
    auto request = push_of(app_, tag_of("a"), json);
    request.content_type = "text/html";
    EXPECT_EQ(registry().put_manifest(request).error().code, Errc::unsupported);
    request.content_type = kOciIndex;
    EXPECT_EQ(registry().put_manifest(request).error().code, Errc::invalid);
    const std::string huge(oci::kManifestBytesMax + 1, ' ');
    EXPECT_EQ(try_push(app_, tag_of("a"), huge).error().code, Errc::too_large);
    EXPECT_TRUE(tags().empty());
}

TEST_F(ManifestPushTest, KeepsTheExactBytes) {
    const auto json = "  " + image(1) + "\n";
    push(app_, tag_of("latest"), json);
    EXPECT_EQ(text_of(*registry().manifest(app_, tag_of("latest")).value()), json);
}

TEST_F(ManifestPushTest, SetsMoreTagsAtOnce) {
    const auto json = image(1);
    auto request = push_of(app_, sha256_of(json), json);
    request.tags = {tag_of("v1"), tag_of("v1.2"), tag_of("v1")};
    ASSERT_TRUE(registry().put_manifest(request));
    EXPECT_THAT(tags(), testing::ElementsAre("v1", "v1.2"));
    request.reference = tag_of("latest");
    ASSERT_TRUE(registry().put_manifest(request));
    EXPECT_THAT(tags(), testing::ElementsAre("latest", "v1", "v1.2"));
}

TEST_F(ManifestPushTest, MovesATag) {
    push(app_, tag_of("latest"), image(1));
    push(app_, tag_of("latest"), image(2));
    EXPECT_EQ(registry().manifest(app_, tag_of("latest")).value()->digest, sha256_of(image(2)));
    EXPECT_TRUE(registry().manifest(app_, sha256_of(image(1))));
}

TEST_F(ManifestPushTest, MovesNoTagForThoseWhoMayOnlyCreate) {
    push(app_, tag_of("v1"), image(1));
    const auto json = image(2);
    auto request = push_of(app_, tag_of("v2"), json);
    request.tags = {tag_of("v1")};
    request.overwrite = ManifestPush::Overwrite::no;
    const auto refused = registry().put_manifest(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::already_exists);
    EXPECT_EQ(refused.error().detail, "v1");
    EXPECT_THAT(tags(), testing::ElementsAre("v1"));
    EXPECT_EQ(manifest_error(app_, sha256_of(json)), Errc::not_found);
    request.tags.clear();
    EXPECT_TRUE(registry().put_manifest(request)) << "a new tag";
    EXPECT_TRUE(registry().put_manifest(request)) << "to where it is";
}

TEST_F(ManifestPushTest, TakesTheSameAgain) {
    const auto json = image(1);
    push(app_, tag_of("latest"), json);
    push(app_, tag_of("latest"), json);
    push(app_, sha256_of(json), json);
    EXPECT_EQ(index_->history(app_, tag_of("latest")).value().size(), 1u);
    EXPECT_EQ(index_->totals().value().manifests, 1u);
}

TEST_F(ManifestPushTest, RenewsAManifestThatIsPushedAgain) {
    const auto json = image(1);
    push(app_, tag_of("latest"), json);
    clock_.advance(std::chrono::hours(1));
    push(app_, tag_of("latest"), json);
    EXPECT_EQ(index_->find_tag(app_, tag_of("latest")).value()->updated_at, clock_.now());
}

TEST_F(ManifestPushTest, MendsAManifestThatIsDamagedOnTheDisk) {
    const auto json = image(1);
    const auto digest = push(app_, tag_of("latest"), json);
    damage(digest);
    EXPECT_EQ(manifest_error(app_, digest), Errc::corrupt);
    push(app_, tag_of("latest"), json);
    EXPECT_EQ(text_of(*registry().manifest(app_, digest).value()), json);
    ASSERT_TRUE(directory_->remove(path_of(digest)));
    push(app_, digest, json);
    EXPECT_TRUE(directory_->open(path_of(digest)));
}

TEST_F(ManifestPushTest, StoresAManifestUnderTheAlgorithmThatIsAskedFor) {
    const auto json = image(1);
    auto request = push_of(app_, sha512_of(json), json);
    request.tags = {tag_of("v1")};
    EXPECT_EQ(registry().put_manifest(request).value().digest, sha512_of(json));
    EXPECT_EQ(registry().manifest(app_, tag_of("v1")).value()->digest, sha512_of(json));
    EXPECT_TRUE(directory_->open(path_of(sha512_of(json))));
    EXPECT_EQ(manifest_error(app_, sha256_of(json)), Errc::not_found);
}

TEST_F(ManifestPushTest, RecordsWhoMovedATag) {
    const auto json = image(1);
    auto request = push_of(app_, tag_of("latest"), json);
    request.actor = {"alice"};
    ASSERT_TRUE(registry().put_manifest(request));
    EXPECT_EQ(index_->history(app_, tag_of("latest")).value().at(0).actor, "alice");
}

TEST_F(ManifestPushTest, SucceedsForAllWhoPushTheSameManifest) {
    const auto json = image(1);
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 5; ++i) {
                const auto tag = tag_of("t" + std::to_string((thread + i) % 3));
                if (!try_push(app_, tag, json)) ++failures;
                const auto content = registry().manifest(app_, tag);
                if (!content || text_of(**content) != json) ++failures;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(index_->totals().value().manifests, 1u);
}

// protocol.md §7: a digest push while its tag moves, and deletes in between. Each either succeeds
// or says that something is not there.
TEST_F(ManifestPushTest, StandsPushesAndDeletesAtTheSameTime) {
    std::atomic<int> failures = 0;
    const auto child = image(0);
    const auto parent = index_json({child_of(child)});
    auto push_children = [&] {
        for (int i = 0; i < 100; ++i)
            if (!try_push(app_, sha256_of(child), child)) ++failures;
    };
    auto push_parents = [&] {
        for (int i = 0; i < 100; ++i) {
            const auto pushed = try_push(app_, tag_of("latest"), parent);
            const auto code = pushed ? Errc::not_found : pushed.error().code;
            if (code != Errc::not_found && code != Errc::conflict) ++failures;
        }
    };
    auto remove = [&] {
        for (int i = 0; i < 100; ++i) {
            const auto deleted = registry().delete_manifest(app_, sha256_of(child), actor_);
            if (!deleted && deleted.error().code != Errc::not_found) ++failures;
        }
    };
    std::vector<std::thread> threads;
    threads.emplace_back(push_children);
    threads.emplace_back(push_parents);
    threads.emplace_back(remove);
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace berth::registry
