// Goal: what was exported is what comes in elsewhere, a bundle says what it needs, and nothing that
// somebody else has made is written over.
// Method: from a registry in memory into temporary folders, and back into another registry.
#include "transfer/export.h"

#include <fstream>

#include "store/links/links.h"
#include "support/temporary_directory.h"
#include "transfer/bundle.h"
#include "transfer/registry_source.h"
#include "unit/transfer/transfer_support.h"

namespace berth::transfer {
namespace {

using registry::child_of;
using registry::descriptor_of;
using registry::image_json;
using registry::index_json;
using registry::repository_of;
using registry::sha256_of;
using registry::tag_of;
using testing::HasSubstr;
using testing::IsEmpty;

class ExportTest : public TransferFixture {
  protected:
    // An index with a child that has a signature, and an image in another repository.
    void SetUp() override {
        child_ = push_image(app_, "child", "layer");
        const std::string child = image_json({descriptor_of("layer")});
        index_digest_ = push(app_, tag_of("1.0"), index_json({child_of(child)}));
        signature_ = push(app_, sha256_of(signature(child)), signature(child));
        push_image(other_, "2.0", "other layer");
        ASSERT_TRUE(registry().delete_tag(app_, tag_of("child"), actor_));
    }
    static std::string signature(const std::string& child) {
        return image_json({}, R"(,"artifactType":"x/y","subject":)" + child_of(child));
    }

    Result<ExportTotals> bundle(const std::string& path, const std::set<Digest>& since = {}) {
        BERTH_TRY(const auto tar, write_tar(path));
        return export_bundle(choose(), *blobs_, since, *tar, {});
    }
    Result<ExportTotals> layout(const std::string& path) {
        BERTH_TRY(const auto folder, write_folder(path));
        return export_layout(choose(), *blobs_, *folder, {});
    }
    std::shared_ptr<io::File> open(const std::string& name) {
        return io::open_directory(temporary_.path()).value()->open(name).value();
    }

    // Another registry.
    struct Elsewhere : TransferFixture {
        void TestBody() override {}
        using TransferFixture::app_;
        using TransferFixture::digest_of_tag;
        using TransferFixture::import;
        using TransferFixture::index_;
        using TransferFixture::problems_;
    };
    void expect_everything(Elsewhere& there) {
        EXPECT_THAT(there.problems_, IsEmpty());
        EXPECT_EQ(there.digest_of_tag("team/app", "1.0"), index_digest_.text());
        EXPECT_EQ(there.digest_of_tag("team/other", "2.0"), digest_of_tag("team/other", "2.0"));
        const auto referrers = there.index_->referrers(app_, child_, "", "", 10).value();
        ASSERT_EQ(referrers.size(), 1u);
        EXPECT_EQ(referrers[0].digest, signature_);
    }

