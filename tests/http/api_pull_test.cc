// Goal: pulls answer as the distribution-spec and RFC 9110 say, from memory and from the store.
// Method: exchanges with the real server. Each pull is done twice where it matters: the first comes
// from the store, the second from memory, and they must not differ.
#include "support/api_fixture.h"

namespace berth::api {
namespace {

class ApiPull : public ApiFixture {
  protected:
    // The second answer, after it was checked to be the same as the first.
    HttpAnswer ask_twice(std::string_view method, const std::string& target,
                         const HttpFields& fields = {}) {
        const HttpAnswer first = ask(method, target, fields);
        HttpAnswer second = ask(method, target, fields);
        EXPECT_EQ(first.status, second.status);
        if (first.status < 400) {
            EXPECT_EQ(first.body, second.body);
        }
        for (const char* name : {"Content-Type", "Content-Length", "Docker-Content-Digest", "ETag",
                                 "Content-Range", "Accept-Ranges", "Cache-Control"}) {
            EXPECT_EQ(first.field(name), second.field(name)) << name;
        }
        return second;
    }
};

TEST_F(ApiPull, AManifestComesAsItWasPushed) {
    const std::string json = push_image("a/b", "1.0");
    for (const std::string& reference : {std::string("1.0"), digest(json)}) {
        for (const char* method : {"GET", "HEAD"}) {
            const HttpAnswer answer = ask_twice(method, "/v2/a/b/manifests/" + reference);
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.field("Content-Type"), registry::kOciManifest);
            EXPECT_EQ(answer.field("Content-Length"), std::to_string(json.size()));
            EXPECT_EQ(answer.field("Docker-Content-Digest"), digest(json));
            EXPECT_EQ(answer.field("ETag"), '"' + digest(json) + '"');
            EXPECT_EQ(answer.field("X-Common"), "here");
            EXPECT_EQ(answer.body, std::string_view(method) == "GET" ? json : "");
        }
    }
}

TEST_F(ApiPull, AManifestComesWhateverIsAccepted) {
    push_image("a", "1");
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1", {{"Accept", "text/html"}}).status, 200);
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1?ns=docker.io").status, 200) << "as containerd asks";
}

TEST_F(ApiPull, ABlobComesWithAllItsFields) {
    for (const std::string& bytes : {std::string("a blob"), std::string(200'000, 'x')}) {
        const std::string name = push_blob("a", bytes);
        for (const char* method : {"GET", "HEAD"}) {
            const HttpAnswer answer = ask_twice(method, "/v2/a/blobs/" + name);
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.field("Content-Type"), "application/octet-stream");
            EXPECT_EQ(answer.field("Content-Length"), std::to_string(bytes.size()));
            EXPECT_EQ(answer.field("Docker-Content-Digest"), name);
            EXPECT_EQ(answer.field("ETag"), '"' + name + '"');
            EXPECT_EQ(answer.field("Accept-Ranges"), "bytes");
            EXPECT_THAT(answer.field("Cache-Control"), testing::HasSubstr("max-age=31536000"));
            EXPECT_EQ(answer.body, std::string_view(method) == "GET" ? bytes : "");
        }
    }
}

TEST_F(ApiPull, PartsOfABlobComeAsAsked) {
    std::string bytes;
    for (int i = 0; i < 100'000; ++i)
        bytes += static_cast<char>('a' + i % 26);
    struct Row {
        const char* range;
        std::size_t offset, size;
    };
    for (const std::string& blob : {bytes.substr(0, 1000), bytes}) {
        const std::string target = "/v2/a/blobs/" + push_blob("a", blob);
        for (const Row& row : std::vector<Row>{{"bytes=0-0", 0, 1},
                                               {"bytes=500-599", 500, 100},
                                               {"bytes=500-", 500, blob.size() - 500},
                                               {"bytes=-10", blob.size() - 10, 10},
                                               {"bytes=-999999", 0, blob.size()},
                                               {"bytes=990-999999", 990, blob.size() - 990}}) {
            SCOPED_TRACE(row.range);
            const HttpAnswer answer = ask_twice("GET", target, {{"Range", row.range}});
            EXPECT_EQ(answer.status, 206);
            EXPECT_EQ(answer.body, blob.substr(row.offset, row.size));
            EXPECT_EQ(answer.field("Content-Range"), "bytes " + std::to_string(row.offset) + "-" +
                                                         std::to_string(row.offset + row.size - 1) +
                                                         "/" + std::to_string(blob.size()));
        }
        // Several parts at once, another unit, or nothing that is a range: the whole.
        for (const char* range : {"bytes=0-1,3-4", "lines=1-2", "bytes=x"}) {
            const HttpAnswer answer = ask_twice("GET", target, {{"Range", range}});
            EXPECT_EQ(answer.status, 200) << range;
            EXPECT_EQ(answer.body, blob);
        }
        EXPECT_EQ(ask_twice("HEAD", target, {{"Range", "bytes=0-0"}}).status, 200);
    }
}

TEST_F(ApiPull, APartOutsideIsRefusedWithTheSize) {
    const std::string target = "/v2/a/blobs/" + push_blob("a", "0123456789");
    for (const char* range : {"bytes=10-", "bytes=10-20", "bytes=-0"}) {
        const HttpAnswer answer = ask_twice("GET", target, {{"Range", range}});
        EXPECT_EQ(error_of(answer), "416 RANGE_INVALID") << range;
        EXPECT_EQ(answer.field("Content-Range"), "bytes */10");
        EXPECT_EQ(answer.field("Docker-Content-Digest"), digest("0123456789"));
    }
}

TEST_F(ApiPull, AnEmptyBlobWithARangeIsEmpty) {
    const HttpAnswer answer =
        ask_twice("GET", "/v2/a/blobs/" + push_blob("a", ""), {{"Range", "bytes=0-1"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Content-Length"), "0");
}

TEST_F(ApiPull, APartIsOnlyOfWhatTheClientHas) {
    const std::string name = push_blob("a", "0123456789");
    const std::string target = "/v2/a/blobs/" + name;
    const auto status = [&](const std::string& tag) {
        return ask_twice("GET", target, {{"Range", "bytes=0-1"}, {"If-Range", tag}}).status;
    };
    EXPECT_EQ(status('"' + name + '"'), 206);
    EXPECT_EQ(status("\"other\""), 200);
    EXPECT_EQ(status("W/\"" + name + '"'), 200);
    EXPECT_EQ(status("Mon, 01 Jan 2024 00:00:00 GMT"), 200);
}

TEST_F(ApiPull, WhatTheClientHasIsNotSentAgain) {
    const std::string json = push_image("a", "1");
    const std::string blob = push_blob("a", "a blob");
    for (const auto& [target, name] : std::vector<std::pair<std::string, std::string>>{
             {"/v2/a/manifests/1", digest(json)}, {"/v2/a/blobs/" + blob, blob}}) {
        for (const std::string& tags :
             {'"' + name + '"', "W/\"" + name + '"', "\"x\", \"" + name + "\"", std::string("*")}) {
            SCOPED_TRACE(tags);
            const HttpAnswer answer = ask_twice("GET", target, {{"If-None-Match", tags}});
            EXPECT_EQ(answer.status, 304);
            EXPECT_EQ(answer.body, "");
            EXPECT_EQ(answer.field("ETag"), '"' + name + '"');
            EXPECT_EQ(answer.field("Docker-Content-Digest"), name);
            EXPECT_EQ(ask("HEAD", target, {{"If-None-Match", tags}}).status, 304);
        }
        EXPECT_EQ(ask_twice("GET", target, {{"If-None-Match", "\"other\""}}).status, 200);
    }
}

TEST_F(ApiPull, WhatIsNotThereIsSaidInTheErrorFormat) {
    push_image("a", "1");
    const std::string none = digest("nothing");
    for (const auto& [target, error] : std::vector<std::pair<std::string, std::string>>{
             {"/v2/a/manifests/none", "404 MANIFEST_UNKNOWN"},
             {"/v2/a/manifests/" + none, "404 MANIFEST_UNKNOWN"},
             {"/v2/none/manifests/1", "404 MANIFEST_UNKNOWN"},
             {"/v2/a/blobs/" + none, "404 BLOB_UNKNOWN"},
             {"/v2/a/manifests/.not~a~tag", "404 MANIFEST_UNKNOWN"},
             {"/v2/a/manifests/sha256:short", "400 DIGEST_INVALID"},
             {"/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", "400 DIGEST_INVALID"},
             {"/v2/a/blobs/sha256:short", "400 DIGEST_INVALID"},
             {"/v2/a/blobs/latest", "400 DIGEST_INVALID"},
             {"/v2/UPPER/manifests/1", "400 NAME_INVALID"},
             {"/v2/a//b/manifests/1", "400 NAME_INVALID"},
             {"/v2//tags/list", "400 NAME_INVALID"},
             {"/v2/a/..%2f..%2fb/manifests/1", "400 NAME_INVALID"},
             {"/v2/%2e%2e/manifests/1", "400 NAME_INVALID"},
             {"/v2/a/manifests/%zz", "400 NAME_INVALID"},
             {"/v2/a/nothing/1", "404 NAME_UNKNOWN"},
             {"/v3/", "404 NAME_UNKNOWN"}}) {
        SCOPED_TRACE(target);
        EXPECT_EQ(error_of(ask("GET", target)), error);
        const HttpAnswer head = ask("HEAD", target);
        EXPECT_EQ(std::to_string(head.status), error.substr(0, 3));
        EXPECT_NE(head.field("Content-Length"), "0");
    }
}

TEST_F(ApiPull, EscapedNamesMeanTheSame) {
    const std::string json = push_image("a/b", "1.0");
    EXPECT_EQ(ask("GET", "/v2/a%2Fb/manifests/1%2E0").body, json);
    const std::string escaped = "sha256%3A" + digest(json).substr(7);
    EXPECT_EQ(ask("GET", "/v2/a/b/manifests/" + escaped).body, json);
}

TEST_F(ApiPull, AnAbsoluteTargetMeansTheSame) {
    const std::string json = push_image("a", "1");
    EXPECT_EQ(ask("GET", "http://other.example/v2/a/manifests/1").body, json);
}

TEST_F(ApiPull, ABlobOfAnotherRepositoryIsNotThere) {
    const std::string name = push_blob("a", "a blob");
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + name).status, 200);
    EXPECT_EQ(error_of(ask("GET", "/v2/b/blobs/" + name)), "404 BLOB_UNKNOWN");
}

}  // namespace
}  // namespace berth::api
