// Goal: deleting and listing do what the distribution-spec says. Method: a registry in memory.
#include "registry/registry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

class RegistryTest : public RegistryFixture {
  protected:
    std::vector<std::string> repositories(const std::string& last, std::size_t limit,
                                          const Registry::MaySee& may_see) {
        return registry().repositories(last, limit, may_see).value().names;
    }
    static bool all(std::string_view) { return true; }
};

TEST_F(RegistryTest, DeletesATagAndLeavesItsManifest) {
    const auto digest = push_image(app_, "v1");
    push(app_, tag_of("v2"), image_json({descriptor_of("layer")}));
    ASSERT_TRUE(registry().delete_tag(app_, tag_of("v1"), actor_));
    EXPECT_EQ(manifest_error(app_, tag_of("v1")), Errc::not_found);
    EXPECT_EQ(registry().manifest(app_, tag_of("v2")).value()->digest, digest);
    ASSERT_TRUE(registry().delete_tag(app_, tag_of("v2"), actor_));
    EXPECT_TRUE(registry().manifest(app_, digest));
    EXPECT_EQ(registry().delete_tag(app_, tag_of("v2"), actor_).error().code, Errc::not_found);
}

TEST_F(RegistryTest, DeletesAManifestWithItsTags) {
    const auto digest = push_image(app_, "v1");
    push(app_, tag_of("v2"), image_json({descriptor_of("layer")}));
    push_image(app_, "v3", "another layer");
    EXPECT_THAT(registry().tags_of(app_, digest).value(),
                testing::ElementsAre(tag_of("v1"), tag_of("v2")));
    ASSERT_TRUE(registry().delete_manifest(app_, digest, actor_));
    EXPECT_THAT(registry().tags(app_, "", 10, kAll).value().names, testing::ElementsAre("v3"));
    EXPECT_EQ(manifest_error(app_, digest), Errc::not_found);
    EXPECT_EQ(registry().delete_manifest(app_, digest, actor_).error().code, Errc::not_found);
    EXPECT_TRUE(registry().tags_of(app_, digest).value().empty());
}

TEST_F(RegistryTest, DeletesTheChildOfAnIndexThatStays) {
    const auto child = push_image(app_, "child");
    const auto index = index_json({child_of(image_json({descriptor_of("layer")}))});
    push(app_, tag_of("latest"), index);
    ASSERT_TRUE(registry().delete_manifest(app_, child, actor_));
    EXPECT_EQ(text_of(*registry().manifest(app_, tag_of("latest")).value()), index);
    EXPECT_EQ(manifest_error(app_, child), Errc::not_found);
}

TEST_F(RegistryTest, DeletesABlobFromItsRepositoryOnly) {
    push_image(app_, "latest");
    push_blob(other_, "layer");
    ASSERT_TRUE(registry().delete_blob(app_, sha256_of("layer"), actor_));
    EXPECT_EQ(blob_error(app_, sha256_of("layer")), Errc::not_found);
    EXPECT_TRUE(registry().blob(other_, sha256_of("layer")));
    EXPECT_TRUE(registry().manifest(app_, tag_of("latest"))) << "the manifest stays";
    EXPECT_EQ(registry().delete_blob(app_, sha256_of("layer"), actor_).error().code,
              Errc::not_found);
}

// Or its space on the disk would never come free.
TEST_F(RegistryTest, ClosesTheFileOfABlobThatIsDeleted) {
    const auto digest = push_blob(app_, std::string(100'000, 'x'));
    const std::weak_ptr<io::File> file = registry().blob(app_, digest).value()->file;
    EXPECT_FALSE(file.expired());
    ASSERT_TRUE(registry().delete_blob(app_, digest, actor_));
    EXPECT_TRUE(file.expired());
}

TEST_F(RegistryTest, TakesBackWhatWasDeleted) {
    const auto digest = push_image(app_, "latest");
    ASSERT_TRUE(registry().delete_manifest(app_, digest, actor_));
    ASSERT_TRUE(registry().delete_blob(app_, sha256_of("layer"), actor_));
    EXPECT_EQ(push_image(app_, "latest"), digest);
    EXPECT_EQ(registry().manifest(app_, tag_of("latest")).value()->digest, digest);
}

TEST_F(RegistryTest, ListsTagsInByteOrder) {
    for (const char* tag : {"b", "B", "_", "1", "a.1", "a-1"})
        push_image(app_, tag);
    EXPECT_THAT(registry().tags(app_, "", 10, kAll).value().names,
                testing::ElementsAre("1", "B", "_", "a-1", "a.1", "b"));
    const auto page = registry().tags(app_, "A", 2, kAll).value();
    EXPECT_THAT(page.names, testing::ElementsAre("B", "_"));
    EXPECT_TRUE(page.more);
    EXPECT_FALSE(registry().tags(app_, "_", 3, kAll).value().more);
    EXPECT_TRUE(registry().tags(app_, "z", 3, kAll).value().names.empty());
}

TEST_F(RegistryTest, ListsNoTagsOfARepositoryThatHasLostThem) {
    EXPECT_EQ(registry().tags(app_, "", 10, kAll).error().code, Errc::not_found);
    const auto digest = push_image(app_, "latest");
    ASSERT_TRUE(registry().delete_tag(app_, tag_of("latest"), actor_));
    EXPECT_TRUE(registry().tags(app_, "", 10, kAll).value().names.empty());
    EXPECT_TRUE(registry().has_repository(app_).value());
    ASSERT_TRUE(registry().delete_manifest(app_, digest, actor_));
    EXPECT_TRUE(registry().has_repository(app_).value()) << "it has blobs";
    for (const char* blob : {"{}", "layer"})
        ASSERT_TRUE(registry().delete_blob(app_, sha256_of(blob), actor_));
    EXPECT_FALSE(registry().has_repository(app_).value());
    EXPECT_EQ(registry().tags(app_, "", 10, kAll).error().code, Errc::not_found);
    EXPECT_TRUE(repositories("", 10, all).empty());
}

TEST_F(RegistryTest, ListsTheRepositoriesOneMaySee) {
    for (int i = 0; i < 30; ++i)
        push_blob(repository_of((i % 3 == 0 ? "mine/" : "theirs/") + std::to_string(10 + i)), "x");
    const auto mine = [](std::string_view name) { return name.starts_with("mine/"); };
    const auto page = registry().repositories("", 4, mine).value();
    EXPECT_THAT(page.names, testing::ElementsAre("mine/10", "mine/13", "mine/16", "mine/19"));
    EXPECT_TRUE(page.more);
    const auto rest = registry().repositories("mine/19", 6, mine).value();
    EXPECT_EQ(rest.names.size(), 6u);
    EXPECT_FALSE(rest.more) << "what follows is not to be seen";
    EXPECT_TRUE(repositories("", 10, [](std::string_view) { return false; }).empty());
    EXPECT_EQ(repositories("", 100, all).size(), 30u);
    EXPECT_TRUE(repositories("", 0, all).empty());
}

}  // namespace
}  // namespace berth::registry
