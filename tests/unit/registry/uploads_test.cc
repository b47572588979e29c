// Goal: blobs get into a repository by upload or by mount, and in no other way. Method: a registry
// in memory.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

using oci::Algorithm;

class UploadTest : public RegistryFixture {
  protected:
    bool mount(const std::optional<RepositoryName>& from, const Registry::MayPull& may_pull) {
        const auto mounted = registry().mount_blob(app_, layer_, from, may_pull, actor_);
        EXPECT_TRUE(mounted) << mounted.error().detail;
        return mounted.value_or(false);
    }
    static bool anything(const RepositoryName&) { return true; }
    static bool nothing(const RepositoryName&) { return false; }

    const Digest layer_ = sha256_of("layer");
};

TEST_F(UploadTest, BelongsToTheRepositoryItWasBegunIn) {
    const auto info = registry().begin_upload(app_, Algorithm::sha256).value();
    EXPECT_EQ(info.repository, app_);
    EXPECT_EQ(registry().upload_status(app_, info.id).value().offset, 0u);
    EXPECT_EQ(registry().upload_status(other_, info.id).error().code, Errc::not_found);
    EXPECT_EQ(registry().open_upload(other_, info.id).error().code, Errc::not_found);
    EXPECT_TRUE(registry().open_upload(app_, info.id));
    EXPECT_EQ(registry().open_upload(app_, UploadId::make()).error().code, Errc::not_found);
}

TEST_F(UploadTest, GoesOnWhereItWasSaved) {
    const auto info = registry().begin_upload(app_, Algorithm::sha256).value();
    {
        const auto upload = registry().open_upload(app_, info.id).value();
        ASSERT_TRUE(upload->append(as_bytes("lay")));
        EXPECT_EQ(registry().open_upload(app_, info.id).error().code, Errc::conflict);
        ASSERT_TRUE(upload->save());
    }
    EXPECT_EQ(registry().upload_status(app_, info.id).value().offset, 3u);
    auto upload = registry().open_upload(app_, info.id).value();
    ASSERT_TRUE(upload->append(as_bytes("er")));
    ASSERT_TRUE(registry().commit_upload(std::move(upload), layer_, actor_));
    EXPECT_EQ(text_of(*registry().blob(app_, layer_).value()), "layer");
    EXPECT_EQ(registry().upload_status(app_, info.id).error().code, Errc::not_found);
}

// As it is taken over from registry:2 where no manifest says how long the blob should be.
TEST_F(UploadTest, MendsAFileThatWasCutShortAndTakenOverSo) {
    push_blob(app_, "layer");
    ASSERT_TRUE(directory_->open_to_write(path_of(layer_)).value()->truncate(3));
    ASSERT_TRUE(index_->link_blob(other_, layer_, 3, actor_));
    push_blob(app_, "layer");
    EXPECT_EQ(text_of(*registry().blob(app_, layer_).value()), "layer");
    EXPECT_EQ(text_of(*registry().blob(other_, layer_).value()), "layer");
}

TEST_F(UploadTest, IsVisibleWhereItWasPushedOnly) {
    push_blob(app_, "layer");
    EXPECT_TRUE(registry().blob(app_, layer_));
    EXPECT_EQ(blob_error(other_, layer_), Errc::not_found);
}

TEST_F(UploadTest, MakesNothingVisibleWithAnotherDigest) {
    auto upload = begin(app_);
    const auto id = upload->info().id;
    ASSERT_TRUE(upload->append(as_bytes("layer")));
    const auto committed =
        registry().commit_upload(std::move(upload), sha256_of("another"), actor_);
    EXPECT_EQ(committed.error().code, Errc::invalid);
    EXPECT_EQ(blob_error(app_, layer_), Errc::not_found);
    EXPECT_EQ(blob_error(app_, sha256_of("another")), Errc::not_found);
    EXPECT_EQ(registry().upload_status(app_, id).error().code, Errc::not_found);
}

// Also when the blob is known to the registry: nobody gets a blob by its digest alone.
TEST_F(UploadTest, MakesAKnownBlobVisibleToThoseOnlyWhoHaveItsBytes) {
    push_blob(app_, "layer");
    EXPECT_EQ(try_push_blob(other_, "not the layer", layer_).error().code, Errc::invalid);
    EXPECT_EQ(blob_error(other_, layer_), Errc::not_found);
    push_blob(other_, "layer");
    EXPECT_EQ(text_of(*registry().blob(other_, layer_).value()), "layer");
}

