// Goal: blobs come in by every way the distribution-spec knows, resume, and never become visible
// with another digest than theirs.
// Method: exchanges with the real server; chunked and broken bodies as raw bytes.
#include <thread>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

class ApiUpload : public ApiFixture {
  protected:
    HttpAnswer put(const std::string& location, std::string_view bytes, std::string_view body = {},
                   const HttpFields& fields = {}) {
        return ask("PUT", location + "?digest=" + digest(bytes), fields, body);
    }
    void expect_blob(const std::string& repository, std::string_view bytes) {
        const HttpAnswer answer = ask("GET", "/v2/" + repository + "/blobs/" + digest(bytes));
        EXPECT_EQ(answer.status, 200);
        EXPECT_TRUE(answer.body == bytes);
    }
    void expect_created(const HttpAnswer& answer, const std::string& repository,
                        std::string_view bytes) {
        EXPECT_EQ(answer.status, 201) << answer.body;
        EXPECT_EQ(path_of(answer), "/v2/" + repository + "/blobs/" + digest(bytes));
        EXPECT_EQ(answer.field("Docker-Content-Digest"), digest(bytes));
        EXPECT_EQ(answer.field("Content-Length"), "0");
        expect_blob(repository, bytes);
    }
    static std::string noise(std::size_t size) {
        std::string bytes(size, '\0');
        random_bytes(std::as_writable_bytes(std::span(bytes)));
        return bytes;
    }
};

TEST_F(ApiUpload, BeginsASession) {
    const HttpAnswer answer = ask("POST", "/v2/a/b/blobs/uploads/");
    EXPECT_EQ(answer.status, 202);
    const std::string id = answer.field("Docker-Upload-UUID");
    EXPECT_EQ(answer.field("Location"), "http://localhost/v2/a/b/blobs/uploads/" + id);
    EXPECT_EQ(answer.field("Range"), "0-0");
    EXPECT_EQ(answer.field("Content-Length"), "0");
    EXPECT_EQ(ask("POST", "/v2/a/b/blobs/uploads").status, 202) << "without the slash, too";
}

TEST_F(ApiUpload, TakesABlobInOneRequest) {
    for (const std::size_t size : {0UL, 1UL, 5'000UL, 64UL << 10, 700'000UL, 2'000'000UL}) {
        SCOPED_TRACE(size);
        const std::string bytes = noise(size);
        const std::string target = "/v2/a/blobs/uploads/?digest=" + digest(bytes);
        expect_created(ask("POST", target, {}, bytes), "a", bytes);
        expect_created(ask("POST", target, {}, bytes), "a", bytes);
    }
}

