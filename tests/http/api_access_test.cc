// Goal: who is not known is asked for a login, who is known but not allowed is told the rule, and
// neither learns what is there.
// Method: exchanges with the real server, its policy the one of the reference host and others.
#include <nlohmann/json.hpp>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

auth::Rule allow(std::string name, std::vector<std::string> subjects,
                 std::vector<std::string> actions, std::vector<std::string> repositories = {},
                 std::vector<std::string> tags = {}) {
    return {.name = std::move(name),
            .effect = auth::Effect::allow,
            .subjects = std::move(subjects),
            .actions = std::move(actions),
            .repositories = std::move(repositories),
            .tags = std::move(tags)};
}

auth::Rule forbid(auth::Rule rule) {
    rule.effect = auth::Effect::deny;
    return rule;
}

class ApiAccess : public ApiFixture {
  protected:
    // Everyone who logs in pulls, jenkins may all.
    static ApiSetup everyone_pulls() {
        ApiSetup setup;
        setup.users = {{"jenkins", "ci secret"}, {"alice", "wonderland"}};
        setup.options.delete_enabled = true;
        setup.rules = {allow("everyone pulls", {"authenticated"}, {"pull"}),
                       allow("CI pushes", {"user:jenkins"}, {"pull", "push", "delete", "catalog"})};
        return setup;
    }
    void as_jenkins() { log_in("jenkins", "ci secret"); }
    void as_alice() { log_in("alice", "wonderland"); }
};

TEST_F(ApiAccess, WithoutPasswordsEverybodyMayEverything) {
    push_image("a", "1");
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    log_in("whoever", "whatever");
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 200);
    EXPECT_EQ(ask("GET", "/v2/_catalog").status, 200);
}

TEST_F(ApiAccess, WhoIsNotKnownIsAskedForALogin) {
    ApiSetup setup = everyone_pulls();
    setup.options.realm = "The \"Registry\"";
    start(setup);
    as_jenkins();
    push_image("a", "1");
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 200) << "and now it is in memory";
    log_out();
    for (const auto& [method, target] :
         std::vector<std::pair<std::string, std::string>>{{"GET", "/v2/"},
                                                          {"GET", "/v2"},
                                                          {"GET", "/v2/a/manifests/1"},
                                                          {"GET", "/v2/none/manifests/1"},
                                                          {"GET", "/v2/NOT/A/NAME/manifests/1"},
                                                          {"GET", "/v2/a/blobs/sha256:bad"},
                                                          {"GET", "/v2/a/tags/list"},
                                                          {"GET", "/v2/nothing/here"},
                                                          {"GET", "/v2/_catalog"},
                                                          {"POST", "/v2/a/blobs/uploads/"},
                                                          {"PUT", "/v2/a/manifests/1"},
                                                          {"DELETE", "/v2/a/manifests/1"},
                                                          {"DELETE", "/v2/_catalog"},
                                                          {"OPTIONS", "/v2/"}}) {
        SCOPED_TRACE(method + " " + target);
        const HttpAnswer answer = ask(method, target);
        EXPECT_EQ(error_of(answer), "401 UNAUTHORIZED");
        EXPECT_EQ(answer.field("WWW-Authenticate"),
                  "Basic realm=\"The \\\"Registry\\\"\", charset=\"UTF-8\"");
    }
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
    EXPECT_EQ(ask("GET", "/").status, 200);
}

TEST_F(ApiAccess, NothingTellsWhetherItIsThere) {
    start(everyone_pulls());
    as_jenkins();
    push_image("a", "1");
    log_out();
    const auto answer = [this](const std::string& target) {
        HttpAnswer found = ask("GET", target);
        const std::string id = found.field("X-Request-Id");
        found.body.replace(found.body.find(id), id.size(), "ID");
        return found.body;
    };
    EXPECT_EQ(answer("/v2/a/manifests/1"), answer("/v2/none/manifests/1"));
    EXPECT_EQ(answer("/v2/a/blobs/" + digest("layer")), answer("/v2/a/blobs/" + digest("none")));
}

