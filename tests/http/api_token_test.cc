// Goal: whoever can log in gets a token for what the policy allows of what they ask, and it opens
// just that; a token that is not good opens nothing; clients are told where to get one.
// Method: exchanges with the real server; tables of scopes and of what is refused.
#include <nlohmann/json.hpp>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const HttpFields kForm = {{"Content-Type", "application/x-www-form-urlencoded"}};

auth::Rule allow(std::vector<std::string> subjects, std::vector<std::string> actions,
                 std::vector<std::string> repositories = {}, std::vector<std::string> tags = {}) {
    return {.name = subjects.front() + " " + actions.front(),
            .subjects = std::move(subjects),
            .actions = std::move(actions),
            .repositories = std::move(repositories),
            .tags = std::move(tags)};
}

class ApiToken : public ApiFixture {
  protected:
    static ApiSetup setup() {
        ApiSetup setup;
        setup.users = {{"alice", "wonderland"}, {"bob", "builder"}};
        setup.access_tokens = true;
        setup.issuer = auth::IssuerOptions{};
        setup.rules = {allow({"anonymous"}, {"pull"}, {"public/**"}),
                       allow({"authenticated"}, {"pull", "catalog"}, {"public/**", "team/**"}),
                       allow({"user:alice"}, {"push", "delete"}, {"team/**"}),
                       allow({"user:bob"}, {"create"}, {"team/**"})};
        return setup;
    }
    void SetUp() override { start(setup()); }
    void as_alice() { log_in("alice", "wonderland"); }
    void by_bearer(const std::string& token) { authorization_ = "Bearer " + token; }

    HttpAnswer post(const std::string& form) { return ask("POST", "/token", kForm, form); }
    static std::string text(const json& object, const char* key) {
        return object.at(key).get<std::string>();
    }
    json get_token(const std::string& query) {
        const HttpAnswer answer = ask("GET", "/token?" + query);
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.field("Cache-Control"), "no-store");
        EXPECT_EQ(answer.field("Content-Type"), "application/json");
        return json::parse(answer.body);
    }
    std::string token_for(const std::string& scope) {
        return text(get_token("service=x&scope=" + scope), "token");
    }
    static json claims_of(const std::string& token) {
        const std::size_t dot = token.find('.');
        const std::string payload =
            base64url_decode(token.substr(dot + 1, token.rfind('.') - dot - 1)).value();
        return json::parse(payload);
    }
    // What a token grants, as scopes.
    static std::string granted(const std::string& token) {
        std::string all;
        const json claims = claims_of(token);
        for (const json& entry : claims.at("access")) {
            all += all.empty() ? "" : " ";
            all += text(entry, "type") + ":" + text(entry, "name") + ":";
            bool first = true;
            for (const json& action : entry.at("actions")) {
                all += (first ? "" : ",") + action.get<std::string>();
                first = false;
            }
        }
        return all;
    }
    std::string challenge_of(std::string_view method, std::string_view target) {
        const HttpAnswer answer = ask(method, target);
        EXPECT_EQ(answer.status, 401) << answer.body;
        return answer.field("WWW-Authenticate");
    }
    // The client of these tests asks for `localhost`.
    static std::string bearer_challenge(const std::string& more) {
        return "Bearer realm=\"http://localhost/token\",service=\"localhost\"" + more;
    }
    std::string refresh_token(const std::string& form = "&access_type=offline") {
        const HttpAnswer answer =
            post("grant_type=password&username=alice&password=wonderland" + form);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return json::parse(answer.body).value("refresh_token", "");
    }
    int refresh(const std::string& token) {
        return post("grant_type=refresh_token&refresh_token=" + token).status;
    }
};