TEST_F(UploadTest, TakesEitherAlgorithmWhateverTheSession) {
    for (const auto session : {Algorithm::sha256, Algorithm::sha512}) {
        for (const Digest& digest : {sha256_of("layer"), sha512_of("layer")}) {
            auto upload = begin(app_, session);
            ASSERT_TRUE(upload->append(as_bytes("layer")));
            ASSERT_TRUE(registry().commit_upload(std::move(upload), digest, actor_));
            EXPECT_EQ(text_of(*registry().blob(app_, digest).value()), "layer");
        }
    }
}

TEST_F(UploadTest, TakesAnEmptyBlob) {
    const auto digest = push_blob(app_, "");
    const auto content = registry().blob(app_, digest).value();
    EXPECT_EQ(content->size, 0u);
    EXPECT_EQ(text_of(*content), "");
}

TEST_F(UploadTest, MendsABlobThatIsGoneOrCutShort) {
    push_blob(app_, "layer");
    ASSERT_TRUE(directory_->open_to_write(path_of(layer_)).value()->truncate(2));
    push_blob(app_, "layer");
    EXPECT_EQ(text_of(*registry().blob(app_, layer_).value()), "layer");
    ASSERT_TRUE(directory_->remove(path_of(layer_)));
    push_blob(other_, "layer");
    EXPECT_EQ(text_of(*registry().blob(other_, layer_).value()), "layer");
}

TEST_F(UploadTest, SucceedsForAllWhoPushTheSameBlob) {
    const std::string bytes(70'000, 'x');
    std::atomic<int> failures = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 5; ++i) {
                const auto repository = repository_of("r" + std::to_string((thread + i) % 3));
                if (!try_push_blob(repository, bytes, sha256_of(bytes))) ++failures;
                if (!registry().blob(repository, sha256_of(bytes))) ++failures;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(index_->totals().value().blobs, 1u);
    EXPECT_EQ(text_of(*registry().blob(repository_of("r0"), sha256_of(bytes)).value()), bytes);
}

TEST_F(UploadTest, MountsFromTheRepositoryThatIsNamed) {
    push_blob(other_, "layer");
    EXPECT_TRUE(mount(other_, anything));
    EXPECT_EQ(text_of(*registry().blob(app_, layer_).value()), "layer");
}

TEST_F(UploadTest, MountsNothingTheCallerMayNotPull) {
    push_blob(other_, "layer");
    EXPECT_FALSE(mount(other_, nothing));
    EXPECT_FALSE(mount(std::nullopt, nothing));
    EXPECT_EQ(blob_error(app_, layer_), Errc::not_found);
}

TEST_F(UploadTest, MountsNothingThatIsNotThere) {
    push_blob(repository_of("third"), "layer");
    EXPECT_FALSE(mount(other_, anything)) << "the repository is unknown";
    push_blob(other_, "something");
    EXPECT_FALSE(mount(other_, anything)) << "it is in a repository that is not named";
    EXPECT_EQ(blob_error(app_, layer_), Errc::not_found);
}

TEST_F(UploadTest, MountsAnonymouslyFromWhereTheCallerMayPull) {
    for (const char* name : {"a", "b", "c"})
        push_blob(repository_of(name), "layer");
    std::vector<std::string> asked;
    EXPECT_TRUE(mount(std::nullopt, [&asked](const RepositoryName& name) {
        asked.push_back(name.text());
        return name.text() == "b";
    }));
    EXPECT_THAT(asked, testing::ElementsAre("a", "b"));
    EXPECT_TRUE(registry().blob(app_, layer_));
    EXPECT_FALSE(registry().mount_blob(app_, sha256_of("?"), {}, anything, actor_).value());
}

TEST_F(UploadTest, MountsFromItself) {
    push_blob(app_, "layer");
    EXPECT_TRUE(mount(app_, nothing));
    EXPECT_TRUE(mount(std::nullopt, nothing));
}

TEST_F(UploadTest, MountsNoManifest) {
    const auto digest = push_image(other_, "latest");
    EXPECT_FALSE(registry().mount_blob(app_, digest, other_, anything, actor_).value());
}

TEST_F(UploadTest, StaysThereWhenItsSourceIsDeleted) {
    push_blob(other_, "layer");
    EXPECT_TRUE(mount(other_, anything));
    ASSERT_TRUE(registry().delete_blob(other_, layer_, actor_));
    EXPECT_EQ(blob_error(other_, layer_), Errc::not_found);
    EXPECT_TRUE(registry().blob(app_, layer_));
}

}  // namespace
}  // namespace berth::registry
