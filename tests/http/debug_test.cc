// Goal: the debug address shows health, variables and, where they are enabled, metrics, and nothing
// else.
// Method: exchanges with the real server, whose answers come from functions of the test.
#include "api/debug.h"

#include <gmock/gmock.h>

#include "support/http_exchange.h"

namespace berth::api {
namespace {

using testing::HasSubstr;

class Debug : public testing::Test {
  protected:
    HttpAnswer ask(std::string_view method, std::string_view target) {
        if (!client_) client_ = std::make_unique<HttpTestClient>(server().port());
        return client_->ask(method, target, {}, {});
    }
    HttpTestServer& server() {
        if (!server_) {
            handler_ = make_debug_handler({.pool = pool_,
                                           .failures = [this] { return failures_; },
                                           .vars = [] { return R"({"cmdline": []})"; },
                                           .metrics = metrics_,
                                           .metrics_path = path_});
            server_ = std::make_unique<HttpTestServer>(*handler_);
        }
        return *server_;
    }

    std::map<std::string, std::string> failures_;
    std::function<std::string()> metrics_ = [] { return "berth_up 1\n"; };
    std::string path_ = "/metrics";
    Pool pool_{{.name = "debug", .threads = 1}};
    std::unique_ptr<http::Handler> handler_;
    std::unique_ptr<HttpTestServer> server_;
    std::unique_ptr<HttpTestClient> client_;
};

TEST_F(Debug, HealthIsEmptyWhileAllIsWell) {
    const HttpAnswer answer = ask("GET", "/debug/health");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Content-Type"), "application/json");
    EXPECT_EQ(answer.body, "{}");
}

TEST_F(Debug, HealthSaysWhatFailsAndWhy) {
    failures_ = {{"/run/down", "file exists"}, {"127.0.0.1:1", "refused \"so\" \xff"}};
    const HttpAnswer answer = ask("GET", "/debug/health");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(
        answer.body,
        "{\"/run/down\":\"file exists\",\"127.0.0.1:1\":\"refused \\\"so\\\" \xef\xbf\xbd\"}");
}

TEST_F(Debug, ShowsVariablesAndMetrics) {
    const HttpAnswer vars = ask("GET", "/debug/vars");
    EXPECT_EQ(vars.status, 200);
    EXPECT_EQ(vars.field("Content-Type"), "application/json");
    EXPECT_EQ(vars.body, R"({"cmdline": []})");
    const HttpAnswer metrics = ask("GET", "/metrics");
    EXPECT_EQ(metrics.status, 200);
    EXPECT_EQ(metrics.field("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(metrics.body, "berth_up 1\n");
    const HttpAnswer head = ask("HEAD", "/metrics");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("Content-Length"), "11");
}

TEST_F(Debug, MetricsHaveTheirOwnPath) {
    path_ = "/numbers";
    EXPECT_EQ(ask("GET", "/numbers").status, 200);
    EXPECT_EQ(ask("GET", "/metrics").status, 404);
}

TEST_F(Debug, WithoutMetricsThereAreNone) {
    metrics_ = nullptr;
    EXPECT_EQ(ask("GET", "/metrics").status, 404);
    EXPECT_EQ(ask("GET", "/debug/vars").status, 200);
}

TEST_F(Debug, ProfilesAreRefusedWithASentence) {
    for (const char* path : {"/debug/pprof", "/debug/pprof/", "/debug/pprof/heap"}) {
        const HttpAnswer answer = ask("GET", path);
        EXPECT_EQ(answer.status, 404) << path;
        EXPECT_THAT(answer.body, HasSubstr("perf"));
    }
}

TEST_F(Debug, NothingElseIsThere) {
    for (const char* path : {"/", "/v2/", "/debug", "/debug/", "/debug/health/", "/debug/healthy",
                             "/debug/pprofs", "/metrics/", "/healthz"})
        EXPECT_EQ(ask("GET", path).status, 404) << path;
}

TEST_F(Debug, CanOnlyBeRead) {
    for (const char* path : {"/debug/health", "/debug/vars", "/metrics"}) {
        for (const char* method : {"POST", "PUT", "DELETE"}) {
            const HttpAnswer answer = ask(method, path);
            EXPECT_EQ(answer.status, 405) << method << path;
            EXPECT_EQ(answer.field("Allow"), "GET, HEAD");
        }
    }
}

}  // namespace
}  // namespace berth::api