TEST_F(ApiUpload, TakesABlobInTwoRequests) {
    for (const std::size_t size : {0UL, 5'000UL, 512UL << 10, 1'500'000UL}) {
        SCOPED_TRACE(size);
        const std::string bytes = noise(size);
        expect_created(put(begin("a"), bytes, bytes), "a", bytes);
    }
}

TEST_F(ApiUpload, TakesABlobAsAStream) {
    const std::string bytes = noise(900'000);
    const HttpAnswer patched = ask("PATCH", begin("a"), {}, bytes);
    EXPECT_EQ(patched.status, 202);
    EXPECT_EQ(patched.field("Range"), "0-899999");
    EXPECT_NE(patched.field("Docker-Upload-UUID"), "");
    expect_created(put(path_of(patched), bytes), "a", bytes);
}

TEST_F(ApiUpload, TakesAStreamWithoutALength) {
    const std::string bytes = noise(70'000);
    std::string chunked;
    for (std::size_t at = 0; at < bytes.size(); at += 10'000) {
        chunked += "2710\r\n";
        chunked += bytes.substr(at, 10'000) + "\r\n";
    }
    chunked += "0\r\n\r\n";
    for (const char* method : {"PATCH", "PUT"}) {
        std::string location = begin("a");
        if (std::string_view(method) == "PUT") location += "?digest=" + digest(bytes);
        HttpTestClient client(server().port());
        client.send(std::string(method) + " " + location +
                    " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked);
        const HttpAnswer answer = client.receive_answer();
        if (std::string_view(method) == "PATCH") {
            EXPECT_EQ(answer.field("Range"), "0-69999");
            expect_created(put(path_of(answer), bytes), "a", bytes);
        } else {
            expect_created(answer, "a", bytes);
        }
    }
}

TEST_F(ApiUpload, TakesABlobInChunks) {
    const std::string bytes = "0123456789abcdef";
    std::string location = begin("a");
    for (const auto& [range, size, now] :
         std::vector<std::tuple<std::string, std::size_t, std::string>>{
             {"0-0", 1, "0-0"}, {"1-5", 5, "0-5"}, {"6-9", 4, "0-9"}}) {
        const HttpAnswer answer = ask("PATCH", location, {{"Content-Range", range}},
                                      bytes.substr(std::stoul(range), size));
        EXPECT_EQ(answer.status, 202) << answer.body;
        EXPECT_EQ(answer.field("Range"), now);
        location = path_of(answer);
    }
    expect_created(put(location, bytes, bytes.substr(10), {{"Content-Range", "10-15"}}), "a",
                   bytes);
}

TEST_F(ApiUpload, SaysHowFarItIs) {
    const std::string location = begin("a");
    EXPECT_EQ(ask("GET", location).field("Range"), "0-0");
    ask("PATCH", location, {}, "12345");
    const HttpAnswer status = ask("GET", location);
    EXPECT_EQ(status.status, 204);
    EXPECT_EQ(status.field("Range"), "0-4");
    EXPECT_EQ(path_of(status), location);
    EXPECT_NE(status.field("Docker-Upload-UUID"), "");
}

TEST_F(ApiUpload, RefusesAChunkOutOfOrderAndGoesOn) {
    const std::string location = begin("a");
    ask("PATCH", location, {{"Content-Range", "0-4"}}, "01234");
    for (const char* range : {"0-4", "6-10", "4-8"}) {
        for (const char* method : {"PATCH", "PUT"}) {
            const HttpAnswer answer = ask(method, location + "?digest=" + digest("0123456789"),
                                          {{"Content-Range", range}}, "xxxxx");
            EXPECT_EQ(error_of(answer), "416 RANGE_INVALID");
            EXPECT_EQ(answer.field("Range"), "0-4");
            EXPECT_EQ(path_of(answer), location);
        }
    }
    expect_created(put(location, "0123456789", "56789", {{"Content-Range", "5-9"}}), "a",
                   "0123456789");
}

TEST_F(ApiUpload, RefusesAChunkWhoseRangeIsWrong) {
    const std::string location = begin("a");
    for (const auto& [range, error] : std::vector<std::pair<std::string, std::string>>{
             {"0-5", "400 SIZE_INVALID"},
             {"0-3", "400 SIZE_INVALID"},
             {"4-0", "400 BLOB_UPLOAD_INVALID"},
             {"bytes 0-4/5", "400 BLOB_UPLOAD_INVALID"},
             {"0-", "400 BLOB_UPLOAD_INVALID"}}) {
        EXPECT_EQ(error_of(ask("PATCH", location, {{"Content-Range", range}}, "01234")), error)
            << range;
    }
    EXPECT_EQ(ask("GET", location).field("Range"), "0-0") << "nothing was taken";
}

TEST_F(ApiUpload, RefusesAnotherDigest) {
    const std::string wrong = digest("something else");
    EXPECT_EQ(error_of(ask("POST", "/v2/a/blobs/uploads/?digest=" + wrong, {}, "a blob")),
              "400 DIGEST_INVALID");
    const std::string location = begin("a");
    EXPECT_EQ(error_of(ask("PUT", location + "?digest=" + wrong, {}, "a blob")),
              "400 DIGEST_INVALID");
    EXPECT_EQ(error_of(ask("GET", location)), "404 BLOB_UPLOAD_UNKNOWN");
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + wrong).status, 404);
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + digest("a blob")).status, 404);
    // A blob that is there already is verified all the same.
    push_blob("a", "something else");
    EXPECT_EQ(error_of(ask("POST", "/v2/a/blobs/uploads/?digest=" + wrong, {}, "a blob")),
              "400 DIGEST_INVALID");
}

TEST_F(ApiUpload, WantsADigestAtTheEnd) {
    const std::string location = begin("a");
    for (const char* query :
         {"", "?digest=", "?digest=sha256:abc", "?digest=md5:abc", "?digest=%zz"}) {
        const HttpAnswer answer = ask("PUT", location + query, {}, "a blob");
        EXPECT_EQ(answer.status, 400) << query;
    }
    expect_created(put(location, "a blob", "a blob"), "a", "a blob");
}

TEST_F(ApiUpload, HashesWithTheAlgorithmThatIsAsked) {
    const std::string name = digest512("a blob");
    HttpAnswer answer = ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512");
    EXPECT_EQ(answer.status, 202);
    answer = ask("PUT", path_of(answer) + "?digest=" + name, {}, "a blob");
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.field("Docker-Content-Digest"), name);
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + name).body, "a blob");

    // Also where nobody said so at the beginning, and beside the same bytes under sha256.
    answer = ask("PUT", begin("b") + "?digest=" + name, {}, "a blob");
    EXPECT_EQ(answer.status, 201);
    expect_created(put(begin("b"), "a blob", "a blob"), "b", "a blob");
    EXPECT_EQ(ask("POST", "/v2/c/blobs/uploads/?digest=" + name, {}, "a blob").status, 201);

    EXPECT_EQ(error_of(ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=md5")),
              "400 DIGEST_INVALID");
}