    const TemporaryDirectory temporary_;
    Digest child_ = sha256_of(""), index_digest_ = sha256_of(""), signature_ = sha256_of("");
};

TEST_F(ExportTest, ABundleComesInElsewhereAsItWas) {
    ASSERT_TRUE(bundle(temporary_.file("b.bundle")));
    const std::shared_ptr<Files> files = files_in_tar(open("b.bundle")).value();
    const auto source = open_bundle(files).value();
    Elsewhere there;
    ASSERT_TRUE(there.import(*source));
    expect_everything(there);
}

TEST_F(ExportTest, TheSameImagesGiveTheSameBundle) {
    const auto read = [this](const std::string& name) {
        std::ifstream file(temporary_.file(name), std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    ASSERT_TRUE(bundle(temporary_.file("a")));
    ASSERT_TRUE(bundle(temporary_.file("b")));
    EXPECT_FALSE(read("a").empty());
    EXPECT_EQ(read("a"), read("b"));
    EXPECT_EQ(bundle(temporary_.file("a")).error().code, Errc::already_exists);
}

TEST_F(ExportTest, ABundleSinceAnotherLeavesOutItsBlobs) {
    ASSERT_TRUE(bundle(temporary_.file("old")));
    push_image(app_, "3.0", "new layer");
    const auto since = read_since(open("old")).value();
    const auto totals = bundle(temporary_.file("new"), since).value();
    EXPECT_EQ(totals.blobs, 1u);
    EXPECT_GT(totals.left_out, 0u);

    Elsewhere there;
    const auto newer = open_bundle(files_in_tar(open("new")).value()).value();
    const auto refused = there.import(*newer);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_found);
    EXPECT_THAT(refused.error().detail, HasSubstr(sha256_of("layer").text()));
    EXPECT_EQ(there.index_->totals().value().repositories, 0u);

    const auto older = open_bundle(files_in_tar(open("old")).value()).value();
    ASSERT_TRUE(there.import(*older));
    ASSERT_TRUE(there.import(*newer));
    EXPECT_EQ(there.digest_of_tag("team/app", "3.0"), digest_of_tag("team/app", "3.0"));
    expect_everything(there);
    // The chain: what the old one had counts for the third as well.
    EXPECT_TRUE(read_since(open("new")).value().contains(sha256_of("layer")));
}

TEST_F(ExportTest, ABundleThatIsNotWholeIsRefused) {
    ASSERT_TRUE(bundle(temporary_.file("b")));
    std::ifstream file(temporary_.file("b"), std::ios::binary);
    const std::string whole(std::istreambuf_iterator<char>(file), {});
    for (const std::size_t size : {whole.size() / 2, whole.size() / 4 * 3}) {
        auto files = files_in_tar(file_of(whole.substr(0, size)));
        if (!files) continue;
        EXPECT_FALSE(open_bundle(std::shared_ptr<Files>(std::move(*files))));
    }
    EXPECT_FALSE(parse_bundle(R"({"version":1})"));
    EXPECT_EQ(parse_bundle(R"({"version":2})").error().code, Errc::unsupported);
}

TEST_F(ExportTest, SinceMayBeAListOfDigests) {
    const auto digest = sha256_of("x");
    EXPECT_TRUE(
        read_since(file_of("# known\n" + digest.text() + "\r\n\n")).value().contains(digest));
    EXPECT_EQ(read_since(file_of("something else\n")).error().code, Errc::invalid);
}

TEST_F(ExportTest, ALayoutComesInElsewhereAsItWas) {
    ASSERT_TRUE(layout(temporary_.file("layout")));
    const auto source =
        open_layout(files_in(io::open_directory(temporary_.file("layout")).value()), {}, report());
    Elsewhere there;
    ASSERT_TRUE(there.import(**source));
    expect_everything(there);
    // Once more into what it has made itself.
    EXPECT_TRUE(layout(temporary_.file("layout")));
}

TEST_F(ExportTest, AFolderOfSomebodyElseStaysAsItIs) {
    const auto folder = io::open_directory(temporary_.file("mine")).value();
    ASSERT_TRUE(io::replace_file(*folder, "notes.txt", "mine"));
    EXPECT_EQ(layout(temporary_.file("mine")).error().code, Errc::already_exists);
    ASSERT_TRUE(folder->remove("notes.txt"));
    ASSERT_TRUE(io::replace_file(*folder, kLayoutFile, kLayoutVersion));
    ASSERT_TRUE(io::replace_file(*folder, kLayoutIndex, layout_index({})));
    EXPECT_EQ(layout(temporary_.file("mine")).error().code, Errc::already_exists);
    EXPECT_EQ(io::read_file(*folder, kLayoutIndex, 1000).value(), layout_index({}));
}

TEST_F(ExportTest, ADamagedBlobIsNeverGivenOut) {
    damage(sha256_of("layer"));
    const auto written = bundle(temporary_.file("b"));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::corrupt);
    EXPECT_THAT(written.error().detail, HasSubstr(sha256_of("layer").text()));
    EXPECT_THAT(io::open_directory(temporary_.path()).value()->list("").value(), IsEmpty());
    EXPECT_EQ(layout(temporary_.file("layout")).error().code, Errc::corrupt);
}

TEST_F(ExportTest, AnotherRootHasTheLinksAndIsReadAgain) {
    const auto root = io::make_memory_directory();
    const auto to = store::make_file_blob_store(*root, clock_, {.reserve_bytes = 0, .boot_id = ""});
    ASSERT_TRUE(export_root(choose(), *blobs_, *root, *to, {}));
    ASSERT_TRUE(export_root(choose(), *blobs_, *root, *to, {}));
    std::vector<store::Finding> findings;
    const auto links = store::read_links(*root, app_, findings).value();
    ASSERT_EQ(links.tags.size(), 1u);
    EXPECT_EQ(links.tags[0].digest, index_digest_);
    EXPECT_EQ(links.manifests.size(), 3u);
    EXPECT_EQ(links.blobs.size(), 2u);
    EXPECT_THAT(findings, IsEmpty());

    push_image(app_, "1.0", "moved");
    EXPECT_EQ(export_root(choose(), *blobs_, *root, *to, {}).error().code, Errc::already_exists);
}

TEST_F(ExportTest, InPlaceTheLinksBecomeTheTruth) {
    ASSERT_TRUE(index_->set_adopted_all());
    const auto gone = repository_of("long/gone");
    ASSERT_TRUE(
        store::write_links(*directory_, gone, {.blobs = {child_}, .manifests = {}, .tags = {}}));
    const auto totals = export_in_place(*directory_, *index_, {}).value();
    EXPECT_EQ(totals.repositories, 2u);
    EXPECT_EQ(totals.tags, 2u);
    EXPECT_FALSE(index_->adopted_all().value());
    std::vector<store::Finding> findings;
    std::vector<std::string> names;
    ASSERT_TRUE(store::list_repositories(
        *directory_, [&names](const RepositoryName& name) { names.push_back(name.text()); },
        findings));
    EXPECT_THAT(names, testing::UnorderedElementsAre("team/app", "team/other"));
    const auto links = store::read_links(*directory_, app_, findings).value();
    ASSERT_EQ(links.tags.size(), 1u);
    EXPECT_EQ(links.tags[0].digest, index_digest_);
}

TEST_F(ExportTest, ChoosesATagWithAllThatBelongsToIt) {
    push_image(app_, "9", "not chosen");
    const auto set = choose({"team/app:1.0"});
    EXPECT_EQ(set.repositories.size(), 1u);
    EXPECT_EQ(set.manifests.size(), 3u);
    EXPECT_TRUE(set.manifests.at(child_).is_child);
    EXPECT_TRUE(set.manifests.contains(signature_));
    EXPECT_FALSE(set.blobs.contains(sha256_of("not chosen")));
    const auto missing =
        choose_images(*registry_, *index_, Selection::parse({"team/app:7"}).value());
    EXPECT_EQ(missing.error().code, Errc::not_found);
}

}  // namespace
}  // namespace berth::transfer
