// Goal: what a manifest names is in the repository, as configured, or the push is refused with a
// message that names it. Method: tables of manifests against a registry in memory.
#include "registry/manifest_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

constexpr const char* kForeign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
constexpr const char* kNondistributable =
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

class ManifestCheckTest : public RegistryFixture {
  protected:
    void SetUp() override { push_blob(app_, "{}"); }
    void use(ManifestRules rules) { restart({.manifests = std::move(rules)}); }
    void refuse(const std::string& json, Errc code, const std::string& detail) {
        const auto pushed = try_push(app_, tag_of("latest"), json);
        ASSERT_FALSE(pushed) << json;
        EXPECT_EQ(pushed.error().code, code) << pushed.error().detail;
        EXPECT_THAT(pushed.error().detail, testing::HasSubstr(detail));
        EXPECT_EQ(manifest_error(app_, sha256_of(json)), Errc::not_found);
        EXPECT_EQ(manifest_error(app_, tag_of("latest")), Errc::not_found);
    }
    void accept(const std::string& json) {
        const auto pushed = try_push(app_, sha256_of(json), json);
        EXPECT_TRUE(pushed) << pushed.error().detail << "\n" << json;
    }
    void refuse_missing(const std::string& json, const Digest& missing) {
        refuse(json, Errc::not_found, missing.text());
        const auto pushed = try_push(app_, tag_of("latest"), json);
        EXPECT_TRUE(pushed.error().detail.starts_with(missing.text())) << pushed.error().detail;
    }
    static std::string foreign(const std::string& url, const char* type = kForeign) {
        return descriptor_of("far away", type, R"(,"urls":[")" + url + R"("])");
    }
};

TEST_F(ManifestCheckTest, AcceptsAnImageWithoutLayers) {
    accept(image_json({}));
    accept(R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifest) + R"(","config":)" +
           descriptor_of("{}") + "}");
}

TEST_F(ManifestCheckTest, WantsTheLayersInTheRepositoryItself) {
    push_blob(other_, "layer");
    refuse_missing(image_json({descriptor_of("layer")}), sha256_of("layer"));
    push_blob(app_, "layer");
    accept(image_json({descriptor_of("layer"), descriptor_of("layer")}));
    ASSERT_TRUE(registry().delete_blob(app_, sha256_of("layer"), actor_));
    refuse_missing(image_json({descriptor_of("layer")}, R"(,"annotations":{})"),
                   sha256_of("layer"));
}

TEST_F(ManifestCheckTest, WantsTheConfig) {
    const auto json = R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifest) +
                      R"(","config":)" + descriptor_of("config") + R"(,"layers":[]})";
    refuse_missing(json, sha256_of("config"));
    push_blob(app_, "config");
    accept(json);
}

TEST_F(ManifestCheckTest, TakesNoManifestForALayer) {
    const auto image = image_json({});
    push(app_, sha256_of(image), image);
    refuse_missing(image_json({descriptor_of(image)}), sha256_of(image));
}

TEST_F(ManifestCheckTest, RefusesASizeThatIsNotTheStoredOne) {
    push_blob(app_, "layer");
    const auto layer = sha256_of("layer");
    refuse(image_json({descriptor(layer, 6)}), Errc::invalid, "6 bytes, but it has 5");
    refuse(image_json({descriptor(layer, 0)}), Errc::invalid, layer.text());
    const auto image = image_json({});
    push(app_, sha256_of(image), image);
    refuse(index_json({descriptor(sha256_of(image), 1, kOciManifest)}), Errc::invalid,
           sha256_of(image).text());
}

TEST_F(ManifestCheckTest, AcceptsASubjectThatIsNotThere) {
    const auto subject = R"(,"subject":)" + child_of("not there");
    accept(image_json({}, subject));
    accept(index_json({}, subject));
}

TEST_F(ManifestCheckTest, WantsTheChildrenOfAnIndex) {
    const auto image = image_json({});
    push_blob(other_, "{}");
    push(other_, sha256_of(image), image);
    refuse_missing(index_json({child_of(image)}), sha256_of(image));
    push(app_, sha256_of(image), image);
    const auto index = index_json({child_of(image)});
    accept(index);
    accept(index_json({descriptor_of(index, kOciIndex), child_of(image)}));
    accept(index_json({}));
}