TEST_F(ApiUpload, TakesAnEmptyBlobByEveryWay) {
    const std::string none;
    expect_created(ask("POST", "/v2/one/blobs/uploads/?digest=" + digest(none)), "one", none);
    expect_created(put(begin("two"), none), "two", none);
    const std::string location = begin("three");
    EXPECT_EQ(ask("PATCH", location).field("Range"), "0-0");
    expect_created(put(location, none), "three", none);
    HttpTestClient client(server().port());
    client.send("PUT " + begin("four") + "?digest=" + digest(none) +
                " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    expect_created(client.receive_answer(), "four", none);
}

TEST_F(ApiUpload, BelongsToItsRepository) {
    const std::string location = begin("a");
    const std::string elsewhere = "/v2/b" + location.substr(5);
    for (const char* method : {"GET", "PATCH", "DELETE"})
        EXPECT_EQ(error_of(ask(method, elsewhere)), "404 BLOB_UPLOAD_UNKNOWN");
    EXPECT_EQ(error_of(put(elsewhere, "x", "x")), "404 BLOB_UPLOAD_UNKNOWN");
    EXPECT_EQ(ask("GET", location).status, 204);
}

TEST_F(ApiUpload, IsGoneWhenCancelledOrDone) {
    const std::string cancelled = begin("a");
    ask("PATCH", cancelled, {}, "12345");
    EXPECT_EQ(ask("DELETE", cancelled).status, 204);
    const std::string done = begin("a");
    EXPECT_EQ(put(done, "x", "x").status, 201);
    for (const std::string& location :
         {cancelled, done, std::string("/v2/a/blobs/uploads/not-an-id"),
          std::string("/v2/a/blobs/uploads/7f3a1c52-0000-4000-8000-000000000000")}) {
        EXPECT_EQ(error_of(ask("GET", location)), "404 BLOB_UPLOAD_UNKNOWN");
        EXPECT_EQ(error_of(ask("PATCH", location, {}, "x")), "404 BLOB_UPLOAD_UNKNOWN");
        EXPECT_EQ(error_of(put(location, "x", "x")), "404 BLOB_UPLOAD_UNKNOWN");
        EXPECT_EQ(error_of(ask("DELETE", location)), "404 BLOB_UPLOAD_UNKNOWN");
    }
}

TEST_F(ApiUpload, IsWrittenByOneRequestAtATime) {
    const std::string location = begin("a");
    HttpTestClient busy(server().port());
    busy.send("PATCH " + location +
              " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n");
    // The upload is open by the time the body is asked for.
    EXPECT_EQ(busy.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(error_of(ask("PATCH", location, {}, "x")), "409 BLOB_UPLOAD_INVALID");
    EXPECT_EQ(error_of(put(location, "x", "x")), "409 BLOB_UPLOAD_INVALID");
    EXPECT_EQ(error_of(ask("DELETE", location)), "409 BLOB_UPLOAD_INVALID");
    EXPECT_EQ(ask("GET", location).status, 204);
    const std::string bytes = noise(100'000);
    busy.send(bytes);
    EXPECT_EQ(busy.receive_answer().status, 202);
    expect_created(put(location, bytes), "a", bytes);
}

TEST_F(ApiUpload, TwoEndsAtOnceAreOneBlob) {
    const std::string bytes = noise(300'000);
    const std::string location = begin("a");
    std::vector<int> statuses(2);
    std::vector<std::thread> threads;
    for (int& status : statuses) {
        threads.emplace_back([&, port = server().port()] {
            HttpTestClient client(port);
            status = client.ask("PUT", location + "?digest=" + digest(bytes), {}, bytes).status;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_THAT(statuses, testing::Contains(201));
    EXPECT_THAT(statuses, testing::Each(testing::AnyOf(201, 409, 404)));
    expect_blob("a", bytes);
}

TEST_F(ApiUpload, TheSameBlobFromManyIsOneBlob) {
    const std::string bytes = noise(100'000);
    std::vector<int> statuses(8);
    std::vector<std::thread> threads;
    for (int& status : statuses) {
        threads.emplace_back([&, port = server().port()] {
            HttpTestClient client(port);
            const std::string target = "/v2/a/blobs/uploads/?digest=" + digest(bytes);
            status = client.ask("POST", target, {}, bytes).status;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_THAT(statuses, testing::Each(201));
    expect_blob("a", bytes);
}

TEST_F(ApiUpload, KeepsWhatCameBeforeTheClientWentAway) {
    for (const std::size_t size : {3'000UL, 600'000UL}) {
        for (const char* method : {"PATCH", "PUT"}) {
            const std::string bytes = noise(size);
            const std::string part = bytes.substr(0, size / 2);
            const std::string location = begin("a");
            HttpTestClient client(server().port());
            client.send(std::string(method) + " " + location + "?digest=" + digest(bytes) +
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) +
                        "\r\n\r\n" + part);
            client.finish_sending();
            client.receive_all();  // whatever is said to somebody who left
            const HttpAnswer status = ask("GET", location);
            EXPECT_EQ(status.status, 204);
            EXPECT_EQ(status.field("Range"), "0-" + std::to_string(part.size() - 1));
            expect_created(put(location, bytes, bytes.substr(part.size())), "a", bytes);
        }
    }
}

TEST_F(ApiUpload, LeavesNothingOfASinglePushThatBrokeOff) {
    HttpTestClient client(server().port());
    client.send("POST /v2/a/blobs/uploads/?digest=" + digest("a blob") +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\na b");
    client.finish_sending();
    client.receive_all();
    EXPECT_EQ(ask("GET", "/v2/a/blobs/" + digest("a blob")).status, 404);
}

TEST_F(ApiUpload, MountsWhatTheCallerMayPull) {
    const std::string name = push_blob("source", "a blob");
    for (const std::string& query :
         {"?mount=" + name + "&from=source", "?mount=" + name, "?mount=" + name + "&from=target"}) {
        const HttpAnswer answer = ask("POST", "/v2/target/blobs/uploads/" + query);
        expect_created(answer, "target", "a blob");
    }
}

TEST_F(ApiUpload, FallsBackToASessionWhereItCannotMount) {
    push_blob("source", "a blob");
    const std::string none = digest("nothing");
    for (const std::string& query : {"?mount=" + none + "&from=source", "?mount=" + none,
                                     "?mount=" + digest("a blob") + "&from=other",
                                     "?mount=" + digest("a blob") + "&from=NO/NAME"}) {
        const HttpAnswer answer = ask("POST", "/v2/target/blobs/uploads/" + query);
        EXPECT_EQ(answer.status, 202) << query;
        EXPECT_EQ(put(path_of(answer), "x", "x").status, 201);
    }
    EXPECT_EQ(error_of(ask("POST", "/v2/target/blobs/uploads/?mount=sha256:x")),
              "400 DIGEST_INVALID");
}

TEST_F(ApiUpload, HasALimitWhereOneIsSet) {
    ApiSetup setup;
    setup.options.blob_bytes_max = 10;
    start(setup);
    expect_created(put(begin("a"), "0123456789", "0123456789"), "a", "0123456789");
    EXPECT_EQ(error_of(put(begin("a"), "01234567890", "01234567890")), "413 SIZE_INVALID");
    const std::string location = begin("a");
    EXPECT_EQ(ask("PATCH", location, {}, "012345").status, 202);
    EXPECT_EQ(error_of(ask("PATCH", location, {}, "012345")), "413 SIZE_INVALID");
    EXPECT_EQ(ask("GET", location).field("Range"), "0-5");
    // A long one is refused before it is sent.
    HttpTestClient client(server().port());
    client.send("POST /v2/a/blobs/uploads/?digest=" + digest("x") +
                " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    EXPECT_EQ(client.receive_answer().status, 413);
}

TEST_F(ApiUpload, AnUnknownOneIsRefusedBeforeALongBodyIsSent) {
    HttpTestClient client(server().port());
    client.send(
        "PATCH /v2/a/blobs/uploads/7f3a1c52-0000-4000-8000-000000000000 HTTP/1.1\r\nHost: x\r\n"
        "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    EXPECT_EQ(client.receive_answer().status, 404);
}

}  // namespace
}  // namespace berth::api
