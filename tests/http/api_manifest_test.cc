// Goal: manifests are named, checked, refused and deleted as the distribution-spec says.
// Method: exchanges with the real server.
#include "support/api_fixture.h"

namespace berth::api {
namespace {

using registry::child_of;
using registry::descriptor;
using registry::descriptor_of;
using registry::image_json;
using registry::index_json;

class ApiManifest : public ApiFixture {
  protected:
    void allow_deletes() {
        ApiSetup setup;
        setup.options.delete_enabled = true;
        start(setup);
    }
    std::string pull_status(const std::string& repository, const std::string& reference) {
        return std::to_string(ask("GET", "/v2/" + repository + "/manifests/" + reference).status);
    }
    static std::vector<std::string> values(const HttpAnswer& answer, std::string_view name) {
        std::vector<std::string> found;
        for (const auto& [key, value] : answer.fields) {
            if (key == name) found.push_back(value);
        }
        return found;
    }
};

TEST_F(ApiManifest, IsCreatedByTagOrDigest) {
    const std::string json = push_image("a", "1");
    for (const std::string& reference : {std::string("2"), digest(json)}) {
        const HttpAnswer answer = put_manifest("a", reference, json);
        EXPECT_EQ(answer.status, 201);
        EXPECT_EQ(path_of(answer), "/v2/a/manifests/" + digest(json));
        EXPECT_EQ(answer.field("Docker-Content-Digest"), digest(json));
        EXPECT_EQ(answer.field("OCI-Subject"), "");
        EXPECT_EQ(pull_status("a", reference), "200");
    }
}

TEST_F(ApiManifest, ADigestPushKeepsItsAlgorithm) {
    const std::string json = push_image("a", "1");
    const HttpAnswer answer = put_manifest("a", digest512(json), json);
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.field("Docker-Content-Digest"), digest512(json));
    const HttpAnswer pulled = ask("GET", "/v2/a/manifests/" + digest512(json));
    EXPECT_EQ(pulled.body, json);
    EXPECT_EQ(pulled.field("Docker-Content-Digest"), digest512(json));
}

TEST_F(ApiManifest, ADigestPushMaySetTags) {
    const std::string json = push_image("a", "1");
    const HttpAnswer answer = put_manifest("a", digest(json) + "?tag=x&tag=y.z", json);
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(values(answer, "OCI-Tag"), (std::vector<std::string>{"x", "y.z"}));
    EXPECT_EQ(pull_status("a", "x"), "200");
    EXPECT_EQ(pull_status("a", "y.z"), "200");
    EXPECT_EQ(error_of(put_manifest("a", digest(json) + "?tag=ok&tag=not~ok", json)),
              "400 MANIFEST_INVALID");
    EXPECT_EQ(pull_status("a", "ok"), "404") << "all or nothing";
}

TEST_F(ApiManifest, SaysItsSubject) {
    const std::string json = push_image("a", "1");
    const std::string subject = digest("not there yet");
    const std::string referrer =
        image_json({descriptor_of("layer")}, R"(,"subject":)" + descriptor_of("not there yet"));
    EXPECT_EQ(put_manifest("a", "r", referrer).field("OCI-Subject"), subject);
    const std::string index =
        index_json({child_of(json)}, R"(,"subject":)" + descriptor_of("not there yet"));
    EXPECT_EQ(put_manifest("a", "i", index, registry::kOciIndex).field("OCI-Subject"), subject);
}

TEST_F(ApiManifest, MustHaveTheDigestItIsPushedBy) {
    const std::string json = push_image("a", "1");
    EXPECT_EQ(error_of(put_manifest("a", digest("other"), json)), "400 DIGEST_INVALID");
    EXPECT_EQ(error_of(put_manifest("a", digest512("other"), json)), "400 DIGEST_INVALID");
    EXPECT_EQ(error_of(put_manifest("a", "sha256:bad", json)), "400 DIGEST_INVALID");
    EXPECT_EQ(error_of(put_manifest("a", "bad~tag", json)), "400 MANIFEST_INVALID");
    EXPECT_EQ(error_of(put_manifest("a", std::string(129, 'x'), json)), "400 MANIFEST_INVALID");
}

TEST_F(ApiManifest, MayComeWithParametersOrWithoutAType) {
    const std::string json = push_image("a", "1");
    EXPECT_EQ(put_manifest("a", "2", json, std::string(registry::kOciManifest) + "; charset=utf-8")
                  .status,
              201);
    EXPECT_EQ(ask("PUT", "/v2/a/manifests/3", {}, json).status, 201);
    EXPECT_EQ(ask("GET", "/v2/a/manifests/3").field("Content-Type"), registry::kOciManifest);
}

TEST_F(ApiManifest, IsRefusedWithASentence) {
    push_image("a", "1");
    const std::string missing = image_json({descriptor_of("missing")});
    const std::string duplicate = R"({"schemaVersion":2,"schemaVersion":2})";
    const std::string deep = std::string(100'000, '[');
    const std::string invalid_utf8 = "{\"schemaVersion\":2,\"a\":\"\xff\"}";
    const std::string wrong_size = image_json({descriptor(registry::sha256_of("layer"), 99)});
    for (const auto& [what, json, type, error] :
         std::vector<std::tuple<const char*, std::string, std::string, std::string>>{
             {"nothing", "", registry::kOciManifest, "400 MANIFEST_INVALID"},
             {"no JSON", "hello", registry::kOciManifest, "400 MANIFEST_INVALID"},
             {"duplicate", duplicate, registry::kOciManifest, "400 MANIFEST_INVALID"},
             {"deep", deep, registry::kOciManifest, "400 MANIFEST_INVALID"},
             {"no UTF-8", invalid_utf8, registry::kOciManifest, "400 MANIFEST_INVALID"},
             {"another size", wrong_size, registry::kOciManifest, "400 MANIFEST_INVALID"},
             {"another type", missing, registry::kOciIndex, "400 MANIFEST_INVALID"},
             {"a missing blob", missing, registry::kOciManifest, "404 MANIFEST_BLOB_UNKNOWN"},
             {"schema 1", "{}", "application/vnd.docker.distribution.manifest.v1+json",
              "415 UNSUPPORTED"},
             {"no manifest", "{}", "text/plain", "415 UNSUPPORTED"}}) {
        SCOPED_TRACE(what);
        const HttpAnswer answer = put_manifest("a", "2", json, type);
        EXPECT_EQ(error_of(answer), error) << answer.body;
    }
    EXPECT_THAT(put_manifest("a", "2", missing).body,
                testing::HasSubstr("\"digest\":\"" + digest("missing") + '"'));
    EXPECT_EQ(pull_status("a", "2"), "404");
}

TEST_F(ApiManifest, HasALimit) {
    push_image("a", "1");
    const std::string padding(4u << 20, ' ');
    EXPECT_EQ(error_of(put_manifest("a", "2", padding + "{}")), "413 SIZE_INVALID");
    // Announced, it is refused before it is sent.
    HttpTestClient client(server().port());
    client.send(
        "PUT /v2/a/manifests/2 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        "Content-Length: 5000000\r\n\r\n");
    EXPECT_EQ(client.receive_answer().status, 413);

    const std::string json = image_json({descriptor_of("layer")});
    const std::string whole = json + std::string((4u << 20) - json.size(), ' ');
    EXPECT_EQ(put_manifest("a", "large", whole).status, 201);
    EXPECT_EQ(ask("GET", "/v2/a/manifests/large").body, whole);
}

TEST_F(ApiManifest, MayComeInChunks) {
    push_image("a", "1");
    const std::string json = image_json({descriptor_of("layer")}, R"(,"annotations":{"a":"b"})");
    HttpTestClient client(server().port());
    client.send("PUT /v2/a/manifests/chunked HTTP/1.1\r\nHost: x\r\nContent-Type: " +
                std::string(registry::kOciManifest) +
                "\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n");
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", json.size() - 1);
    client.send(size + json.substr(1) + "\r\n0\r\n\r\n");
    EXPECT_EQ(client.receive_answer().status, 201);
    EXPECT_EQ(ask("GET", "/v2/a/manifests/chunked").body, json);
}

TEST_F(ApiManifest, DeletingATagLeavesTheManifest) {
    allow_deletes();
    const std::string json = push_image("a", "1");
    put_manifest("a", "2", json);
    EXPECT_EQ(pull_status("a", "1"), "200");
    EXPECT_EQ(ask("DELETE", "/v2/a/manifests/1").status, 202);
    EXPECT_EQ(pull_status("a", "1"), "404");
    EXPECT_EQ(pull_status("a", "2"), "200");
    EXPECT_EQ(pull_status("a", digest(json)), "200");
    EXPECT_EQ(error_of(ask("DELETE", "/v2/a/manifests/1")), "404 MANIFEST_UNKNOWN");
}

TEST_F(ApiManifest, DeletingADigestTakesItsTags) {
    allow_deletes();
    const std::string json = push_image("a", "1");
    put_manifest("a", "2", json);
    const std::string other = push_image("a", "other", "another layer");
    EXPECT_EQ(ask("DELETE", "/v2/a/manifests/" + digest(json)).status, 202);
    for (const std::string& reference : {std::string("1"), std::string("2"), digest(json)})
        EXPECT_EQ(pull_status("a", reference), "404") << reference;
    EXPECT_EQ(pull_status("a", "other"), "200");
    EXPECT_EQ(error_of(ask("DELETE", "/v2/a/manifests/" + digest(json))), "404 MANIFEST_UNKNOWN");
    EXPECT_EQ(error_of(ask("DELETE", "/v2/a/manifests/sha256:x")), "400 DIGEST_INVALID");
}

TEST_F(ApiManifest, DeletingAChildLeavesItsIndex) {
    allow_deletes();
    const std::string child = push_image("a", "child");
    const std::string index = index_json({child_of(child)});
    EXPECT_EQ(put_manifest("a", "index", index, registry::kOciIndex).status, 201);
    EXPECT_EQ(ask("DELETE", "/v2/a/manifests/" + digest(child)).status, 202);
    EXPECT_EQ(pull_status("a", "index"), "200");
}

TEST_F(ApiManifest, DeletingABlobTakesItFromItsRepository) {
    allow_deletes();
    const std::string name = push_blob("a", "a blob");
    push_blob("b", "a blob");
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + name).status, 200);
    EXPECT_EQ(ask("DELETE", "/v2/a/blobs/" + name).status, 202);
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + name).status, 404);
    EXPECT_EQ(ask("GET", "/v2/b/blobs/" + name).status, 200);
    EXPECT_EQ(error_of(ask("DELETE", "/v2/a/blobs/" + name)), "404 BLOB_UNKNOWN");
}