// BuildKit's caches.
TEST_F(ManifestCheckTest, AcceptsAnIndexOfLayers) {
    push_blob(app_, "layer");
    accept(index_json({descriptor_of("layer"), descriptor_of("{}", "application/x-config")}));
    refuse_missing(index_json({descriptor_of("no layer")}), sha256_of("no layer"));
}

TEST_F(ManifestCheckTest, WantsNoChildrenWherePlatformsIsNone) {
    use({.platforms = ManifestRules::Platforms::none});
    accept(index_json({child_of("not there")}));
    refuse_missing(image_json({descriptor_of("not there")}), sha256_of("not there"));
}

TEST_F(ManifestCheckTest, WantsTheChildrenOfTheListedPlatforms) {
    use({.platforms = ManifestRules::Platforms::list,
         .platform_list = {{"amd64", "linux"}, {"arm64", "linux"}}});
    const auto child = [](const char* architecture, const char* os) {
        return child_of("not there", R"(,"platform":{"architecture":")" +
                                         std::string(architecture) + R"(","os":")" + os + R"("})");
    };
    accept(index_json({child_of("not there"), child("amd64", "windows"), child("s390x", "linux")}));
    refuse_missing(index_json({child("arm64", "linux")}), sha256_of("not there"));
}

TEST_F(ManifestCheckTest, KnowsForeignLayersByTheirUrls) {
    use({.url_allow = {"^https://mirror\\.example\\.org/", "^https://other/"},
         .url_deny = {"/secret/"}});
    for (const char* type : {kForeign, kNondistributable}) {
        accept(image_json({foreign("https://mirror.example.org/layer", type)}));
        accept(image_json({foreign("https://other/layer", type)}));
        for (const char* url :
             {"https://mirror.example.org/secret/layer", "https://mirror-example.org/layer",
              "http://mirror.example.org/layer", "ftp://mirror.example.org/layer", "",
              "https://mirror.example.org/layer#part"}) {
            refuse(image_json({foreign(url, type)}), Errc::invalid, "URL");
        }
        refuse_missing(image_json({descriptor_of("far away", type)}), sha256_of("far away"));
    }
    refuse_missing(image_json({foreign("https://other/layer", kOciLayer)}), sha256_of("far away"));
}

TEST_F(ManifestCheckTest, AllowsNoUrlsByItself) {
    refuse(image_json({foreign("https://mirror.example.org/layer")}), Errc::invalid, "URL");
    push_blob(app_, "far away");
    accept(image_json({descriptor_of("far away", kForeign)}));
}

// Patterns meet URLs that somebody chose to hurt: no endless matching, no deep stack.
TEST_F(ManifestCheckTest, MatchesHostileUrlsInBoundedTime) {
    use({.url_allow = {"^https://(a+)+$", "^https://(.*)*x"}});
    const std::string url = "https://" + std::string(2000, 'a') + "!";
    refuse(image_json({foreign(url)}), Errc::invalid, "not allowed");
    refuse(image_json({foreign("https://" + std::string(1'000'000, 'a'))}), Errc::invalid, "URL");
}

TEST_F(ManifestCheckTest, ChecksNothingWhereItIsDisabled) {
    use({.enabled = false});
    push_blob(app_, "layer");
    accept(image_json(
        {descriptor_of("not there"), foreign("ftp://x"), descriptor(sha256_of("layer"), 1)}));
    accept(index_json({child_of("not there")}));
    EXPECT_EQ(try_push(app_, tag_of("a"), "{}").error().code, Errc::invalid) << "well-formed still";
}

// What is there is counted also when it need not be: deleting the manifest frees it.
TEST_F(ManifestCheckTest, TellsTheIndexWhatTheManifestHoldsOn) {
    push_blob(app_, "layer");
    const ManifestCheck check(*index_, {.enabled = false});
    const auto json = image_json({descriptor_of("layer"), descriptor_of("not there")},
                                 R"(,"artifactType":"a/b","annotations":{"k":"v"})");
    const auto manifest = oci::parse_manifest("", json).value();
    const auto record = check.check(app_, manifest, sha256_of(json), json.size()).value();
    EXPECT_EQ(record.digest, sha256_of(json));
    EXPECT_EQ(record.size, json.size());
    EXPECT_EQ(record.media_type, kOciManifest);
    EXPECT_EQ(record.artifact_type, "a/b");
    EXPECT_EQ(record.annotations, R"({"k":"v"})");
    EXPECT_THAT(record.blobs, testing::ElementsAre(sha256_of("{}"), sha256_of("layer")));
}

}  // namespace
}  // namespace berth::registry