TEST_F(ApiToken, TellsClientsWhereToGetOneAndWhatToAskFor) {
    struct Row {
        std::string_view method, target, scope;
    };
    const Row table[] = {
        {"GET", "/v2/", ""},
        {"GET", "/v2/_catalog", "registry:catalog:*"},
        {"GET", "/v2/team/app/manifests/1", "repository:team/app:pull"},
        {"HEAD", "/v2/team/app/manifests/1", "repository:team/app:pull"},
        {"PUT", "/v2/team/app/manifests/1", "repository:team/app:pull,push"},
        {"DELETE", "/v2/team/app/manifests/1", "repository:team/app:delete"},
        {"GET", "/v2/team/app/tags/list", "repository:team/app:pull"},
        {"GET", "/v2/team/app/blobs/sha256:1", "repository:team/app:pull"},
        {"POST", "/v2/team/app/blobs/uploads/", "repository:team/app:pull,push"},
        {"POST", "/v2/team/app/blobs/uploads/?mount=sha256:1&from=team/base",
         "repository:team/app:pull,push repository:team/base:pull"},
        {"POST", "/v2/team/app/blobs/uploads/?from=%22,error=%22", "repository:team/app:pull,push"},
        {"PATCH", "/v2/team/app/blobs/uploads/1", "repository:team/app:pull,push"},
        // What is no name is not repeated.
        {"GET", "/v2/team/%22,x=%22/manifests/1", ""},
        {"GET", "/v2/UPPER/manifests/1", ""},
    };
    for (const Row& row : table) {
        const std::string scope =
            row.scope.empty() ? "" : ",scope=\"" + std::string(row.scope) + "\"";
        EXPECT_EQ(challenge_of(row.method, row.target), bearer_challenge(scope)) << row.target;
    }
}

// docker looks for a challenge at /v2/ only: without one it would never log in.
TEST_F(ApiToken, AsksEverybodyAtTheBase) {
    EXPECT_EQ(challenge_of("GET", "/v2/"), bearer_challenge(""));
    const std::string nobodys = token_for("repository:public/app:pull");
    by_bearer(nobodys);
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    as_alice();
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
    by_bearer(token_for("repository:team/app:pull"));
    EXPECT_EQ(ask("GET", "/v2/").status, 200);
}

TEST_F(ApiToken, IsWhatClientsExpect) {
    as_alice();
    const json answer = get_token("service=any&scope=repository:team/app:pull,push&account=alice");
    EXPECT_EQ(answer.at("token"), answer.at("access_token"));
    EXPECT_EQ(answer.at("expires_in"), 300);
    EXPECT_EQ(text(answer, "issued_at"), format_rfc3339(server().clock().now()));
    EXPECT_FALSE(answer.contains("refresh_token"));
    EXPECT_FALSE(answer.contains("scope"));
    const json claims = claims_of(text(answer, "token"));
    EXPECT_EQ(claims.at("iss"), "berth");
    EXPECT_EQ(claims.at("sub"), "alice");
    EXPECT_EQ(claims.at("aud"), "localhost");
    EXPECT_NE(text(claims, "jti"), "");
}

TEST_F(ApiToken, GrantsWhatThePolicyAllowsOfWhatIsAsked) {
    struct Row {
        std::string_view user, scopes, granted;
    };
    const Row table[] = {
        {"alice", "", ""},
        {"alice", "scope=repository:team/app:pull", "repository:team/app:pull"},
        {"alice", "scope=repository:team/app:pull,push", "repository:team/app:pull,push"},
        {"alice", "scope=repository:team/app:*", "repository:team/app:pull,push,delete"},
        {"alice", "scope=repository:team/app:push,delete", "repository:team/app:push,delete"},
        {"alice", "scope=repository:other/app:pull,push", ""},
        {"alice", "scope=repository:public/app:pull,push", "repository:public/app:pull"},
        {"alice", "scope=registry:catalog:*", "registry:catalog:*"},
        {"alice", "scope=registry:catalog:pull", ""},
        {"alice", "scope=registry:other:*", ""},
        {"alice", "scope=repository:team/app:fly", ""},
        {"alice", "scope=planet:team/app:pull", ""},
        {"alice", "scope=repository(plugin):team/app:pull", "repository:team/app:pull"},
        {"alice", "scope=repository:TEAM/APP:pull", ""},
        {"alice", "scope=repository:team/../other:pull", ""},
        {"alice", "scope=repository:team//app:pull", ""},
        {"alice",
         "scope=repository:team/a:pull&scope=repository:team/b:push&scope=repository:x:pull",
         "repository:team/a:pull repository:team/b:push"},
        {"alice", "scope=repository:team/a:pull+repository:team/b:pull",
         "repository:team/a:pull repository:team/b:pull"},
        {"bob", "scope=repository:team/app:pull,push,delete", "repository:team/app:pull,push"},
        {"", "scope=repository:public/app:pull,push", "repository:public/app:pull"},
        {"", "scope=repository:team/app:pull", ""},
        {"", "scope=registry:catalog:*", ""},
    };
    for (const Row& row : table) {
        log_out();
        if (row.user == "alice") as_alice();
        if (row.user == "bob") log_in("bob", "builder");
        const json answer = get_token("service=x&" + std::string(row.scopes));
        EXPECT_EQ(granted(text(answer, "token")), row.granted) << row.user << ' ' << row.scopes;
    }
}

