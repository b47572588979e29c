// Goal: what surrounds the registry's answers: the pages, methods, Locations, errors of HTTP
// itself, and the logs.
// Method: exchanges with the real server.
#include <nlohmann/json.hpp>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

class ApiAnswer : public ApiFixture {};

TEST_F(ApiAnswer, TheBaseSaysWhatThisIs) {
    for (const char* target : {"/v2/", "/v2", "/v2/?x=y", "/%762/"}) {
        const HttpAnswer answer = ask("GET", target);
        EXPECT_EQ(answer.status, 200) << target;
        EXPECT_EQ(answer.body, "{}");
        EXPECT_EQ(answer.field("Content-Type"), "application/json");
        EXPECT_EQ(answer.field("Docker-Distribution-Api-Version"), "registry/2.0");
        EXPECT_EQ(ask("HEAD", target).field("Content-Length"), "2");
    }
}

TEST_F(ApiAnswer, PeopleAndProbesAreAnswered) {
    const HttpAnswer health = ask("GET", "/healthz");
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(health.body, "ok\n");
    const HttpAnswer front = ask("GET", "/");
    EXPECT_EQ(front.status, 200);
    EXPECT_THAT(front.field("Content-Type"), testing::StartsWith("text/html"));
    EXPECT_THAT(front.body, testing::HasSubstr("Berth"));
    EXPECT_THAT(front.body, testing::HasSubstr("docker push localhost/my-image"));
}

