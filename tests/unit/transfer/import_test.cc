// Goal: what a source has comes in whole or not at all, once, and what is damaged costs only the
// images that need it.
// Method: sources in memory and a registry in memory; the same again.
#include "transfer/import.h"

#include "transfer/bundle.h"
#include "unit/transfer/transfer_support.h"

namespace berth::transfer {
namespace {

using registry::descriptor_of;
using registry::image_json;
using registry::index_json;
using registry::repository_of;
using registry::sha256_of;
using registry::tag_of;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

using ImportTest = TransferFixture;

// An index of two images with a referrer, as a layout.
struct SampleLayout {
    std::string one = image_json({descriptor_of("layer one")});
    std::string two = image_json({descriptor_of("layer two")});
    std::string both = index_json({registry::child_of(one), registry::child_of(two)});
    std::string signature =
        image_json({}, R"(,"artifactType":"x/signature","subject":)" + registry::child_of(one));

    std::vector<TarEntry> entries(const std::string& name = "1.0") const {
        return {blob_entry(one),
                blob_entry(two),
                blob_entry(both),
                blob_entry(signature),
                blob_entry("{}"),
                blob_entry("layer one"),
                blob_entry("layer two"),
                {kLayoutFile, kLayoutVersion},
                {kLayoutIndex, layout_index({named(both, name), named(signature, "")})}};
    }
};

TEST_F(ImportTest, BringsInALayoutWithChildrenAndReferrers) {
    const SampleLayout sample;
    const auto source = open_layout(tar_files(sample.entries("team/app:1.0")), {}, report());
    const auto totals = import(**source).value();
    EXPECT_THAT(problems_, IsEmpty());
    EXPECT_EQ(totals.manifests, 4u);
    EXPECT_EQ(totals.blobs, 3u);
    EXPECT_EQ(totals.tags, 1u);
    EXPECT_EQ(digest_of_tag("team/app", "1.0"), sha256_of(sample.both).text());
    const auto referrers = index_->referrers(app_, sha256_of(sample.one), "", "", 10).value();
    ASSERT_EQ(referrers.size(), 1u);
    EXPECT_EQ(referrers[0].digest, sha256_of(sample.signature));
}

TEST_F(ImportTest, AFolderIsReadAsATarIs) {
    const SampleLayout sample;
    const auto source = open_layout(files_in(folder_of(sample.entries())), app_, report());
    EXPECT_EQ(import(**source).value().manifests, 4u);
    EXPECT_EQ(digest_of_tag("team/app", "1.0"), sha256_of(sample.both).text());
}

TEST_F(ImportTest, ASecondRunFindsEverythingThere) {
    const SampleLayout sample;
    const auto source = open_layout(tar_files(sample.entries()), app_, report()).value();
    ASSERT_TRUE(import(*source));
    const auto again = import(*source).value();
    EXPECT_EQ(again.manifests, 0u);
    EXPECT_EQ(again.manifests_present, 4u);
    EXPECT_EQ(again.blobs, 0u);
    EXPECT_EQ(again.blobs_present, 3u);
    EXPECT_EQ(again.tags_present, 1u);
    EXPECT_EQ(index_->history(app_, tag_of("1.0")).value().size(), 1u);
}

TEST_F(ImportTest, ABlobOfAnotherRepositoryIsNotBroughtInTwice) {
    push_image(other_, "1", "layer one");
    const SampleLayout sample;
    const auto source = open_layout(tar_files(sample.entries()), app_, report()).value();
    const auto totals = import(*source).value();
    EXPECT_EQ(totals.blobs, 1u);
    EXPECT_EQ(totals.blobs_present, 2u);
}

TEST_F(ImportTest, MendsABlobWhoseFileIsGone) {
    const SampleLayout sample;
    const auto source = open_layout(tar_files(sample.entries()), app_, report()).value();
    ASSERT_TRUE(import(*source));
    ASSERT_TRUE(blobs_->remove(sha256_of("layer one")));
    EXPECT_EQ(import(*source).value().blobs, 1u);
    EXPECT_TRUE(blobs_->open(sha256_of("layer one")));
}

TEST_F(ImportTest, ADamagedBlobCostsTheImagesThatNeedIt) {
    SampleLayout sample;
    auto entries = sample.entries();
    entries[5].content = "layer 0ne";
    entries[8].content = layout_index(
        {named(sample.both, "both"), named(sample.one, "one"), named(sample.two, "two")});
    const auto source = open_layout(tar_files(entries), app_, report()).value();
    const auto totals = import(*source).value();
    EXPECT_EQ(totals.manifests, 1u);
    EXPECT_EQ(digest_of_tag("team/app", "two"), sha256_of(sample.two).text());
    EXPECT_EQ(digest_of_tag("team/app", "one"), "none");
    EXPECT_EQ(digest_of_tag("team/app", "both"), "none");
    EXPECT_GT(totals.failed, 0u);
    EXPECT_THAT(problems_, Contains(HasSubstr(sha256_of("layer one").text())));
    EXPECT_THAT(blobs_->uploads().value(), IsEmpty());
}

TEST_F(ImportTest, AManifestWithOtherBytesDoesNotComeIn) {
    SampleLayout sample;
    auto entries = sample.entries();
    entries[0].content = sample.two;
    const auto source = open_layout(tar_files(entries), app_, report()).value();
    EXPECT_GT(import(*source).value().failed, 0u);
    EXPECT_FALSE(index_->find_manifest(app_, sha256_of(sample.one)).value());
    EXPECT_EQ(digest_of_tag("team/app", "1.0"), "none");
}

TEST_F(ImportTest, TagsMoveUnlessTheyAreToBeKept) {
    const auto mine = push_image(app_, "1.0", "mine");
    const SampleLayout sample;
    const auto source = open_layout(tar_files(sample.entries()), app_, report()).value();
    EXPECT_EQ(import(*source, {.keep_tags = true}).value().tags_kept, 1u);
    EXPECT_EQ(digest_of_tag("team/app", "1.0"), mine.text());
    EXPECT_EQ(import(*source).value().tags, 1u);
    EXPECT_EQ(digest_of_tag("team/app", "1.0"), sha256_of(sample.both).text());
}

TEST_F(ImportTest, BringsInWhatIsChosenAndMissesWhatIsNamed) {
    const SampleLayout sample;
    auto entries = sample.entries();
    entries.back().content = layout_index(
        {named(sample.one, "a/one:1"), named(sample.two, "b/two:1"), named(sample.two, "b/two:2")});
    const auto source = open_layout(tar_files(entries), {}, report()).value();
    const auto chosen = [](const std::string& pattern) {
        return ImportOptions{.selection = Selection::parse({pattern}).value()};
    };
    EXPECT_EQ(import(*source, chosen("b/two:2")).value().tags, 1u);
    EXPECT_EQ(digest_of_tag("b/two", "1"), "none");
    EXPECT_EQ(import(*source, chosen("a/**")).value().tags, 1u);
    EXPECT_EQ(import(*source, chosen("c/three")).error().code, Errc::not_found);
}

TEST_F(ImportTest, ALayoutWithTagsAloneNeedsARepository) {
    const SampleLayout sample;
    const auto source = open_layout(tar_files(sample.entries()), {}, report());
    ASSERT_FALSE(source);
    EXPECT_THAT(source.error().detail, HasSubstr("oci:PATH:REPOSITORY"));
}

TEST_F(ImportTest, DockerSaveBecomesSchema2) {
    const std::string layer = "not zipped";
    const std::string config = R"({"os":"linux","rootfs":{"type":"layers","diff_ids":[")" +
                               sha256_of(layer).text() + R"("]}})";
    const std::string manifest =
        R"([{"Config":"config.json","RepoTags":["example.org/team/app:1","<none>:<none>"],)"
        R"("Layers":["id/layer.tar"]}])";
    const auto source = open_docker_archive(tar_files({{"config.json", config},
                                                       {"real.tar", layer},
                                                       {"id/layer.tar", "", '2', "../real.tar"},
                                                       {"manifest.json", manifest}}),
                                            {}, report());
    ASSERT_TRUE(source) << source.error().detail;
    EXPECT_EQ(import(**source).value().tags, 1u);
    const auto content = registry().manifest(app_, tag_of("1")).value();
    EXPECT_EQ(content->media_type, "application/vnd.docker.distribution.manifest.v2+json");
    EXPECT_THAT(*content->bytes, HasSubstr(sha256_of(config).text()));
    EXPECT_TRUE(registry().blob(app_, sha256_of(layer)));
    EXPECT_THAT(problems_, Contains(HasSubstr("<none>")));
}

TEST_F(ImportTest, DockerSaveMustFitItsConfigurations) {
    const auto code = [this](const std::string& config, const std::string& manifest) {
        const auto source = open_docker_archive(
            tar_files({{"c", config}, {"l", "layer"}, {"manifest.json", manifest}}), app_,
            report());
        return source ? Errc{} : source.error().code;
    };
    const std::string good = R"({"rootfs":{"diff_ids":[]}})";
    EXPECT_EQ(code(good, R"([{"Config":"c","Layers":["l"]}])"), Errc::invalid);
    EXPECT_EQ(code(good, R"([{"Layers":[]}])"), Errc::invalid);
    EXPECT_EQ(code(good, R"({})"), Errc::invalid);
    EXPECT_EQ(code(R"({"rootfs":1})", R"([{"Config":"c","Layers":[]}])"), Errc::invalid);
    EXPECT_EQ(code(good, R"([{"Config":"../c","Layers":[]}])"), Errc::not_found);
    EXPECT_EQ(code(good, R"([{"Config":7,"Layers":[]}])"), Errc::invalid);
}

}  // namespace
}  // namespace berth::transfer