TEST_F(ApiToken, OpensWhatItGrantsAndNothingElse) {
    as_alice();
    push_image("team/app", "1");
    push_image("team/other", "1", "another");
    by_bearer(token_for("repository:team/app:pull"));
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 200);
    // Also from memory.
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 200);
    const HttpAnswer other = ask("GET", "/v2/team/other/manifests/1");
    EXPECT_EQ(error_of(other), "401 UNAUTHORIZED");
    EXPECT_EQ(
        other.field("WWW-Authenticate"),
        bearer_challenge(",scope=\"repository:team/other:pull\",error=\"insufficient_scope\""));
    EXPECT_EQ(ask("POST", "/v2/team/app/blobs/uploads/").status, 401);
    EXPECT_EQ(ask("DELETE", "/v2/team/app/manifests/1").status, 401);
    EXPECT_EQ(ask("GET", "/v2/_catalog").status, 401);

    as_alice();
    by_bearer(token_for("repository:team/app:pull,push"));
    push_image("team/app", "2");
}

// The policy counts when a token is used, too.
TEST_F(ApiToken, DoesNotOutdoThePolicy) {
    log_in("bob", "builder");
    by_bearer(token_for("repository:team/app:pull,push"));
    push_image("team/app", "1");
    // Another text for the same tag: bob may create, not overwrite.
    const std::string json_text = registry::image_json({registry::descriptor_of("layer")}) + " ";
    EXPECT_EQ(error_of(put_manifest("team/app", "1", json_text)), "403 DENIED");
}

TEST_F(ApiToken, OfNobodyOpensWhatIsOpenToAll) {
    start([] {
        ApiSetup setup = ApiToken::setup();
        setup.rules->push_back(allow({"user:alice"}, {"push"}, {"public/**"}));
        return setup;
    }());
    as_alice();
    push_image("public/app", "1");
    log_out();
    EXPECT_EQ(ask("GET", "/v2/public/app/manifests/1").status, 200) << "without any token";
    by_bearer(token_for("repository:public/app:pull"));
    EXPECT_EQ(ask("GET", "/v2/public/app/manifests/1").status, 200);
    EXPECT_EQ(ask("POST", "/v2/public/app/blobs/uploads/").status, 401);
    EXPECT_EQ(ask("GET", "/v2/public/other/manifests/1").status, 401);
}

TEST_F(ApiToken, IsRefusedWhenItIsNoGood) {
    as_alice();
    push_image("team/app", "1");
    const std::string good = token_for("repository:team/app:pull");
    const std::string refresh = refresh_token();
    const std::size_t dot = good.rfind('.');
    const auto none = [](std::string_view header, const std::string& token) {
        const std::size_t first = token.find('.');
        return base64url_encode(as_bytes(header)) +
               token.substr(first, token.rfind('.') + 1 - first);
    };
    const std::string table[] = {
        good + "A",
        good.substr(0, good.size() - 1),
        good.substr(0, dot + 1),
        good.substr(0, dot),
        none(R"({"alg":"none"})", good),
        none(R"({"alg":"HS256"})", good) + good.substr(dot + 1),
        refresh,
        "nonsense",
        std::string(9000, 'a'),
    };
    for (const std::string& token : table) {
        by_bearer(token);
        const HttpAnswer answer = ask("GET", "/v2/team/app/manifests/1");
        EXPECT_EQ(error_of(answer), "401 UNAUTHORIZED") << token;
        EXPECT_THAT(answer.field("WWW-Authenticate"), HasSubstr("error=\"invalid_token\""));
        EXPECT_THAT(answer.body, Not(HasSubstr(token)));
    }
    by_bearer(good);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 200);
    server().clock().advance(300s);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 401) << "its time is over";
}