TEST_F(ApiAnswer, TheFrontPageTakesNobodysMarkup) {
    const std::string front = http_exchange(
        server().port(), "GET / HTTP/1.1\r\nHost: \"><script>\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(front.find("<script>"), std::string::npos) << front;
}

TEST_F(ApiAnswer, AMethodThatDoesNotFitIsRefusedWithThoseThatDo) {
    for (const auto& [method, target, allowed] :
         std::vector<std::tuple<const char*, const char*, const char*>>{
             {"POST", "/v2/", "GET, HEAD"},
             {"DELETE", "/v2/a/tags/list", "GET, HEAD"},
             {"PUT", "/v2/_catalog", "GET, HEAD"},
             {"GET", "/v2/a/blobs/uploads/", "POST"},
             {"POST", "/v2/a/blobs/sha256:x", "GET, HEAD, DELETE"},
             {"POST", "/v2/a/manifests/1", "GET, HEAD, PUT, DELETE"},
             {"OPTIONS", "/v2/a/manifests/1", "GET, HEAD, PUT, DELETE"},
             {"OPTIONS", "/v2/", "GET, HEAD"},
             {"BREW", "/v2/", "GET, HEAD"},
             {"POST", "/", "GET, HEAD"},
             {"DELETE", "/healthz", "GET, HEAD"}}) {
        SCOPED_TRACE(std::string(method) + " " + target);
        const HttpAnswer answer = ask(method, target);
        EXPECT_EQ(error_of(answer), "405 UNSUPPORTED");
        EXPECT_EQ(answer.field("Allow"), allowed);
    }
}

TEST_F(ApiAnswer, ErrorsAreJsonWithTheRequestsId) {
    const HttpAnswer answer = ask("GET", "/v2/a/manifests/none");
    const auto json = nlohmann::json::parse(answer.body).at("errors").at(0);
    EXPECT_EQ(json.at("code"), "MANIFEST_UNKNOWN");
    EXPECT_EQ(json.at("message"), "manifest unknown to registry");
    EXPECT_EQ(json.at("detail").at("requestId"), answer.field("X-Request-Id"));
}

TEST_F(ApiAnswer, WhatHttpRefusesHasTheSameForm) {
    const std::string answer =
        http_exchange_until_closed(server().port(), "GET /v2/ HTTP/1.1\r\n\r\n");
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(answer, testing::HasSubstr(R"({"errors":[{"code":"UNKNOWN","message":")"));
    EXPECT_THAT(answer, testing::HasSubstr("Docker-Distribution-Api-Version: registry/2.0\r\n"));
    const std::string smuggled = http_exchange_until_closed(
        server().port(),
        "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    EXPECT_THAT(smuggled, testing::StartsWith("HTTP/1.1 400 "));
}

TEST_F(ApiAnswer, OurOwnFailuresAreNotTold) {
    http::Request request;
    request.id = "the-id";
    http::Response response;
    server().handler().refuse(request, 500, "std::bad_alloc in /secret/path", response);
    EXPECT_EQ(response.status, 500);
    const std::string body(as_text(response.bytes()));
    EXPECT_THAT(body, testing::HasSubstr(R"("code":"UNKNOWN")"));
    EXPECT_THAT(body, testing::HasSubstr("the-id"));
    EXPECT_EQ(body.find("secret"), std::string::npos);
}

TEST_F(ApiAnswer, LocationsFollowTheProxy) {
    const std::string target = "/v2/a/blobs/uploads/";
    EXPECT_THAT(
        ask("POST", target, {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "hub.example"}})
            .field("Location"),
        testing::StartsWith("https://hub.example/v2/a/blobs/uploads/"));
    EXPECT_THAT(
        ask("POST", target, {{"Forwarded", "proto=https;host=f.example"}}).field("Location"),
        testing::StartsWith("https://f.example/v2/a/blobs/uploads/"));

    ApiSetup setup;
    setup.options.relative_urls = true;
    setup.options.prefix = "/registry/";
    start(setup);
    const HttpAnswer begun = ask("POST", "/registry" + target);
    EXPECT_THAT(begun.field("Location"), testing::StartsWith("/registry/v2/a/blobs/uploads/"));
    const HttpAnswer put = ask("PUT", begun.field("Location") + "?digest=" + digest("x"), {}, "x");
    EXPECT_EQ(put.field("Location"), "/registry/v2/a/blobs/" + digest("x"));
    EXPECT_EQ(ask("POST", target).status, 404) << "nothing is outside of the prefix";
}

TEST_F(ApiAnswer, ALocationWorksUnderAnotherName) {
    const HttpAnswer begun =
        ask("POST", "/v2/a/blobs/uploads/", {{"X-Forwarded-Host", "other.example"}});
    EXPECT_EQ(ask("PUT", path_of(begun) + "?digest=" + digest("x"), {}, "x").status, 201);
}

TEST_F(ApiAnswer, TheAccessLogHasEachRequestAndWhoMadeIt) {
    ApiSetup setup;
    setup.users = {{"alice", "wonderland"}};
    start(setup);
    ask("GET", "/v2/", {{"User-Agent", "docker/27"}});
    log_in("alice", "wrong");
    ask("GET", "/v2/?wrong");
    log_in("alice", "wonderland");
    ask("GET", "/v2/a/tags/list");
    client_.reset();
    server_->stop();
    const std::string log = server_->access_log();
    EXPECT_THAT(log, testing::HasSubstr("\"GET /v2/ HTTP/1.1\" 401 "));
    EXPECT_THAT(log, testing::HasSubstr("\"docker/27\"\n"));
    EXPECT_THAT(log, testing::HasSubstr(" - alice ["));
    EXPECT_THAT(log, testing::HasSubstr("\"GET /v2/a/tags/list HTTP/1.1\" 404 "));
    EXPECT_EQ(log.find(" - alice ["), log.rfind(" - alice [")) << "only who proved it";
    EXPECT_EQ(log.find(basic("alice", "wonderland").substr(6)), std::string::npos);
}

TEST(CommonFields, StandOnEveryAnswer) {
    EXPECT_EQ(common_fields({{"Strict-Transport-Security", "max-age=1"},
                             {"docker-distribution-api-version", "other"},
                             {"X-Evil", "a\r\nInjected: b"}}),
              "Docker-Distribution-Api-Version: registry/2.0\r\n"
              "Strict-Transport-Security: max-age=1\r\n"
              "X-Evil: aInjected: b\r\n");
}

}  // namespace
}  // namespace berth::api
