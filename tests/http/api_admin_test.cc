// Goal: who may administer makes, lists and revokes access tokens, users their own, and nobody
// gains rights by it; what is asked wrongly is refused with the name of what is wrong.
// Method: exchanges with the real server; tables of refusals.
#include <nlohmann/json.hpp>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const HttpFields kJson = {{"Content-Type", "application/json"}};

auth::Rule allow(std::string name, std::vector<std::string> subjects,
                 std::vector<std::string> actions, std::vector<std::string> repositories = {}) {
    return {.name = std::move(name),
            .effect = auth::Effect::allow,
            .subjects = std::move(subjects),
            .actions = std::move(actions),
            .repositories = std::move(repositories),
            .tags = {},
            .addresses = {},
            .expires = {}};
}

class ApiAdmin : public ApiFixture {
  protected:
    static ApiSetup with_root() {
        ApiSetup setup;
        setup.users = {{"root", "root's"}, {"alice", "wonderland"}, {"bob", "builder"}};
        setup.access_tokens = true;
        setup.rules = {allow("root administers", {"user:root"},
                             {"admin", "pull", "push", "delete", "catalog"}),
                       allow("everyone pulls", {"authenticated"}, {"pull"}),
                       allow("CI pushes", {"robot:ci"}, {"push"}, {"team/**"})};
        return setup;
    }
    void SetUp() override {
        start(with_root());
        as_root();
    }
    void as_root() { log_in("root", "root's"); }
    void as_alice() { log_in("alice", "wonderland"); }
    void as_bob() { log_in("bob", "builder"); }

    HttpAnswer post(const std::string& path, const std::string& body) {
        return ask("POST", "/v2/_berth/" + path, kJson, body);
    }
    HttpAnswer get(const std::string& path) { return ask("GET", "/v2/_berth/" + path); }
    HttpAnswer remove(const std::string& path) { return ask("DELETE", "/v2/_berth/" + path); }
    // A new token, which must be made.
    json make(const std::string& body, const std::string& path = "tokens") {
        const HttpAnswer answer = post(path, body);
        EXPECT_EQ(answer.status, 201) << answer.body;
        return json::parse(answer.body);
    }
    static std::string text(const json& object, const char* key) {
        return object.at(key).get<std::string>();
    }
    // Logs in by a token from now on.
    void by(const json& token) { log_in(text(token, "name"), text(token, "secret")); }
    std::vector<std::string> ids(const std::string& path) {
        const HttpAnswer answer = get(path);
        EXPECT_EQ(answer.status, 200) << answer.body;
        std::vector<std::string> all;
        const json list = json::parse(answer.body).at("tokens");
        for (const json& token : list)
            all.push_back(text(token, "id"));
        return all;
    }
    static std::string message_of(const HttpAnswer& answer) {
        return json::parse(answer.body).at("errors").at(0).at("message").get<std::string>();
    }
};

