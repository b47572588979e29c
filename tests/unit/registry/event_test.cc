// Goal: what a registry does is recorded as what it was.
// Method: a registry in memory whose index records everything.
#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

using store::EventAction;

class RegistryEvents : public RegistryFixture {
  protected:
    RegistryEvents() {
        index_ = store::open_sqlite_index(
                     {.path = ":memory:", .events = {.push = true, .mount = true, .remove = true}},
                     clock_)
                     .value();
        restart({});
    }
    Event last() { return index_->events(0, 1000).value().back(); }
    bool mount(const std::optional<RepositoryName>& from, bool may_pull = true) {
        return registry()
            .mount_blob(
                app_, sha256_of("layer"), from,
                [may_pull](const RepositoryName&) { return may_pull; }, actor_)
            .value();
    }
};

TEST_F(RegistryEvents, SayWhereABlobWasMountedFrom) {
    push_blob(other_, "layer");
    ASSERT_TRUE(mount(other_));
    EXPECT_EQ(last().action, EventAction::mount);
    EXPECT_EQ(last().repository, app_.text());
    EXPECT_EQ(last().from_repository, other_.text());
    ASSERT_TRUE(mount(other_)) << "which has it, as the repository itself has by now";
    EXPECT_EQ(last().from_repository, other_.text());
    ASSERT_TRUE(mount(std::nullopt));
    EXPECT_EQ(last().from_repository, app_.text()) << "nobody was named";
    ASSERT_TRUE(mount(other_, false));
    EXPECT_EQ(last().from_repository, app_.text()) << "what may not be pulled is not named";
}

TEST_F(RegistryEvents, AreOnlyOfWhatWasDone) {
    push_blob(other_, "layer");
    const auto before = last().id;
    EXPECT_FALSE(mount(other_, false));
    EXPECT_FALSE(try_push(app_, tag_of("v1"), image_json({descriptor_of("absent")})));
    EXPECT_FALSE(registry().delete_tag(app_, tag_of("v1"), actor_));
    EXPECT_EQ(last().id, before);
}

TEST_F(RegistryEvents, NameWhatAManifestConsistsOfWhereThatIsWanted) {
    push_image(app_, "without");
    EXPECT_EQ(last().references, "");
    restart({.references = true});
    push_image(app_, "with");
    EXPECT_EQ(last().tag, "with");
    EXPECT_EQ(last().references, oci::format_references(image_json({descriptor_of("layer")})));
    EXPECT_THAT(last().references, testing::HasSubstr(sha256_of("layer").text()));
    const auto content = registry().manifest(app_, tag_of("with")).value();
    EXPECT_EQ(content->references, last().references);
}

}  // namespace
}  // namespace berth::registry