TEST_F(ApiManifest, IsNotDeletedWhereThatIsOff) {
    const std::string json = push_image("a", "1");
    for (const std::string& target :
         {std::string("/v2/a/manifests/1"), "/v2/a/manifests/" + digest(json),
          "/v2/a/blobs/" + digest("layer")}) {
        const HttpAnswer answer = ask("DELETE", target);
        EXPECT_EQ(error_of(answer), "405 UNSUPPORTED");
        EXPECT_EQ(answer.field("Allow"), "GET, HEAD");
    }
    EXPECT_EQ(ask("DELETE", begin("a")).status, 204) << "an upload may always be cancelled";
}

TEST_F(ApiManifest, NothingIsWrittenWhereThatIsOff) {
    ApiSetup setup;
    setup.options.delete_enabled = true;
    setup.options.read_only = true;
    start(setup);
    EXPECT_EQ(error_of(ask("POST", "/v2/a/blobs/uploads/")), "405 UNSUPPORTED");
    EXPECT_EQ(error_of(put_manifest("a", "1", "{}")), "405 UNSUPPORTED");
    EXPECT_EQ(error_of(ask("DELETE", "/v2/a/manifests/1")), "405 UNSUPPORTED");
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 404);
}

}  // namespace
}  // namespace berth::api