TEST_F(ApiToken, IsRefusedToWrongPasswords) {
    log_in("alice", "wrong");
    const HttpAnswer answer = ask("GET", "/token?service=x");
    EXPECT_EQ(error_of(answer), "401 UNAUTHORIZED");
    EXPECT_THAT(answer.field("WWW-Authenticate"), StartsWith("Basic "));
    log_out();
    const HttpAnswer posted = post("grant_type=password&username=alice&password=wrong");
    EXPECT_EQ(error_of(posted), "401 UNAUTHORIZED");
    EXPECT_EQ(json::parse(posted.body).at("error"), "invalid_grant");
    EXPECT_THAT(posted.field("WWW-Authenticate"), StartsWith("Basic "));
}

TEST_F(ApiToken, IsThrottledLikeEveryLogin) {
    int status = 0;
    for (int i = 0; i < 20 && status != 429; ++i) {
        const HttpAnswer answer = post("grant_type=password&username=alice&password=wrong");
        status = answer.status;
        EXPECT_EQ(answer.field("Retry-After"), status == 429 ? "30" : "");
    }
    EXPECT_EQ(status, 429);
    EXPECT_EQ(post("grant_type=password&username=alice&password=wonderland").status, 429);
}

TEST_F(ApiToken, IsGivenByOAuth2) {
    const HttpAnswer answer = post(
        "grant_type=password&username=alice&password=wonderland&service=x&client_id=docker"
        "&scope=repository:team/app:pull,push%20repository:other:pull&access_type=offline");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.field("Cache-Control"), "no-store");
    const json given = json::parse(answer.body);
    EXPECT_EQ(text(given, "scope"), "repository:team/app:pull,push");
    EXPECT_EQ(granted(text(given, "access_token")), "repository:team/app:pull,push");
    EXPECT_EQ(given.at("expires_in"), 300);
    EXPECT_NE(text(given, "refresh_token"), "");
}

TEST_F(ApiToken, SaysWhatIsWrongWithAForm) {
    struct Row {
        std::string form;
        std::string_view error;
        int status;
    };
    const Row table[] = {
        {"", "invalid_request", 400},
        {"grant_type=", "invalid_request", 400},
        {"grant_type=client_credentials", "unsupported_grant_type", 400},
        {"grant_type=authorization_code&code=1", "unsupported_grant_type", 400},
        {"grant_type=password", "invalid_request", 400},
        {"grant_type=password&username=alice", "invalid_request", 400},
        {"grant_type=refresh_token", "invalid_request", 400},
        {"grant_type=%zz", "invalid_request", 400},
        {"grant_type=password&username=alice&password=wonderland&scope=x", "invalid_scope", 400},
        {"grant_type=password&username=alice&password=", "invalid_grant", 401},
        {"grant_type=password&username=&password=", "invalid_grant", 401},
        {"grant_type=password&username=a%3Ab&password=c", "invalid_grant", 401},
        {"grant_type=password&username=a%00b&password=c", "invalid_grant", 401},
        {"grant_type=refresh_token&refresh_token=", "invalid_grant", 401},
        {"grant_type=refresh_token&refresh_token=nonsense", "invalid_grant", 401},
    };
    for (const Row& row : table) {
        const HttpAnswer answer = post(row.form);
        EXPECT_EQ(answer.status, row.status) << row.form << answer.body;
        error_of(answer);
        EXPECT_EQ(json::parse(answer.body).at("error"), row.error) << row.form;
    }
    EXPECT_EQ(ask("POST", "/token", {{"Content-Type", "application/json"}}, "{}").status, 400);
    EXPECT_EQ(post("a=" + std::string(70'000, 'a')).status, 413);
    EXPECT_EQ(ask("GET", "/token?scope=nonsense").status, 400);
    EXPECT_EQ(ask("GET", "/token?scope=%zz").status, 400);
    EXPECT_EQ(ask("PUT", "/token").status, 405);
    EXPECT_EQ(ask("DELETE", "/token").field("Allow"), "GET, HEAD, POST");
}

TEST_F(ApiToken, IsRefreshedUntilThePasswordChanges) {
    const std::string token = refresh_token();
    ASSERT_NE(token, "");
    const HttpAnswer answer = post(
        "grant_type=refresh_token&service=x&client_id=docker"
        "&scope=repository:team/app:push&refresh_token=" +
        token);
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json given = json::parse(answer.body);
    EXPECT_EQ(granted(text(given, "access_token")), "repository:team/app:push");
    EXPECT_FALSE(given.contains("refresh_token")) << "it is not renewed";
    by_bearer(text(given, "access_token"));
    EXPECT_EQ(ask("POST", "/v2/team/app/blobs/uploads/").status, 202);
    log_out();

    server().clock().advance(24h);
    EXPECT_EQ(refresh(token), 200);
    server().set_users({{"alice", "another"}, {"bob", "builder"}});
    server().clock().advance(1s);
    EXPECT_EQ(refresh(token), 401);
    server().set_users({{"bob", "builder"}});
    server().clock().advance(1s);
    EXPECT_EQ(refresh(token), 401);
}

TEST_F(ApiToken, EndsWhenItIsRevoked) {
    as_alice();
    const std::string access = token_for("repository:team/app:pull");
    log_out();
    const std::string refreshing = refresh_token();
    server().clock().advance(1s);
    ASSERT_TRUE(server().access_tokens().revoke_issued("alice"));
    server().clock().advance(1s);
    EXPECT_EQ(refresh(refreshing), 401);
    by_bearer(access);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 401);
    as_alice();
    by_bearer(token_for("repository:team/app:pull"));
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 404) << "a new one is good";
}

TEST_F(ApiToken, EndsWithTheAccessTokenItWasGivenFor) {
    auth::AccessToken wanted;
    wanted.name = "alice";
    const auto created = server().access_tokens().create(wanted).value();
    log_in("alice", created.secret);
    const std::string token = token_for("repository:team/app:pull");
    by_bearer(token);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 404);
    ASSERT_TRUE(server().access_tokens().revoke(created.token.id));
    server().clock().advance(1s);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 401);
}

