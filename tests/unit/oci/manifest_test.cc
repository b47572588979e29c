// Goal: parse_manifest reads what a registry must know, tolerates what real clients write, and
// refuses the rest with a sentence that says where; a referrers answer is an image index.
// Method: one good document of each kind; tables of documents with one thing changed.
#include "oci/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "oci/media_type.h"

namespace berth::oci {
namespace {

using Json = nlohmann::json;

const std::string kDigest = "sha256:" + std::string(64, 'a');
constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";

Json descriptor(std::string_view media_type) {
    return {{"mediaType", media_type}, {"digest", kDigest}, {"size", 7}};
}

Json image() {
    return {{"schemaVersion", 2},
            {"mediaType", kOciManifest},
            {"config", descriptor(kConfig)},
            {"layers", {descriptor(kLayer), descriptor(kLayer)}}};
}

Json index() {
    return {{"schemaVersion", 2},
            {"mediaType", kOciIndex},
            {"manifests", {descriptor(kOciManifest), descriptor(kOciIndex)}}};
}

Json changed(Json document, std::string_view pointer, Json value) {
    document[Json::json_pointer(std::string(pointer))] = std::move(value);
    return document;
}

Json without(Json document, std::string_view key) {
    document.erase(std::string(key));
    return document;
}

TEST(Manifest, ReadsAnImage) {
    auto document = image();
    document["artifactType"] = "application/vnd.example";
    document["annotations"] = {{"b", "\xc3\xa4 \"x\""}, {"a", ""}};
    document["subject"] = descriptor(kOciManifest);
    document["layers"][1]["urls"] = {"https://example.org/layer"};
    document["layers"][1]["annotations"] = {{"k", "v"}};
    document["layers"][1]["artifactType"] = "a/b";
    const auto manifest = parse_manifest(kOciManifest, document.dump());
    ASSERT_TRUE(manifest) << manifest.error().detail;
    EXPECT_EQ(manifest->media_type, kOciManifest);
    EXPECT_EQ(manifest->artifact_type, "application/vnd.example");
    EXPECT_EQ(manifest->annotations, "{\"a\":\"\",\"b\":\"\xc3\xa4 \\\"x\\\"\"}");
    ASSERT_TRUE(manifest->subject);
    EXPECT_EQ(manifest->subject->media_type, kOciManifest);
    ASSERT_TRUE(manifest->config);
    EXPECT_EQ(manifest->config->digest.text(), kDigest);
    EXPECT_EQ(manifest->config->size, 7u);
    ASSERT_EQ(manifest->layers.size(), 2u);
    EXPECT_EQ(manifest->layers[0].media_type, kLayer);
    EXPECT_TRUE(manifest->layers[0].urls.empty());
    EXPECT_EQ(manifest->layers[0].annotations, "");
    EXPECT_EQ(manifest->layers[1].urls, std::vector<std::string>{"https://example.org/layer"});
    EXPECT_EQ(manifest->layers[1].annotations, R"({"k":"v"})");
    EXPECT_EQ(manifest->layers[1].artifact_type, "a/b");
    EXPECT_TRUE(manifest->manifests.empty());
}

TEST(Manifest, ReadsAnIndex) {
    auto document = index();
    document["manifests"][0]["platform"] = {
        {"architecture", "arm64"}, {"os", "linux"}, {"variant", "v8"}};
    document["subject"] = descriptor(kOciIndex);
    const auto manifest = parse_manifest(kOciIndex, document.dump());
    ASSERT_TRUE(manifest) << manifest.error().detail;
    EXPECT_EQ(manifest->media_type, kOciIndex);
    EXPECT_FALSE(manifest->config);
    EXPECT_TRUE(manifest->layers.empty());
    EXPECT_TRUE(manifest->subject);
    ASSERT_EQ(manifest->manifests.size(), 2u);
    ASSERT_TRUE(manifest->manifests[0].platform);
    EXPECT_EQ(manifest->manifests[0].platform->architecture, "arm64");
    EXPECT_EQ(manifest->manifests[0].platform->os, "linux");
    EXPECT_FALSE(manifest->manifests[1].platform);
}

TEST(Manifest, ReadsDockersKinds) {
    const auto one = changed(image(), "/mediaType", kDockerManifest);
    EXPECT_TRUE(parse_manifest(kDockerManifest, one.dump()));
    const auto list = changed(index(), "/mediaType", kDockerManifestList);
    EXPECT_TRUE(parse_manifest(kDockerManifestList, list.dump()));
}

TEST(Manifest, ToleratesWhatClientsWrite) {
    const Json table[] = {
        changed(image(), "/layers", Json::array()),
        changed(image(), "/layers", nullptr),
        without(image(), "layers"),
        without(image(), "mediaType"),
        changed(image(), "/annotations", nullptr),
        changed(image(), "/annotations", Json::object()),
        changed(image(), "/subject", nullptr),
        changed(image(), "/artifactType", ""),
        changed(image(), "/manifests", nullptr),
        changed(image(), "/layers/0/size", 0),
        changed(image(), "/layers/0/data", "e30="),
        changed(image(), "/layers/0/urls", nullptr),
        changed(image(), "/layers/0/mediaType", "anything at all"),
        changed(image(), "/config/platform", Json::object()),
        changed(image(), "/config/digest", "sha512:" + std::string(128, '0')),
        changed(image(), "/unknown", {{"size", -1.5}, {"digest", {1, 2, nullptr}}}),
        changed(image(), "/layers/0/unknown", {{"size", -1}}),
    };
    for (const auto& document : table) {
        const auto manifest = parse_manifest(kOciManifest, document.dump());
        EXPECT_TRUE(manifest) << document << ": " << manifest.error().detail;
    }
    for (const auto& manifests : {Json::array(), Json()})
        EXPECT_TRUE(parse_manifest(kOciIndex, changed(index(), "/manifests", manifests).dump()));
}

TEST(Manifest, SaysWhatIsWrongWithAnImage) {
    const std::string not_the_type =
        "mediaType in the manifest is not the request's Content-Type, " + std::string(kOciManifest);
    struct Row {
        Json document;
        std::string_view problem;
    };
    const Row table[] = {
        {Json::array(), "a manifest must be a JSON object"},
        {"text", "a manifest must be a JSON object"},
        {without(image(), "schemaVersion"), "schemaVersion must be 2"},
        {changed(image(), "/schemaVersion", "2"), "schemaVersion must be 2"},
        {changed(image(), "/schemaVersion", 3), "schemaVersion must be 2"},
        {changed(image(), "/schemaVersion", 2.0), "schemaVersion must be 2"},
        {changed(image(), "/mediaType", kDockerManifest), not_the_type},
        {changed(image(), "/mediaType", std::string(kOciManifest) + "; a=b"), not_the_type},
        {changed(image(), "/mediaType", 1), "mediaType must be a string"},
        {without(image(), "config"), "config is missing"},
        {changed(image(), "/config", nullptr), "config is missing"},
        {changed(image(), "/config", Json::array()), "config: must be an object"},
        {changed(image(), "/layers", Json::object()), "layers must be an array"},
        {changed(image(), "/manifests", Json::array()), "an image manifest has no manifests"},
        {changed(image(), "/artifactType", 1), "artifactType must be a string"},
        {changed(image(), "/annotations", Json::array()),
         "annotations must be an object of strings"},
        {changed(image(), "/annotations/a", 1), "annotations must be an object of strings"},
        {changed(image(), "/annotations/a", nullptr), "annotations must be an object of strings"},
        {changed(image(), "/subject", "sha256:"), "subject: must be an object"},
        {changed(image(), "/subject", Json::object()), "subject: mediaType is missing"},
    };
    for (const auto& row : table) {
        const auto manifest = parse_manifest(kOciManifest, row.document.dump());
        ASSERT_FALSE(manifest) << row.document;
        EXPECT_EQ(manifest.error().code, Errc::invalid) << row.document;
        EXPECT_EQ(manifest.error().detail, row.problem) << row.document;
    }
}

TEST(Manifest, SaysWhatIsWrongWithADescriptor) {
    constexpr std::string_view kBadSize = "layers[1]: size must be an integer, 0 or more";
    struct Row {
        std::string_view place;
        Json value;
        std::string_view problem;
    };
    const Row table[] = {
        {"", 1, "layers[1]: must be an object"},
        {"", nullptr, "layers[1]: must be an object"},
        {"/mediaType", nullptr, "layers[1]: mediaType is missing"},
        {"/mediaType", "", "layers[1]: mediaType is missing"},
        {"/mediaType", 1, "layers[1]: mediaType must be a string"},
        {"/digest", nullptr,
         "layers[1]: a digest has the form algorithm:hex, as in sha256:e3b0\xe2\x80\xa6"},
        {"/digest", 1, "layers[1]: digest must be a string"},
        {"/digest", "sha256:A",
         "layers[1]: a sha256 digest has 64 lower-case hex digits after the colon"},
        {"/digest", "md5:a", "layers[1]: the digest algorithms served are sha256 and sha512"},
        {"/size", nullptr, kBadSize},
        {"/size", -1, kBadSize},
        {"/size", 7.0, kBadSize},
        {"/size", "7", kBadSize},
        {"/size", 9223372036854775808u, kBadSize},
        {"/urls", "https://example.org", "layers[1]: urls must be an array"},
        {"/urls", {1}, "layers[1]: urls must be strings"},
        {"/artifactType", true, "layers[1]: artifactType must be a string"},
        {"/annotations", "a", "layers[1]: annotations must be an object of strings"},
        {"/platform", "linux", "layers[1]: platform must be an object"},
        {"/platform", {{"os", 1}}, "layers[1]: os must be a string"},
    };
    for (const auto& row : table) {
        const auto document = changed(image(), "/layers/1" + std::string(row.place), row.value);
        const auto manifest = parse_manifest(kOciManifest, document.dump());
        ASSERT_FALSE(manifest) << document;
        EXPECT_EQ(manifest.error().code, Errc::invalid) << document;
        EXPECT_EQ(manifest.error().detail, row.problem) << document;
    }
}

TEST(Manifest, IsAnImageOrAnIndexNeverBoth) {
    for (const auto* key : {"config", "layers"}) {
        const auto both = changed(index(), std::string("/") + key, image()[key]);
        EXPECT_EQ(parse_manifest(kOciIndex, both.dump()).error().detail,
                  "an index has no config and no layers");
    }
    auto both = image();
    both["manifests"] = index()["manifests"];
    EXPECT_FALSE(parse_manifest(kOciManifest, both.dump()));
    both.erase("mediaType");
    EXPECT_FALSE(parse_manifest("", both.dump()));
    EXPECT_EQ(parse_manifest(kOciIndex, without(index(), "manifests").dump()).error().detail,
              "manifests is missing");
}

TEST(Manifest, TakesItsTypeFromContentTypeOrFromInside) {
    struct Row {
        std::string content_type;
        Json document;
        std::string_view type;  // empty: refused
    };
    const Row table[] = {
        {std::string(kOciManifest) + "; charset=utf-8", image(), kOciManifest},
        {" " + std::string(kOciManifest) + " ", image(), kOciManifest},
        {std::string(kDockerManifest), without(image(), "mediaType"), kDockerManifest},
        {"", image(), kOciManifest},
        {" ; charset=utf-8", image(), kOciManifest},
        {"", changed(image(), "/mediaType", kDockerManifest), kDockerManifest},
        {"", index(), kOciIndex},
        {"", without(image(), "mediaType"), kOciManifest},
        {"", without(index(), "mediaType"), kOciIndex},
        {"", {{"schemaVersion", 2}}, ""},
        {std::string(kOciIndex), image(), ""},
    };
    for (const auto& row : table) {
        const auto manifest = parse_manifest(row.content_type, row.document.dump());
        EXPECT_EQ(manifest ? manifest->media_type : "", row.type)
            << row.content_type << ' ' << row.document;
    }
}

TEST(Manifest, RefusesOtherMediaTypes) {
    for (const std::string_view type :
         {"application/json", "text/plain", "application/x-www-form-urlencoded",
          "application/vnd.oci.image.config.v1+json"}) {
        const auto manifest = parse_manifest(type, image().dump());
        ASSERT_FALSE(manifest) << type;
        EXPECT_EQ(manifest.error().code, Errc::unsupported) << type;
    }
    const auto inside = changed(image(), "/mediaType", "text/plain");
    EXPECT_EQ(parse_manifest("", inside.dump()).error().code, Errc::unsupported);
}

TEST(Manifest, RefusesSchema1WithASentence) {
    const Json schema1 = {{"schemaVersion", 1}, {"name", "a"}, {"fsLayers", Json::array()}};
    for (const auto type :
         {kDockerSchema1, kDockerSchema1Signed, kDockerManifest, std::string_view()}) {
        const auto manifest = parse_manifest(type, schema1.dump());
        ASSERT_FALSE(manifest) << type;
        EXPECT_EQ(manifest.error().code, Errc::unsupported) << type;
        EXPECT_TRUE(manifest.error().detail.starts_with("Docker's manifests of schema 1 are not "))
            << manifest.error().detail;
    }
}

TEST(Manifest, RefusesHostileJson) {
    const auto text = image().dump();
    const std::string table[] = {
        "",
        text + text,
        text + '\0',
        R"({"schemaVersion":2,)" + text.substr(1),
        "{\"x\":\"\xff\"," + text.substr(1),
        "{\"x\":" + std::string(64, '[') + std::string(64, ']') + ',' + text.substr(1),
        "{\"x\":123456789012345678901234567890," + text.substr(1),
        std::string(1 << 20, '{'),
    };
    for (const auto& hostile : table) {
        const auto manifest = parse_manifest(kOciManifest, hostile);
        ASSERT_FALSE(manifest) << hostile.substr(0, 100);
        EXPECT_EQ(manifest.error().code, Errc::invalid);
    }
}

TEST(Manifest, IsBounded) {
    auto text = image().dump();
    text.append(kManifestBytesMax - text.size(), ' ');
    EXPECT_TRUE(parse_manifest(kOciManifest, text));
    EXPECT_EQ(parse_manifest(kOciManifest, text + ' ').error().code, Errc::too_large);

    const Json small = {{"mediaType", "a"}, {"digest", kDigest}, {"size", 1}};
    auto document = image();
    document["layers"] = Json::array_t(kManifestDescriptorsMax, small);
    EXPECT_TRUE(parse_manifest(kOciManifest, document.dump()));
    document["layers"].push_back(small);
    EXPECT_EQ(parse_manifest(kOciManifest, document.dump()).error().detail,
              "layers has more than 20000 entries");
}

TEST(Manifest, ShowsReferrersItsConfigsTypeWhereItHasNone) {
    auto document = image();
    EXPECT_EQ(parse_manifest("", document.dump())->effective_artifact_type(), kConfig);
    document["artifactType"] = "a/b";
    EXPECT_EQ(parse_manifest("", document.dump())->effective_artifact_type(), "a/b");
    document = index();
    EXPECT_EQ(parse_manifest("", document.dump())->effective_artifact_type(), "");
    document["artifactType"] = "a/b";
    EXPECT_EQ(parse_manifest("", document.dump())->effective_artifact_type(), "a/b");
}

TEST(References, AreConfigAndLayersOrAnIndexsManifests) {
    const auto one = [](const std::string& name, const std::string& more = {}) {
        return R"({"mediaType":"a/)" + name + R"(","digest":"sha256:)" + name + R"(","size":1)" +
               more + "}";
    };
    const auto references = [](const std::string& manifest) {
        return Json::parse(format_references(manifest));
    };
    EXPECT_EQ(references(R"({"config":)" + one("c") + R"(,"layers":[)" + one("l1") + "," +
                         one("l2") + "]}"),
              Json::parse("[" + one("c") + "," + one("l1") + "," + one("l2") + "]"));
    const auto kept = one("m", R"(,"platform":{"os":"linux","variant":"v8"},"urls":["u"],)"
                               R"("annotations":{"k":"v"},"artifactType":"t")");
    EXPECT_EQ(references(R"({"manifests":[)" + kept + "]}"), Json::parse("[" + kept + "]"));
    EXPECT_EQ(references(R"({"manifests":[)" + one("m", R"(,"data":"AAAA","x":1)") + "]}"),
              Json::parse("[" + one("m") + "]"));
}

TEST(References, AreEmptyWhereThereAreNone) {
    for (const char* text : {"", "[]", "{", "{}", R"({"manifests":[]})", R"({"config":null})"})
        EXPECT_EQ(format_references(text), "") << text;
}

TEST(Referrers, OfNothingAreAnEmptyIndex) {
    EXPECT_EQ(format_referrers({}),
              R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
              R"("manifests":[]})");
}

TEST(Referrers, EmbedAnnotationsAsGivenAndEscapeText) {
    const auto digest = *Digest::parse(kDigest);
    const auto text = format_referrers({
        {std::string(kOciManifest), digest, 12, "a\"b\\\n\xff", R"({"b":"1", "a":"2"})"},
        {std::string(kOciIndex), digest, 0, "", ""},
    });
    EXPECT_EQ(text, R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
                    R"("manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
                    R"("digest":")" +
                        kDigest +
                        R"(","size":12,"artifactType":"a\"b\\\n)"
                        "\xef\xbf\xbd"
                        R"(","annotations":{"b":"1", "a":"2"}},)"
                        R"({"mediaType":"application/vnd.oci.image.index.v1+json","digest":")" +
                        kDigest + R"(","size":0}]})");
    EXPECT_TRUE(parse_manifest(kOciIndex, text));
}

}  // namespace
}  // namespace berth::oci
