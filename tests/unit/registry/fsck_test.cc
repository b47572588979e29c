// Goal: damage is found before and after registry:2's data is taken over, waste is told apart from
// it, and a repair removes nothing that somebody may need.
// Method: trees written by hand, in memory, with the damage that crashes leave.
#include "registry/fsck.h"

#include <sys/stat.h>

#include "support/link_tree.h"
#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Fsck : public RegistryFixture {
  protected:
    FsckReport check_all(bool digests = false, bool with_index = true) {
        FsckOptions options;
        options.digests = digests;
        options.threads = 2;
        auto report = check(*directory_, *blobs_, with_index ? index_.get() : nullptr, options);
        EXPECT_TRUE(report) << report.error().detail;
        return report.value_or(FsckReport());
    }
    static std::vector<std::string> kinds(const std::vector<store::Finding>& findings) {
        std::vector<std::string> kinds;
        for (const auto& finding : findings)
            kinds.push_back(finding.kind);
        return kinds;
    }
    void image(const std::string& repository, const std::string& layer, const std::string& tag) {
        tree_.add_blob(repository, "{}");
        tree_.add_blob(repository, layer);
        tree_.add_manifest(repository, image_json({descriptor_of(layer)}), {tag});
    }
    void set_adopted() { ASSERT_TRUE(index_->set_adopted_all()); }
    void add_upload(const std::string& id, int year) {
        const std::string folder = "docker/registry/v2/repositories/app/_uploads/" + id;
        tree_.write(folder + "/startedat", "2020-01-01T00:00:00Z");
        tree_.write(folder + "/data", "half");
        tree_.write(folder + "/hashstates/sha256/0", "state");
        const std::time_t at = std::chrono::system_clock::to_time_t(
            std::chrono::sys_days(std::chrono::year(year) / 1 / 1));
        const timespec times[] = {{at, 0}, {at, 0}};
        for (const auto* name : {"/startedat", "/data"})
            ASSERT_EQ(::futimens(directory_->open(folder + name).value()->fd(), times), 0);
    }

    LinkTree tree_{*directory_};
};

TEST_F(Fsck, AnEmptyRootIsWell) {
    const auto report = check_all();
    EXPECT_THAT(report.findings, IsEmpty());
    EXPECT_THAT(report.orphans, IsEmpty());
    EXPECT_THAT(check_all(false, false).findings, IsEmpty());
}

TEST_F(Fsck, AWholeRegistryIsWell) {
    set_adopted();
    push_image(app_, "v1");
    const auto report = check_all(true);
    EXPECT_THAT(report.findings, IsEmpty());
    EXPECT_THAT(report.orphans, IsEmpty());
    EXPECT_EQ(report.blobs, 3u);
    EXPECT_EQ(report.bytes, 2 + 5 + image_json({descriptor_of("layer")}).size());
}

TEST_F(Fsck, FindsBlobsThatAreGoneOrCutShort) {
    set_adopted();
    push_image(app_, "v1");
    push_blob(app_, "more");
    tree_.remove(path_of(sha256_of("layer")));
    tree_.write(path_of(sha256_of("more")), "mo");
    const auto report = check_all();
    EXPECT_THAT(kinds(report.findings), ElementsAre("missing-blob", "wrong-size"));
    EXPECT_EQ(report.findings[0].path, path_of(sha256_of("layer")));
    EXPECT_TRUE(report.findings[0].detail.starts_with("team/app: ")) << report.findings[0].detail;
}

TEST_F(Fsck, FindsChangedBytesOnlyWhenItReadsThem) {
    set_adopted();
    push_image(app_, "v1");
    damage(sha256_of("layer"));
    EXPECT_THAT(check_all().findings, IsEmpty());
    EXPECT_THAT(kinds(check_all(true).findings), ElementsAre("wrong-digest"));
}

TEST_F(Fsck, FindsBlobsThatNothingNames) {
    set_adopted();
    push_image(app_, "v1");
    ASSERT_TRUE(blobs_->put(sha256_of("orphan"), as_bytes("orphan")));
    const auto report = check_all();
    EXPECT_THAT(report.findings, IsEmpty());
    ASSERT_EQ(report.orphans.size(), 1u);
    EXPECT_EQ(report.orphans[0].digest, sha256_of("orphan"));
    EXPECT_EQ(report.orphans[0].size, 6u);
}

TEST_F(Fsck, LinksAreTheTruthUntilAllIsTakenOver) {
    image("app", "layer", "v1");
    image("app", "gone", "v2");
    tree_.remove(path_of(sha256_of("gone")));
    tree_.write(LinkTree::tag_link("app", "v1"), "");
    tree_.write(path_of(sha256_of("orphan")), "orphan");
    for (const bool with_index : {true, false}) {
        const auto report = check_all(true, with_index);
        EXPECT_THAT(kinds(report.findings), ElementsAre("empty-link", "missing-blob"));
        EXPECT_THAT(report.left_out, IsEmpty());
        ASSERT_EQ(report.orphans.size(), 1u);
        EXPECT_EQ(report.orphans[0].digest, sha256_of("orphan"));
        EXPECT_EQ(report.blobs, 4u);  // {}, the layer that is there, two manifests
    }
    set_adopted();
    const auto report = check_all();
    EXPECT_THAT(report.findings, IsEmpty());
    EXPECT_THAT(kinds(report.left_out), ElementsAre("empty-link", "missing-blob"));
    EXPECT_EQ(report.orphans.size(), 5u);
}

TEST_F(Fsck, ARepairRemovesUselessLinksAndOldUploads) {
    image("app", "layer", "v1");
    image("app", "gone", "v2");
    tree_.remove(path_of(sha256_of("gone")));
    tree_.write(LinkTree::tag_link("app", "v1"), "");
    tree_.write(LinkTree::tag_link("app", "v3"), "junk");
    add_upload("old", 2023);
    add_upload("new", 2024);
    const auto report = check_all();
    ASSERT_EQ(report.uploads.size(), 2u);
    EXPECT_EQ(report.uploads[0].size, 4u);
    const auto removed =
        repair(*directory_, report, clock_.now() - std::chrono::hours(7 * 24)).value();
    EXPECT_THAT(removed, UnorderedElementsAre(LinkTree::tag_link("app", "v1"),
                                              LinkTree::tag_link("app", "v3"),
                                              "docker/registry/v2/repositories/app/_uploads/old"));
    const auto after = check_all();
    EXPECT_THAT(kinds(after.findings), ElementsAre("missing-blob"));
    ASSERT_EQ(after.uploads.size(), 1u);
    EXPECT_TRUE(after.uploads[0].path.ends_with("/new"));
    EXPECT_THAT(repair(*directory_, after, clock_.now() - std::chrono::hours(7 * 24)).value(),
                IsEmpty());
}

TEST_F(Fsck, SaysHowFarItIs) {
    set_adopted();
    push_image(app_, "v1");
    std::vector<std::uint64_t> seen;
    FsckOptions options;
    options.threads = 2;
    options.on_progress = [&seen](std::uint64_t blobs, std::uint64_t) { seen.push_back(blobs); };
    ASSERT_TRUE(check(*directory_, *blobs_, index_.get(), options));
    EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace berth::registry
