// Goal: pulls are told of as distribution tells of them, from memory or not, and changes say by
// which request they came; where nobody wants to know, nothing is said.
// Method: exchanges with the real server; what its services were told is read after they have
// ended.
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

using registry::Event;
using testing::ElementsAre;
using testing::IsEmpty;
using Json = nlohmann::json;

class ApiEvent : public ApiFixture {
  protected:
    void start_listening(ApiSetup setup = {}) {
        setup.options.events = true;
        setup.options.delete_enabled = true;
        setup.events = {.push = true, .mount = true, .remove = true};
        setup.on_pull = [this](Event event) {
            std::lock_guard lock(mutex_);
            pulls_.push_back(std::move(event));
        };
        setup.on_change = [this] { ++changes_; };
        start(std::move(setup));
    }
    // All pulls so far, `digest tag`.
    std::vector<std::string> pulled() {
        std::lock_guard lock(mutex_);
        std::vector<std::string> lines;
        for (const Event& event : pulls_)
            lines.push_back(event.digest + " " + event.tag);
        return lines;
    }

    std::mutex mutex_;
    std::vector<Event> pulls_;
    std::atomic<int> changes_ = 0;
};

TEST_F(ApiEvent, TellsOfEachPullFromMemoryToo) {
    start_listening();
    const std::string manifest = digest(push_image("a/b", "1"));
    for (int i = 0; i < 2; ++i) {
        ask("GET", "/v2/a/b/manifests/1");
        ask("HEAD", "/v2/a/b/manifests/" + manifest);
        ask("GET", "/v2/a/b/blobs/" + digest("layer"));
    }
    EXPECT_THAT(pulled(), ElementsAre(manifest + " 1", manifest + " ", digest("layer") + " ",
                                      manifest + " 1", manifest + " ", digest("layer") + " "));
    EXPECT_EQ(pulls_[0].repository, "a/b");
    EXPECT_EQ(pulls_[0].media_type, registry::kOciManifest);
    EXPECT_EQ(pulls_[0].at, server().clock().now());
    EXPECT_EQ(pulls_[2].media_type, "application/octet-stream");
    EXPECT_EQ(pulls_[2].size, 5u);
}

TEST_F(ApiEvent, TellsOfABlobThatTheClientHasAndOfAPartButNotOfSuchAManifest) {
    start_listening();
    const std::string manifest = digest(push_image("a/b", "1"));
    const std::string blob = "/v2/a/b/blobs/" + digest("layer");
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(
            ask("GET", "/v2/a/b/manifests/1", {{"If-None-Match", "\"" + manifest + "\""}}).status,
            304);
        EXPECT_EQ(ask("GET", blob, {{"If-None-Match", "\"" + digest("layer") + "\""}}).status, 304);
        EXPECT_EQ(ask("GET", blob, {{"Range", "bytes=0-1"}}).status, 206);
    }
    const std::string line = digest("layer") + " ";
    EXPECT_THAT(pulled(), ElementsAre(line, line, line, line));
}

TEST_F(ApiEvent, TellsOfNothingThatWasRefused) {
    ApiSetup setup;
    setup.users = {{"alice", "secret"}};
    start_listening(std::move(setup));
    log_in("alice", "secret");
    push_image("a/b", "1");
    ask("GET", "/v2/a/b/manifests/absent");
    ask("GET", "/v2/a/b/blobs/" + digest("layer"), {{"Range", "bytes=99-"}});
    ask("GET", "/v2/a/b/blobs/" + digest("absent"));
    log_out();
    ask("GET", "/v2/a/b/manifests/1");
    EXPECT_THAT(pulled(), IsEmpty());
}

TEST_F(ApiEvent, SaysWhoAskedAndHow) {
    ApiSetup setup;
    setup.users = {{"alice", "secret"}};
    start_listening(std::move(setup));
    log_in("alice", "secret");
    push_blob("a/b", "layer");
    ask("GET", "/v2/a/b/blobs/" + digest("layer"), {{"User-Agent", "crane\"\xff"}});
    const auto events = server().events();
    ASSERT_EQ(events.size(), 1u);
    ASSERT_EQ(pulls_.size(), 1u);
    for (const auto& [event, method, agent] :
         {std::tuple(events[0], "POST", ""), std::tuple(pulls_[0], "GET", "crane\"\xef\xbf\xbd")}) {
        EXPECT_EQ(event.actor, "alice");
        const Json request = Json::parse(event.request);
        EXPECT_EQ(request["method"], method);
        EXPECT_EQ(request["useragent"], agent);
        EXPECT_NE(request["id"], "");
        EXPECT_THAT(request["addr"].get<std::string>(),
                    testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+"));
        EXPECT_EQ(request["base"], "http://" + request["host"].get<std::string>() + "/");
    }
}

TEST_F(ApiEvent, GivesTheAddressThatATrustedProxyGives) {
    ApiSetup setup;
    setup.options.trusted_proxies = {"127.0.0.1"};
    setup.options.host = "https://registry.example.org";
    setup.options.prefix = "/images/";
    start_listening(std::move(setup));
    ask("POST", "/images/v2/a/b/blobs/uploads/?digest=" + digest("x"),
        {{"X-Forwarded-For", "192.0.2.7"}}, "x");
    const auto events = server().events();
    ASSERT_EQ(events.size(), 1u);
    const Json request = Json::parse(events[0].request);
    EXPECT_EQ(request["addr"], "192.0.2.7");
    EXPECT_EQ(request["base"], "https://registry.example.org/images/");
}

TEST_F(ApiEvent, KeepsNoMoreOfAUserAgentThanNeedBe) {
    start_listening();
    ask("POST", "/v2/a/b/blobs/uploads/?digest=" + digest("x"),
        {{"User-Agent", std::string(20'000, 'a')}}, "x");
    EXPECT_LT(server().events().at(0).request.size(), 2'000u);
}

TEST_F(ApiEvent, SaysThatSomethingMayHaveChanged) {
    start_listening();
    push_blob("a/b", "x");
    EXPECT_EQ(changes_, 1);
    ask("GET", "/v2/a/b/blobs/" + digest("x"));
    ask("GET", "/v2/_catalog");
    EXPECT_EQ(changes_, 1);
    ask("DELETE", "/v2/a/b/blobs/" + digest("x"));
    EXPECT_EQ(changes_, 2);
}

TEST_F(ApiEvent, DescribesNoRequestWhereNobodyWantsToKnow) {
    ApiSetup setup;
    setup.events = {.push = true};
    start(std::move(setup));
    push_blob("a/b", "x");
    EXPECT_EQ(server().events().at(0).request, "");
}

TEST_F(ApiEvent, NamesWhatAPulledManifestConsistsOf) {
    ApiSetup setup;
    setup.registry.references = true;
    start_listening(std::move(setup));
    push_image("a/b", "1");
    for (int i = 0; i < 2; ++i)
        ask("GET", "/v2/a/b/manifests/1");
    ASSERT_EQ(pulls_.size(), 2u);
    const std::string pushed = server().events().back().references;
    EXPECT_EQ(Json::parse(pushed).size(), 2u);
    EXPECT_EQ(pulls_[0].references, pushed);
    EXPECT_EQ(pulls_[1].references, pushed);
}

}  // namespace
}  // namespace berth::api