TEST_F(ApiAdmin, AnAdministratorMakesListsAndRevokesTokens) {
    const HttpAnswer answer = post("tokens", R"({"robot":"ci","allow":["push:team/**"],)"
                                             R"("description":"builds","expires":3600})");
    ASSERT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(answer.field("Content-Type"), "application/json");
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    const json token = json::parse(answer.body);
    EXPECT_EQ(path_of(answer), "/v2/_berth/tokens/" + text(token, "id"));
    EXPECT_THAT(text(token, "secret"), testing::StartsWith("berth_" + text(token, "id") + "_"));
    EXPECT_EQ(token.at("kind"), "robot");
    EXPECT_EQ(token.at("name"), "ci");
    EXPECT_EQ(token.at("allow"), json({"push:team/**"}));
    EXPECT_EQ(token.at("description"), "builds");
    EXPECT_EQ(token.at("created"), "2024-01-02T00:00:00.000Z");
    EXPECT_EQ(token.at("created_by"), "user:root");
    EXPECT_EQ(token.at("expires"), "2024-01-02T01:00:00.000Z");

    const HttpAnswer list = get("tokens");
    EXPECT_EQ(list.status, 200);
    EXPECT_EQ(list.field("Cache-Control"), "no-store");
    EXPECT_THAT(list.body, Not(HasSubstr("berth_")));
    EXPECT_THAT(list.body, Not(HasSubstr("hash")));
    EXPECT_EQ(ids("tokens"), std::vector<std::string>{text(token, "id")});

    by(token);
    push_blob("team/app", "a blob");
    EXPECT_EQ(error_of(ask("POST", "/v2/other/app/blobs/uploads/")), "403 DENIED");
    as_root();
    const HttpAnswer gone = remove("tokens/" + text(token, "id"));
    EXPECT_EQ(gone.status, 204);
    EXPECT_EQ(gone.body, "");
    EXPECT_EQ(gone.field("Cache-Control"), "no-store");
    EXPECT_EQ(error_of(remove("tokens/" + text(token, "id"))), "404 TOKEN_UNKNOWN");
    EXPECT_TRUE(ids("tokens").empty());
    server().clock().advance(std::chrono::milliseconds(10));
    by(token);
    EXPECT_EQ(error_of(ask("GET", "/v2/")), "401 UNAUTHORIZED");
}

TEST_F(ApiAdmin, ListsShowUseAndEnd) {
    const json token = make(R"({"user":"alice","expires":60})");
    EXPECT_EQ(json::parse(get("tokens").body).at("tokens").at(0).at("last_used"), nullptr);
    server().clock().advance(std::chrono::seconds(5));
    by(token);
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    server().clock().advance(std::chrono::seconds(55));
    EXPECT_EQ(error_of(ask("GET", "/v2/")), "401 UNAUTHORIZED") << "it has expired";
    as_root();
    const json shown = json::parse(get("tokens").body).at("tokens").at(0);
    EXPECT_EQ(shown.at("last_used"), "2024-01-02T00:00:05.000Z");
    EXPECT_EQ(shown.at("expired"), true);
}

TEST_F(ApiAdmin, UnderstandsEveryEnd) {
    EXPECT_EQ(make(R"({"user":"alice"})").at("expires"), "2024-04-01T00:00:00.000Z");
    EXPECT_EQ(make(R"({"user":"alice","expires":"never"})").at("expires"), nullptr);
    EXPECT_EQ(make(R"({"user":"alice","expires":1})").at("expires"), "2024-01-02T00:00:01.000Z");
    EXPECT_EQ(make(R"({"user":"alice","expires":"2030-01-01T01:00:00+01:00"})").at("expires"),
              "2030-01-01T00:00:00.000Z");
}

struct Wrong {
    std::string body;
    std::string saying;
};

TEST_F(ApiAdmin, NamesWhatIsWrongWithARequest) {
    for (const Wrong& row : std::vector<Wrong>{
             {"", "JSON"},
             {"{", "JSON"},
             {"[]", "object"},
             {"{}", "either user or robot"},
             {R"({"user":"a","robot":"b"})", "either user or robot"},
             {R"({"user":1})", "user must be a text"},
             {R"({"user":null})", "user must be a text"},
             {R"({"user":""})", "the name is empty"},
             {R"({"user":"a:b"})", "colon"},
             {R"({"user":"a\u0000b"})", "control"},
             {R"({"user":"a","user":"b"})", "twice"},
             {R"({"user":"a","allow":"pull:**"})", "allow must be a list"},
             {R"({"user":"a","allow":[1]})", "allow must be a list"},
             {R"({"user":"a","allow":["fly:**"]})", "fly"},
             {R"({"user":"a","allow":[[]]})", "nested"},
             {R"({"user":"a","expires":0})", "expires"},
             {R"({"user":"a","expires":-5})", "expires"},
             {R"({"user":"a","expires":1.5})", "expires"},
             {R"({"user":"a","expires":null})", "expires"},
             {R"({"user":"a","expires":true})", "expires"},
             {R"({"user":"a","expires":99999999999})", "expires"},
             {R"({"user":"a","expires":18446744073709551615})", "expires"},
             {R"({"user":"a","expires":"tomorrow"})", "expires"},
             {R"({"user":"a","expires":"2023-01-01T00:00:00Z"})", "expires"},
             {R"({"user":"a","description":7})", "description must be a text"},
             {R"({"user":"a","id":"abcd2345"})", "unknown field 'id'"},
             {R"({"user":"a","created_by":"me"})", "unknown field 'created_by'"},
         }) {
        SCOPED_TRACE(row.body);
        const HttpAnswer answer = post("tokens", row.body);
        EXPECT_EQ(error_of(answer), "400 REQUEST_INVALID");
        EXPECT_THAT(message_of(answer), HasSubstr(row.saying));
    }
    for (const Wrong& row : std::vector<Wrong>{{"{}", "user must be a text"},
                                               {R"({"user":"a","at":1})", "unknown field 'at'"},
                                               {R"({"user":"a:b"})", "colon"}}) {
        SCOPED_TRACE(row.body);
        const HttpAnswer answer = post("tokens/revoke-issued", row.body);
        EXPECT_EQ(error_of(answer), "400 REQUEST_INVALID");
        EXPECT_THAT(message_of(answer), HasSubstr(row.saying));
    }
    EXPECT_TRUE(ids("tokens").empty());
}

TEST_F(ApiAdmin, ABodyIsJsonAndNotTooLong) {
    const std::string good = R"({"user":"alice"})";
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "",
                             "application/jsonp", "text/plain; a=application/json"}) {
        const HttpAnswer answer = ask("POST", "/v2/_berth/tokens", {{"Content-Type", type}}, good);
        EXPECT_EQ(error_of(answer), "415 UNSUPPORTED") << type;
    }
    EXPECT_EQ(ask("POST", "/v2/_berth/tokens",
                  {{"Content-Type", "Application/JSON; charset=utf-8"}}, good)
                  .status,
              201);
    const std::string padding(64u << 10, ' ');
    EXPECT_EQ(error_of(post("tokens", padding + good)), "413 SIZE_INVALID");
    EXPECT_EQ(post("tokens", std::string(60'000, ' ') + good).status, 201);
}

TEST_F(ApiAdmin, IsOnlyForThoseWhoMay) {
    const json token = make(R"({"robot":"ci"})");
    const std::string one = "tokens/" + text(token, "id");
    const auto each = [&](const std::string& expected) {
        EXPECT_EQ(error_of(get("tokens")), expected);
        EXPECT_EQ(error_of(post("tokens", R"({"user":"root"})")), expected);
        EXPECT_EQ(error_of(post("tokens", "not JSON")), expected);
        EXPECT_EQ(error_of(remove(one)), expected);
        EXPECT_EQ(error_of(remove("tokens/aaaaaaaa")), expected);
        EXPECT_EQ(error_of(post("tokens/revoke-issued", R"({"user":"root"})")), expected);
        EXPECT_EQ(error_of(get("policy/explain?user=root&action=admin")), expected);
    };
    as_alice();
    each("403 DENIED");
    EXPECT_EQ(get("tokens").field("Cache-Control"), "no-store");
    by(token);
    each("403 DENIED");
    EXPECT_EQ(error_of(get("me/tokens")), "403 DENIED") << "a robot has none of its own";
    log_out();
    each("401 UNAUTHORIZED");
    EXPECT_EQ(error_of(get("me/tokens")), "401 UNAUTHORIZED");
    as_root();
    EXPECT_EQ(ids("tokens").size(), 1U);
}

TEST_F(ApiAdmin, EverybodyHandlesTheirOwnTokens) {
    const json foreign = make(R"({"user":"bob"})");
    const json robot = make(R"({"robot":"alice"})");
    as_alice();
    EXPECT_TRUE(ids("me/tokens").empty());
    const HttpAnswer answer =
        post("me/tokens", R"({"allow":["pull:**"],"description":"laptop","expires":60})");
    ASSERT_EQ(answer.status, 201) << answer.body;
    const json own = json::parse(answer.body);
    EXPECT_EQ(path_of(answer), "/v2/_berth/me/tokens/" + text(own, "id"));
    EXPECT_EQ(own.at("kind"), "user");
    EXPECT_EQ(own.at("name"), "alice");
    EXPECT_EQ(own.at("created_by"), "user:alice");
    EXPECT_EQ(ids("me/tokens"), std::vector<std::string>{text(own, "id")});

    EXPECT_EQ(error_of(remove("me/tokens/" + text(foreign, "id"))), "404 TOKEN_UNKNOWN");
    EXPECT_EQ(error_of(remove("me/tokens/" + text(robot, "id"))), "404 TOKEN_UNKNOWN");
    EXPECT_EQ(error_of(remove("me/tokens/aaaaaaaa")), "404 TOKEN_UNKNOWN");
    for (const char* body : {R"({"user":"root"})", R"({"robot":"ci"})", R"({"name":"root"})"}) {
        EXPECT_EQ(error_of(post("me/tokens", body)), "400 REQUEST_INVALID");
    }
    EXPECT_EQ(remove("me/tokens/" + text(own, "id")).status, 204);
    EXPECT_TRUE(ids("me/tokens").empty());
    as_root();
    EXPECT_EQ(ids("tokens").size(), 2U);
}

TEST_F(ApiAdmin, NoTokenGainsRights) {
    as_alice();
    const json limited = make(R"({"allow":["pull:**"]})", "me/tokens");
    const json whole = make("{}", "me/tokens");
    by(limited);
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    EXPECT_EQ(error_of(post("me/tokens", "{}")), "403 DENIED");
    EXPECT_EQ(error_of(get("me/tokens")), "403 DENIED");
    EXPECT_EQ(error_of(remove("me/tokens/" + text(whole, "id"))), "403 DENIED");
    by(whole);
    EXPECT_EQ(error_of(post("me/tokens", "{}")), "403 DENIED") << "it could outlive its end";
    EXPECT_EQ(ids("me/tokens").size(), 2U);
    EXPECT_EQ(remove("me/tokens/" + text(limited, "id")).status, 204);
    EXPECT_EQ(error_of(get("tokens")), "403 DENIED");

    as_root();
    const json pulls = make(R"({"user":"root","allow":["pull,push:**"]})");
    const json administers = make(R"({"user":"root","allow":["admin"]})");
    const json alices = make(R"({"user":"alice","allow":["admin"]})");
    by(pulls);
    EXPECT_EQ(error_of(get("tokens")), "403 DENIED");
    EXPECT_EQ(error_of(post("tokens", R"({"user":"root"})")), "403 DENIED");
    EXPECT_EQ(error_of(post("me/tokens", "{}")), "403 DENIED");
    by(administers);
    EXPECT_EQ(ids("tokens").size(), 4U);
    EXPECT_EQ(post("tokens", R"({"robot":"ci"})").status, 201);
    by(alices);
    EXPECT_EQ(error_of(get("tokens")), "403 DENIED") << "the policy must allow it as well";
    EXPECT_EQ(error_of(post("me/tokens", "{}")), "403 DENIED") << "that one would have no limit";
    EXPECT_EQ(ids("me/tokens").size(), 2U);
}

TEST_F(ApiAdmin, VoidsWhatWasIssued) {
    EXPECT_EQ(server().access_tokens().issued_revoked_at("alice"), std::nullopt);
    const HttpAnswer answer = post("tokens/revoke-issued", R"({"user":"alice"})");
    EXPECT_EQ(answer.status, 204) << answer.body;
    EXPECT_EQ(server().access_tokens().issued_revoked_at("alice"), server().clock().now());
}

TEST_F(ApiAdmin, ExplainsWhatThePolicySays) {
    const json pull =
        json::parse(get("policy/explain?user=alice&action=pull&repository=a/b&tag=1").body)
            .at("decisions");
    ASSERT_EQ(pull.size(), 1U);
    EXPECT_EQ(pull[0].at("action"), "pull");
    EXPECT_EQ(pull[0].at("allowed"), true);
    EXPECT_EQ(pull[0].at("rule"), "everyone pulls");
    EXPECT_THAT(text(pull[0], "reason"), HasSubstr("alice"));
    const json rules = pull[0].at("rules");
    ASSERT_EQ(rules.size(), 3U);
    EXPECT_EQ(rules[0].at("rule"), "root administers");
    EXPECT_EQ(rules[0].at("effect"), "allow");
    EXPECT_EQ(rules[0].at("why"), json({"other subject"}));
    EXPECT_EQ(rules[1].at("why"), json({"decides"}));
    EXPECT_EQ(rules[2].at("why"), json({"other action", "other subject", "other repository"}));

    const auto verdicts = [this](const std::string& query) {
        const HttpAnswer answer = get("policy/explain?" + query);
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.field("Cache-Control"), "no-store");
        std::string all;
        const json decisions = json::parse(answer.body).at("decisions");
        for (const json& decision : decisions) {
            all += text(decision, "action") + (decision.at("allowed") ? "+ " : "- ");
        }
        return all;
    };
    EXPECT_EQ(verdicts("user=ci&kind=robot&action=push&repository=team/x"), "create+ overwrite+ ");
    EXPECT_EQ(verdicts("user=ci&action=push&repository=team/x"), "create- overwrite- ");
    EXPECT_EQ(verdicts("action=pull&repository=a"), "pull- ") << "nobody";
    EXPECT_EQ(verdicts("user=anonymous&action=pull&repository=a"), "pull- ");
    EXPECT_EQ(verdicts("user=root&action=admin"), "admin+ ");
    EXPECT_EQ(verdicts("user=x&group=a&group=b&action=catalog&address=10.0.0.1"), "catalog- ");
    for (const char* query :
         {"", "user=alice", "user=alice&action=fly", "action=pull", "action=pull&repository=A",
          "action=pull&repository=a&tag=:", "action=pull&repository=a&address=here",
          "action=pull&repository=a&kind=oidc", "action=%zz"}) {
        SCOPED_TRACE(query);
        EXPECT_EQ(error_of(get(std::string("policy/explain?") + query)), "400 REQUEST_INVALID");
    }
}

TEST_F(ApiAdmin, AnswersOnlyWhatItKnows) {
    for (const auto& [method, path, allowed] :
         std::vector<std::tuple<std::string, std::string, std::string>>{
             {"PUT", "tokens", "GET, HEAD, POST"},
             {"DELETE", "tokens", "GET, HEAD, POST"},
             {"GET", "tokens/abcd2345", "DELETE"},
             {"POST", "tokens/abcd2345", "DELETE"},
             {"GET", "tokens/revoke-issued", "POST"},
             {"POST", "policy/explain", "GET, HEAD"},
             {"PATCH", "me/tokens", "GET, HEAD, POST"},
             {"GET", "me/tokens/abcd2345", "DELETE"}}) {
        SCOPED_TRACE(method + " " + path);
        const HttpAnswer answer = ask(method, "/v2/_berth/" + path, kJson, "");
        EXPECT_EQ(error_of(answer), "405 UNSUPPORTED");
        EXPECT_EQ(answer.field("Allow"), allowed);
    }
    EXPECT_EQ(error_of(get("")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(get("tokens/")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(remove("tokens/..%2f..")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(remove("tokens/%00")), "404 TOKEN_UNKNOWN");
    const HttpAnswer head = ask("HEAD", "/v2/_berth/tokens");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
}

TEST_F(ApiAdmin, AReadOnlyRegistryCanStillRevoke) {
    ApiSetup setup = with_root();
    setup.options.read_only = true;
    start(std::move(setup));
    as_root();
    const json token = make(R"({"user":"alice"})");
    EXPECT_EQ(remove("tokens/" + text(token, "id")).status, 204);
}

TEST_F(ApiAdmin, WithoutLoginsNobodyMakesTokensForLater) {
    ApiSetup open;
    start(std::move(open));
    log_out();
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    EXPECT_EQ(error_of(post("tokens", R"({"user":"alice"})")), "403 DENIED");
    EXPECT_EQ(error_of(post("me/tokens", "{}")), "403 DENIED");
}

TEST_F(ApiAdmin, WithoutATokenFileThereAreNone) {
    ApiSetup setup = with_root();
    setup.access_tokens = false;
    start(std::move(setup));
    as_root();
    EXPECT_EQ(error_of(get("tokens")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(post("tokens", R"({"user":"alice"})")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(remove("tokens/abcd2345")), "404 NAME_UNKNOWN");
    EXPECT_EQ(get("policy/explain?user=root&action=admin").status, 200);
}

}  // namespace
}  // namespace berth::api