TEST_F(ApiToken, EndsWithItsUser) {
    as_alice();
    const std::string token = token_for("repository:team/app:pull");
    by_bearer(token);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 404);
    server().set_users({{"bob", "builder"}});
    server().clock().advance(1s);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 401);
}

TEST_F(ApiToken, IsRefreshableOnlyForWhoLoggedInByPassword) {
    as_alice();
    EXPECT_TRUE(get_token("offline_token=true").contains("refresh_token"));
    EXPECT_FALSE(get_token("offline_token=false").contains("refresh_token"));
    log_out();
    EXPECT_FALSE(get_token("offline_token=true").contains("refresh_token")) << "nobody";
    EXPECT_EQ(refresh_token(""), "");

    auth::AccessToken wanted;
    wanted.name = "alice";
    wanted.allow = {"pull:team/app"};
    const auto limited = server().access_tokens().create(wanted).value();
    log_in("alice", limited.secret);
    const json answer = get_token(
        "offline_token=true&scope=repository:team/app:pull,push&scope=repository:team/b:pull");
    EXPECT_FALSE(answer.contains("refresh_token"));
    EXPECT_EQ(granted(text(answer, "token")), "repository:team/app:pull")
        << "an access token gives what it is limited to";
    wanted.allow.clear();
    const auto whole = server().access_tokens().create(wanted).value();
    log_in("alice", whole.secret);
    EXPECT_FALSE(get_token("offline_token=true").contains("refresh_token"));
}

TEST_F(ApiToken, LoosensNoLimitOfTheAccessTokenItIsGivenFor) {
    const auto granted_for = [this](const char* action) {
        auth::AccessToken wanted;
        wanted.name = "alice";
        wanted.allow = {std::string(action) + ":team/**"};
        log_in("alice", server().access_tokens().create(wanted).value().secret);
        const std::string token = token_for("repository:team/app:pull,push");
        by_bearer(token);
        return granted(token);
    };
    as_alice();
    push_image("team/app", "1");
    EXPECT_EQ(granted_for("create"), "repository:team/app:create");
    push_image("team/app", "2", "another layer");
    push_blob("team/app", "a third layer");
    const std::string moved = registry::image_json({registry::descriptor_of("a third layer")});
    EXPECT_EQ(put_manifest("team/app", "1", moved).status, 401) << "it may not overwrite";
    EXPECT_EQ(granted_for("overwrite"), "repository:team/app:overwrite");
    EXPECT_EQ(ask("POST", "/v2/team/app/blobs/uploads/").status, 401) << "it may not create";
    EXPECT_EQ(granted_for("push"), "repository:team/app:push");
    EXPECT_EQ(put_manifest("team/app", "1", moved).status, 201);
}