TEST_F(ApiAccess, ALoginIsVerified) {
    start(everyone_pulls());
    as_alice();
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    EXPECT_EQ(ask("GET", "/v2/").status, 200) << "remembered";
    for (const auto& [user, password] : std::vector<std::pair<std::string, std::string>>{
             {"alice", "wrong"}, {"nobody", "wonderland"}, {"", ""}}) {
        log_in(user, password);
        const HttpAnswer answer = ask("GET", "/v2/");
        EXPECT_EQ(error_of(answer), "401 UNAUTHORIZED");
        EXPECT_NE(answer.field("WWW-Authenticate"), "");
        EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 401);
    }
    log_out();
    for (const char* header : {"Bearer abc", "Basic", "Basic !!!", "nonsense"})
        EXPECT_EQ(ask("GET", "/v2/", {{"Authorization", header}}).status, 401) << header;
}

TEST_F(ApiAccess, GuessingIsSlowedDown) {
    start(everyone_pulls());
    int limited = 0;
    for (int i = 0; i < 20; ++i) {
        log_in("alice", "guess " + std::to_string(i));
        const HttpAnswer answer = ask("GET", "/v2/");
        if (answer.status != 429) continue;
        EXPECT_EQ(error_of(answer), "429 TOOMANYREQUESTS");
        EXPECT_EQ(answer.field("Retry-After"), "30");
        ++limited;
    }
    EXPECT_GT(limited, 0);
    as_jenkins();
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
}

TEST_F(ApiAccess, WhoIsNotAllowedIsToldWhy) {
    start(everyone_pulls());
    as_jenkins();
    push_image("a", "1");
    const std::string upload = begin("a");
    as_alice();
    EXPECT_EQ(ask("GET", "/v2/a/manifests/1").status, 200);
    EXPECT_EQ(ask("GET", "/v2/none/manifests/1").status, 404);
    for (const auto& [method, target] : std::vector<std::pair<std::string, std::string>>{
             {"POST", "/v2/a/blobs/uploads/"},
             {"POST", "/v2/none/blobs/uploads/"},
             {"GET", upload},
             {"PATCH", upload},
             {"PUT", upload + "?digest=" + digest("x")},
             {"DELETE", upload},
             {"PUT", "/v2/a/manifests/2"},
             {"DELETE", "/v2/a/manifests/1"},
             {"DELETE", "/v2/a/blobs/" + digest("layer")},
             {"GET", "/v2/_catalog"}}) {
        const HttpAnswer answer = ask(method, target);
        EXPECT_EQ(error_of(answer), "403 DENIED") << method << " " << target;
        EXPECT_EQ(answer.field("WWW-Authenticate"), "");
        EXPECT_THAT(answer.body, testing::HasSubstr("alice"));
    }
}

TEST_F(ApiAccess, ARefusedPushIsNotRead) {
    start(everyone_pulls());
    for (const auto& [header, status] : std::vector<std::pair<std::string, int>>{
             {"", 401}, {"Authorization: " + basic("alice", "wonderland") + "\r\n", 403}}) {
        HttpTestClient client(server().port());
        client.send("POST /v2/a/blobs/uploads/?digest=" + digest("x") + " HTTP/1.1\r\nHost: x\r\n" +
                    header + "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n");
        EXPECT_EQ(client.receive_answer().status, status);
    }
}

TEST_F(ApiAccess, TheRuleThatStopsAnOverwriteIsNamed) {
    ApiSetup setup = everyone_pulls();
    setup.rules->push_back(
        forbid(allow("releases are final", {"everyone"}, {"overwrite"}, {"prod/**"}, {"v*"})));
    start(setup);
    as_jenkins();
    const std::string first = push_image("prod/app", "v1");
    EXPECT_EQ(put_manifest("prod/app", "v1", first).status, 201) << "the same again";
    const std::string second = push_image("prod/app", "next", "another layer");
    for (const std::string& reference :
         {std::string("v1"), digest(second) + "?tag=v1", digest(second) + "?tag=new&tag=v1"}) {
        const HttpAnswer answer = put_manifest("prod/app", reference, second);
        EXPECT_EQ(error_of(answer), "403 DENIED");
        EXPECT_THAT(answer.body, testing::HasSubstr("releases are final"));
    }
    EXPECT_EQ(ask("GET", "/v2/prod/app/manifests/v1").body, first);
    EXPECT_EQ(ask("GET", "/v2/prod/app/manifests/new").status, 404) << "all or nothing";
    EXPECT_EQ(put_manifest("prod/app", "v2", second).status, 201);
    EXPECT_EQ(put_manifest("prod/app", "next", first).status, 201);
}

