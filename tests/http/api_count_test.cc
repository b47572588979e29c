// Goal: each exchange is counted once, by what it was for and how it ended, whichever way it was
// answered; a server whose health checks fail answers nothing but that.
// Method: exchanges with the real server; what was counted is read after all of them have ended.
#include <atomic>

#include "support/api_fixture.h"
#include "support/exposition.h"

namespace berth::api {
namespace {

class ApiCount : public ApiFixture {
  protected:
    void start_counting(ApiSetup setup = {}) {
        setup.metrics = &metrics_;
        start(std::move(setup));
    }
    // All exchanges have ended by then.
    Exposition counted() {
        client_.reset();
        server().stop();
        return read_exposition(metrics_.text());
    }
    static std::string requests(const std::string& code, const std::string& handler,
                                const std::string& method) {
        return "registry_http_requests_total{code=\"" + code + "\",handler=\"" + handler +
               "\",method=\"" + method + "\"}";
    }

    metrics::Metrics metrics_;
};

TEST_F(ApiCount, EachResourceHasItsName) {
    ApiSetup setup;
    setup.options.delete_enabled = true;
    start_counting(std::move(setup));
    ask("GET", "/v2/");
    push_image("a/b", "1");
    ask("GET", "/v2/_catalog");
    ask("GET", "/v2/a/b/tags/list");
    ask("GET", "/v2/a/b/referrers/" + digest("x"));
    ask("HEAD", "/v2/a/b/blobs/" + digest("layer"));
    const std::string upload = begin("a/b");
    ask("PATCH", upload, {}, "abc");
    ask("DELETE", upload);
    ask("DELETE", "/v2/a/b/manifests/1");
    ask("GET", "/healthz");
    ask("GET", "/nothing");
    ask("GET", "/v2/_berth/tokens");
    ask("GET", "/token");
    const Exposition read = counted();
    for (const auto& [series, count] : std::vector<std::pair<std::string, std::string>>{
             {requests("200", "base", "get"), "1"},
             {requests("201", "blob_upload", "post"), "2"},
             {requests("202", "blob_upload", "post"), "1"},
             {requests("202", "blob_upload_chunk", "patch"), "1"},
             {requests("204", "blob_upload_chunk", "delete"), "1"},
             {requests("201", "manifest", "put"), "1"},
             {requests("202", "manifest", "delete"), "1"},
             {requests("200", "blob", "head"), "1"},
             {requests("200", "catalog", "get"), "1"},
             {requests("200", "tags", "get"), "1"},
             {requests("200", "referrers", "get"), "1"},
             {requests("200", "other", "get"), "1"},
             {requests("404", "other", "get"), "1"}}) {
        EXPECT_EQ(read.value(series), count) << series;
    }
    EXPECT_NE(metrics_.text().find("handler=\"admin\",method=\"get\""), std::string::npos);
    EXPECT_NE(metrics_.text().find("handler=\"token\",method=\"get\""), std::string::npos);
}

TEST_F(ApiCount, WhatMemoryAnswersIsCountedToo) {
    start_counting();
    push_image("a", "1");
    for (int i = 0; i < 3; ++i)
        ask("GET", "/v2/a/manifests/1");
    ask("GET", "/v2/a/manifests/none");
    const Exposition read = counted();
    EXPECT_EQ(read.value(requests("200", "manifest", "get")), "3");
    EXPECT_EQ(read.value(requests("404", "manifest", "get")), "1");
    EXPECT_EQ(read.value("registry_storage_cache_requests_total"), "4");
    EXPECT_EQ(read.value("registry_storage_cache_hits_total"), "2");
}

TEST_F(ApiCount, NothingIsLeftUnderWay) {
    start_counting();
    push_image("a", "1");
    ask("GET", "/v2/a/manifests/1");
    ask("GET", "/v2/%zz");
    ask("GET", "/v2/a/tags/list?n=x");
    for (const auto& [series, value] : counted().values) {
        if (series.starts_with("registry_http_in_flight_requests{")) {
            EXPECT_EQ(value, "0") << series;
        }
    }
}

TEST_F(ApiCount, WhatIsNoRequestIsCounted) {
    start_counting();
    EXPECT_EQ(http_exchange(server().port(), "nonsense\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
    const Exposition read = counted();
    EXPECT_EQ(read.value(requests("400", "other", "unknown")), "1");
}

TEST_F(ApiCount, SizesAreThoseOfTheWire) {
    start_counting();
    const std::string layer(100'000, 'x');
    push_blob("a", layer);
    ask("GET", "/v2/a/blobs/" + digest(layer));
    const Exposition read = counted();
    const double sent =
        std::stod(read.value(R"(registry_http_request_size_bytes_sum{handler="blob_upload"})"));
    EXPECT_GT(sent, 100'000) << "with the head";
    EXPECT_LT(sent, 101'000);
    EXPECT_EQ(read.value(R"(registry_http_response_size_bytes_sum{handler="blob"})"), "100000");
}

TEST_F(ApiCount, ChunkedBodiesHaveASizeToo) {
    start_counting();
    const std::string upload = begin("a");
    const std::string request = "PATCH " + upload +
                                " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                                "Connection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    EXPECT_EQ(http_exchange(server().port(), request).substr(0, 12), "HTTP/1.1 202");
    const std::size_t head = request.find("\r\n\r\n") + 4;
    EXPECT_EQ(
        counted().value(R"(registry_http_request_size_bytes_sum{handler="blob_upload_chunk"})"),
        std::to_string(head + 5));
}

TEST_F(ApiCount, RepositoriesMakeNoSeries) {
    start_counting();
    for (int i = 0; i < 50; ++i)
        ask("GET", "/v2/name" + std::to_string(i) + "/tags/list");
    const Exposition read = counted();
    EXPECT_EQ(read.value(requests("404", "tags", "get")), "50");
    for (const auto& [series, value] : read.values)
        EXPECT_EQ(series.find("name4"), std::string::npos) << series;
}

class ApiUnready : public ApiCount {
  protected:
    void start_unready(ApiSetup setup = {}) {
        setup.ready = [this] { return ready_.load(); };
        start_counting(std::move(setup));
    }

    std::atomic<bool> ready_ = true;
};

TEST_F(ApiUnready, EveryAnswerIsTheSame503) {
    ApiSetup setup;
    setup.users = {{"alice", "wonderland"}};
    start_unready(std::move(setup));
    log_in("alice", "wonderland");
    push_image("a", "1");
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 200);
    ready_ = false;
    for (const auto& [method, target] :
         std::vector<std::pair<std::string, std::string>>{{"GET", "/v2/"},
                                                          {"GET", "/v2/a/manifests/1"},
                                                          {"GET", "/v2/a/blobs/" + digest("layer")},
                                                          {"PUT", "/v2/a/manifests/1"},
                                                          {"POST", "/v2/a/blobs/uploads/"},
                                                          {"DELETE", "/v2/a/manifests/1"},
                                                          {"GET", "/v2/_catalog"},
                                                          {"GET", "/"},
                                                          {"GET", "/healthz"},
                                                          {"GET", "/v2/%61/tags/list"},
                                                          {"GET", "/v2/%zz"},
                                                          {"GET", "/token"},
                                                          {"GET", "/nothing"}}) {
        SCOPED_TRACE(method + " " + target);
        const HttpAnswer answer = ask(method, target);
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(answer.field("Content-Type"), "application/json");
        EXPECT_EQ(answer.field("WWW-Authenticate"), "");
        EXPECT_EQ(answer.body,
                  R"({"errors":[{"code":"UNAVAILABLE","message":"service unavailable",)"
                  R"("detail":"health check failed: please see /debug/health"}]})"
                  "\n");
    }
    EXPECT_EQ(ask("HEAD", "/v2/a/manifests/1").status, 503);
    ready_ = true;
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 200);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
    EXPECT_EQ(counted().value(requests("503", "base", "get")), "1");
}

}  // namespace
}  // namespace berth::api