// Else whoever got hold of one for five minutes had it for ever.
TEST_F(ApiToken, IsNotExchangedForAnother) {
    as_alice();
    const std::string token = token_for("repository:team/app:pull");
    by_bearer(token);
    const HttpAnswer answer = ask("GET", "/token?scope=repository:team/app:pull");
    EXPECT_EQ(error_of(answer), "401 UNAUTHORIZED");
    log_in("alice", token);
    EXPECT_EQ(ask("GET", "/token").status, 401) << "nor as a password";
}

TEST_F(ApiToken, KeysArePublic) {
    const HttpAnswer answer = ask("GET", "/token/jwks.json");
    ASSERT_EQ(answer.status, 200);
    const json keys = json::parse(answer.body).at("keys");
    ASSERT_EQ(keys.size(), 1u);
    EXPECT_EQ(text(keys[0], "alg"), "ES256");
    EXPECT_FALSE(keys[0].contains("d"));
    EXPECT_EQ(ask("POST", "/token/jwks.json").status, 405);
}

TEST_F(ApiToken, NamesTheServiceThatIsConfigured) {
    start([] {
        ApiSetup setup = ApiToken::setup();
        setup.issuer->service = "registry.example.org";
        setup.options.host = "https://registry.example.org";
        return setup;
    }());
    EXPECT_EQ(challenge_of("GET", "/v2/"),
              "Bearer realm=\"https://registry.example.org/token\","
              "service=\"registry.example.org\"");
    as_alice();
    const std::string token = token_for("repository:team/app:pull");
    EXPECT_EQ(text(claims_of(token), "aud"), "registry.example.org");
    by_bearer(token);
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 404);
}

TEST_F(ApiToken, BasicGoesOnBesideIt) {
    as_alice();
    push_image("team/app", "1");
    EXPECT_EQ(ask("GET", "/v2/team/app/manifests/1").status, 200);
    EXPECT_EQ(error_of(ask("GET", "/v2/other/manifests/1")), "403 DENIED");
}

class ApiWithoutIssuer : public ApiToken {
  protected:
    void SetUp() override {}
    static ApiSetup outside() {
        ApiSetup setup;
        setup.users = {{"alice", "wonderland"}};
        setup.options.outside_realm = "https://auth.example.org/token?x=\"y\"";
        setup.options.outside_service = "the registry";
        return setup;
    }
};

TEST_F(ApiWithoutIssuer, ThereIsNoTokenService) {
    ApiSetup setup;
    setup.users = {{"alice", "wonderland"}};
    start(std::move(setup));
    EXPECT_EQ(ask("GET", "/token").status, 404);
    EXPECT_EQ(ask("POST", "/token", kForm, "grant_type=password").status, 404);
    EXPECT_EQ(ask("GET", "/token/jwks.json").status, 404);
    EXPECT_THAT(challenge_of("GET", "/v2/"), StartsWith("Basic "));
}

TEST_F(ApiWithoutIssuer, ClientsAreSentToTheTokenServerThatIsConfigured) {
    start(outside());
    EXPECT_EQ(challenge_of("GET", "/v2/team/app/tags/list"),
              R"(Bearer realm="https://auth.example.org/token?x=\"y\"",service="the registry",)"
              R"(scope="repository:team/app:pull")");
    ApiSetup setup = outside();
    setup.options.autoredirect_path = "/auth/token/";
    start(std::move(setup));
    EXPECT_THAT(
        challenge_of("GET", "/v2/"),
        StartsWith("Bearer realm=\"http://localhost/auth/token/\",service=\"the registry\""));
}

}  // namespace
}  // namespace berth::api