TEST_F(ApiAccess, DeletingADigestNeedsTheRightToItsTags) {
    ApiSetup setup = everyone_pulls();
    setup.rules->push_back(forbid(allow("releases stay", {"everyone"}, {"delete"}, {}, {"v*"})));
    start(setup);
    as_jenkins();
    const std::string json = push_image("a", "v1");
    put_manifest("a", "next", json);
    const HttpAnswer answer = ask("DELETE", "/v2/a/manifests/" + digest(json));
    EXPECT_EQ(error_of(answer), "403 DENIED");
    EXPECT_THAT(answer.body, testing::HasSubstr("releases stay"));
    EXPECT_EQ(error_of(ask("DELETE", "/v2/a/manifests/v1")), "403 DENIED");
    EXPECT_EQ(ask("DELETE", "/v2/a/manifests/next").status, 202);
    EXPECT_EQ(ask("GET", "/v2/a/manifests/v1").status, 200);
}

TEST_F(ApiAccess, AnybodyMayWhatIsOpenToAnybody) {
    ApiSetup setup = everyone_pulls();
    setup.rules->push_back(allow("public", {"anonymous"}, {"pull"}, {"public/**"}));
    start(setup);
    as_jenkins();
    push_image("public/app", "1");
    push_image("private/app", "1");
    log_out();
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    EXPECT_EQ(ask("GET", "/v2/public/app/manifests/1").status, 200);
    EXPECT_EQ(error_of(ask("GET", "/v2/private/app/manifests/1")), "401 UNAUTHORIZED");
    EXPECT_EQ(error_of(ask("POST", "/v2/public/app/blobs/uploads/")), "401 UNAUTHORIZED");
    log_in("alice", "wrong");
    EXPECT_EQ(ask("GET", "/v2/").status, 401) << "who says a name must prove it";
}

TEST_F(ApiAccess, AMountTellsNothingOfWhatTheCallerMayNotRead) {
    ApiSetup setup = everyone_pulls();
    setup.rules = {allow("own", {"user:alice"}, {"pull", "push"}, {"alice/**"}),
                   allow("CI", {"user:jenkins"}, {"pull", "push"})};
    start(setup);
    as_jenkins();
    const std::string name = push_blob("secret", "a blob");
    as_alice();
    for (const std::string& query : {"?mount=" + name + "&from=secret", "?mount=" + name,
                                     "?mount=" + digest("none") + "&from=secret"}) {
        EXPECT_EQ(ask("POST", "/v2/alice/app/blobs/uploads/" + query).status, 202);
    }
    EXPECT_EQ(ask("GET", "/v2/alice/app/blobs/" + name).status, 404);
}

TEST_F(ApiAccess, ListsShowWhatTheCallerMaySee) {
    ApiSetup setup = everyone_pulls();
    setup.rules = {allow("own", {"user:alice"}, {"pull"}, {"alice/**"}),
                   allow("lists", {"authenticated"}, {"catalog"}),
                   allow("CI", {"user:jenkins"}, {"pull", "push"})};
    start(setup);
    as_jenkins();
    for (const char* name : {"a", "alice/one", "alice/two", "b"})
        push_image(name, "1");
    using Names = std::vector<std::string>;
    const auto names = [this](const char* query) {
        const HttpAnswer answer = ask("GET", std::string("/v2/_catalog") + query);
        return nlohmann::json::parse(answer.body).at("repositories").get<Names>();
    };
    EXPECT_EQ(names(""), (Names{"a", "alice/one", "alice/two", "b"}));
    as_alice();
    EXPECT_EQ(names(""), (Names{"alice/one", "alice/two"}));
    EXPECT_EQ(names("?n=1"), (Names{"alice/one"}));
    EXPECT_EQ(ask("GET", "/v2/_catalog?n=2").field("Link"), "");
    EXPECT_EQ(error_of(ask("GET", "/v2/a/tags/list")), "403 DENIED");
    EXPECT_EQ(error_of(ask("GET", "/v2/none/tags/list")), "403 DENIED");
    EXPECT_EQ(error_of(ask("GET", "/v2/a/referrers/" + digest("x"))), "403 DENIED");
}

}  // namespace
}  // namespace berth::api
