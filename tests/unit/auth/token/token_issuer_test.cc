// Goal: what was issued verifies as who it was issued to, for as long and for what it was issued,
// and a refresh token as nothing but a refresh token.
#include "auth/token/token_issuer.h"

#include <gtest/gtest.h>

#include "auth/policy/policy.h"
#include "auth/token/signing_keys.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/auth/token/forge.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

class TokenIssuerTest : public ::testing::Test {
  protected:
    std::unique_ptr<TokenIssuer> open(IssuerOptions options) {
        return TokenIssuer::open(std::move(options), clock, [](const Error&) {}).value();
    }
    IssuerOptions options() const {
        IssuerOptions options;
        options.service = "registry";
        options.keys = folder.file("keys");
        return options;
    }
    static Credentials bearer(std::string token) {
        Credentials credentials;
        credentials.scheme = Credentials::Scheme::bearer;
        credentials.secret = std::move(token);
        return credentials;
    }
    static Identity alice() { return {.name = "alice", .groups = {"dev"}, .proof = "htpasswd"}; }
    static std::vector<Scope> scopes(std::string_view text) { return Scope::parse(text).value(); }
    // Whose it is; nullopt when it is refused or nobody's.
    std::optional<Identity> who(const TokenIssuer& issuer, const std::string& token) {
        auto login = make_issued_tokens(issuer, {})->verify(bearer(token));
        if (!login || !*login) return std::nullopt;
        return std::move((*login)->identity);
    }

    TemporaryDirectory folder;
    FakeClock clock;
};

TEST_F(TokenIssuerTest, VerifiesWhatItIssued) {
    for (const std::string_view algorithm : {"ES256", "RS256", "EdDSA"}) {
        IssuerOptions wanted = options();
        wanted.keys.clear();
        wanted.algorithm = algorithm;
        const auto issuer = open(wanted);
        const auto issued = issuer->issue(alice(), scopes("repository:team/app:pull,push"), "");
        EXPECT_EQ(issued.lifetime, 300s);
        EXPECT_EQ(issued.at, clock.now());
        const auto login = make_issued_tokens(*issuer, {})->verify(bearer(issued.token));
        ASSERT_TRUE(login && *login) << algorithm;
        const Identity& found = (*login)->identity;
        EXPECT_EQ(found.name, "alice");
        EXPECT_EQ(found.kind, Identity::Kind::user);
        EXPECT_EQ(found.groups, std::vector<std::string>{"dev"});
        EXPECT_EQ(found.proof, "bearer:htpasswd");
        EXPECT_EQ((*login)->expires, clock.now() + 300s);
        const Policy policy = Policy::by_grants();
        EXPECT_TRUE(policy.allows(found, {Action::pull, "team/app", ""}));
        EXPECT_TRUE(policy.allows(found, {Action::create, "team/app", ""}));
        EXPECT_FALSE(policy.allows(found, {Action::remove, "team/app", ""}));
        EXPECT_FALSE(policy.allows(found, {Action::pull, "team/other", ""}));
        EXPECT_FALSE(policy.allows(found, {Action::catalog, "", ""}));
    }
}

TEST_F(TokenIssuerTest, KeepsAllThatRulesAskFor) {
    const auto issuer = open(options());
    const Identity robot{
        .name = "ci", .groups = {}, .proof = "token", .kind = Identity::Kind::robot};
    EXPECT_EQ(who(*issuer, issuer->issue(robot, {}, "").token)->kind, Identity::Kind::robot);

    Identity workload{.name = "github:repo:org/app",
                      .groups = {},
                      .proof = "oidc",
                      .kind = Identity::Kind::oidc,
                      .provider = "github"};
    workload.claims = {{"repo", "org/app"}, {"ref", "refs/heads/main"}, {"empty", ""}};
    const auto found = who(*issuer, issuer->issue(workload, {}, "").token);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, Identity::Kind::oidc);
    EXPECT_EQ(found->provider, "github");
    EXPECT_EQ(found->claims, workload.claims);
    EXPECT_EQ(found->proof, "bearer:oidc");

    const auto nobody = who(*issuer, issuer->issue({}, scopes("repository:a:pull"), "").token);
    ASSERT_TRUE(nobody);
    EXPECT_TRUE(nobody->anonymous());
    EXPECT_TRUE(Policy::by_grants().allows(*nobody, {Action::pull, "a", ""}));
}

// A claim named like one of the token's own is only a claim.
TEST_F(TokenIssuerTest, TakesNoWordOfAWorkloadForItsOwn) {
    const auto issuer = open(options());
    Identity workload{.name = "github:x",
                      .groups = {},
                      .proof = "oidc",
                      .kind = Identity::Kind::oidc,
                      .provider = "github"};
    workload.claims = {{"sub", "alice"},
                       {"kind", "user"},
                       {"groups", "admins"},
                       {"access", "all"},
                       {"provider", "other"}};
    const auto found = who(*issuer, issuer->issue(workload, {}, "").token);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "github:x");
    EXPECT_EQ(found->kind, Identity::Kind::oidc);
    EXPECT_EQ(found->provider, "github");
    EXPECT_TRUE(found->groups.empty());
    EXPECT_EQ(found->claims, workload.claims);
}

TEST_F(TokenIssuerTest, WritesNamesThatAreNoUtf8) {
    const auto issuer = open(options());
    EXPECT_TRUE(who(*issuer, issuer->issue({.name = "a\xff", .groups = {"\xc3("}}, {}, "").token));
}

TEST_F(TokenIssuerTest, RefusesWhatHasExpired) {
    const auto issuer = open(options());
    const std::string token = issuer->issue(alice(), {}, "").token;
    clock.advance(300s - 1ms);
    EXPECT_TRUE(who(*issuer, token));
    clock.advance(1ms);
    EXPECT_FALSE(who(*issuer, token));
    EXPECT_EQ(make_issued_tokens(*issuer, {})->verify(bearer(token)).error().code,
              Errc::unauthenticated);
}

TEST_F(TokenIssuerTest, RefusesWhatIsForAnotherService) {
    const auto issuer = open(options());
    IssuerOptions other = options();
    other.service = "other";
    EXPECT_FALSE(who(*issuer, open(other)->issue(alice(), {}, "").token));
    other.service.clear();
    EXPECT_FALSE(who(*issuer, open(other)->issue(alice(), {}, "else").token));
    EXPECT_TRUE(who(*issuer, open(other)->issue(alice(), {}, "registry").token));
}

TEST_F(TokenIssuerTest, LeavesTokensOfOthersToOthers) {
    const auto issuer = open(options());
    IssuerOptions other = options();
    other.keys = folder.file("others");
    const auto verifier = make_issued_tokens(*issuer, {});
    for (const std::string& token :
         {open(other)->issue(alice(), {}, "").token, std::string("berth_1234"), std::string(),
          sign_jwt(es256_key(), "JWT", R"({"iss":"them"})")}) {
        const auto login = verifier->verify(bearer(token));
        ASSERT_TRUE(login) << login.error().detail;
        EXPECT_FALSE(*login);
    }
    Credentials basic = bearer(issuer->issue(alice(), {}, "").token);
    basic.scheme = Credentials::Scheme::basic;
    basic.user = "alice";
    EXPECT_FALSE(verifier->verify(basic).value());
}

TEST_F(TokenIssuerTest, RefusesWhatWasRevoked) {
    const auto issuer = open(options());
    std::map<std::string, Time, std::less<>> revoked;
    std::uint64_t version = 7;
    const auto verifier = make_issued_tokens(
        *issuer, {.revoked_at = [&revoked](std::string_view user) -> std::optional<Time> {
                      const auto found = revoked.find(user);
                      if (found == revoked.end()) return std::nullopt;
                      return found->second;
                  },
                  .version = [&version] { return version; }});
    const std::uint64_t before = verifier->version();
    const std::string early = issuer->issue(alice(), {}, "").token;
    EXPECT_TRUE(verifier->verify(bearer(early)));
    clock.advance(5ms);
    revoked["alice"] = clock.now();
    ++version;
    EXPECT_EQ(verifier->version(), before + 1);
    EXPECT_EQ(verifier->verify(bearer(early)).error().code, Errc::unauthenticated);
    EXPECT_TRUE(verifier->verify(bearer(issuer->issue({.name = "bob"}, {}, "").token)));
    // Within the same second, but after it.
    clock.advance(1ms);
    EXPECT_TRUE(verifier->verify(bearer(issuer->issue(alice(), {}, "").token)));
}

TEST_F(TokenIssuerTest, SurvivesRotationAndForgetsKeysThatAreRemoved) {
    const auto issuer = open(options());
    const std::string token = issuer->issue(alice(), {}, "").token;
    const std::string old_key = list_keys(options().keys).value().front().key.id();
    const std::uint64_t before = issuer->version();
    const std::string new_key = rotate_keys(options().keys, "RS256").value();
    clock.advance(1s);
    EXPECT_GT(issuer->version(), before);
    EXPECT_TRUE(who(*issuer, token));
    EXPECT_TRUE(who(*issuer, issuer->issue(alice(), {}, "").token));
    EXPECT_THAT(issuer->jwks(),
                testing::AllOf(testing::HasSubstr(old_key), testing::HasSubstr(new_key)));
    ASSERT_TRUE(remove_key(options().keys, old_key));
    clock.advance(1s);
    EXPECT_FALSE(who(*issuer, token));
    EXPECT_TRUE(who(*issuer, issuer->issue(alice(), {}, "").token));
}

TEST_F(TokenIssuerTest, PublishesNoSecret) {
    for (const std::string_view member : {"\"d\"", "\"p\"", "\"q\"", "PRIVATE"})
        EXPECT_THAT(open(options())->jwks(), testing::Not(testing::HasSubstr(std::string(member))));
    EXPECT_TRUE(KeySet::parse_jwks(open(options())->jwks()));
}

TEST_F(TokenIssuerTest, WritesWholeSecondsForReadersInGo) {
    const auto issuer = open(options());
    clock.advance(123ms);
    const std::string token = issuer->issue(alice(), {}, "").token;
    const std::size_t dot = token.find('.');
    const std::string payload =
        base64url_decode(token.substr(dot + 1, token.rfind('.') - dot - 1)).value();
    for (const std::string_view name : {"\"iat\":", "\"nbf\":", "\"exp\":"}) {
        const std::size_t start = payload.find(name);
        ASSERT_NE(start, payload.npos) << payload;
        const std::size_t end = payload.find_first_of(",}", start);
        EXPECT_EQ(payload.substr(start, end - start).find('.'), std::string::npos) << payload;
    }
}

class RefreshTest : public TokenIssuerTest {
  protected:
    static Verifier::Account account(std::string mark = "$2y$05$hash") {
        return {.identity = alice(), .mark = std::move(mark)};
    }
};

TEST_F(RefreshTest, StandsForAnAccountThatDoesNotChange) {
    const auto issuer = open(options());
    const auto issued = issuer->issue_refresh(account(), "");
    EXPECT_EQ(issued.lifetime, 90 * 24h);
    clock.advance(89 * 24h);
    const auto refresh = issuer->verify_refresh(issued.token, "");
    ASSERT_TRUE(refresh) << refresh.error().detail;
    EXPECT_EQ(refresh->user, "alice");
    EXPECT_EQ(refresh->issued_at, clock.now() - 89 * 24h);
    EXPECT_TRUE(issuer->is_unchanged(*refresh, account()));
    EXPECT_FALSE(issuer->is_unchanged(*refresh, account("$2y$05$other")));
    EXPECT_FALSE(issuer->is_unchanged(*refresh, account("")));
    Verifier::Account bob = account();
    bob.identity.name = "bob";
    EXPECT_FALSE(issuer->is_unchanged(*refresh, bob));
    clock.advance(24h);
    EXPECT_EQ(issuer->verify_refresh(issued.token, "").error().code, Errc::unauthenticated);
}

TEST_F(RefreshTest, NeverIsABearerTokenNorTheOtherWayRound) {
    IssuerOptions any_service = options();
    any_service.service.clear();
    for (const IssuerOptions& wanted : {options(), any_service}) {
        const auto issuer = open(wanted);
        const std::string refresh = issuer->issue_refresh(account(), "registry").token;
        const std::string access = issuer->issue(alice(), {}, "registry").token;
        ASSERT_TRUE(issuer->verify_refresh(refresh, "registry"));
        ASSERT_TRUE(issuer->verify(access));
        EXPECT_EQ(issuer->verify(refresh).error().code, Errc::unauthenticated);
        EXPECT_EQ(issuer->verify_refresh(access, "registry").error().code, Errc::unauthenticated);
        EXPECT_FALSE(who(*issuer, refresh));
        // Nor with the other's audience: the type decides by itself.
        const std::string trick = issuer->issue(alice(), {}, "refresh registry").token;
        EXPECT_FALSE(issuer->verify_refresh(trick, "registry"));
    }
}

TEST_F(RefreshTest, IsForOneService) {
    IssuerOptions any_service = options();
    any_service.service.clear();
    const auto issuer = open(any_service);
    const std::string token = issuer->issue_refresh(account(), "one").token;
    EXPECT_TRUE(issuer->verify_refresh(token, "one"));
    EXPECT_FALSE(issuer->verify_refresh(token, "other"));
}

TEST_F(RefreshTest, SaysNothingOfThePassword) {
    const auto issuer = open(options());
    const std::string token = issuer->issue_refresh(account("secret-hash"), "").token;
    const std::size_t dot = token.find('.');
    const std::string payload =
        base64url_decode(token.substr(dot + 1, token.rfind('.') - dot - 1)).value();
    EXPECT_THAT(payload, testing::Not(testing::HasSubstr("secret-hash")));
}

TEST_F(RefreshTest, SurvivesRotation) {
    const auto issuer = open(options());
    const std::string token = issuer->issue_refresh(account(), "").token;
    ASSERT_TRUE(rotate_keys(options().keys, "EdDSA"));
    clock.advance(1s);
    const auto refresh = issuer->verify_refresh(token, "");
    ASSERT_TRUE(refresh);
    EXPECT_TRUE(issuer->is_unchanged(*refresh, account()));
}

TEST_F(RefreshTest, OfAnotherKeyIsRefused) {
    IssuerOptions other = options();
    other.keys = folder.file("others");
    const auto issuer = open(options());
    EXPECT_EQ(
        issuer->verify_refresh(open(other)->issue_refresh(account(), "").token, "").error().code,
        Errc::unauthenticated);
    EXPECT_EQ(issuer->verify_refresh("nonsense", "").error().code, Errc::unauthenticated);
}

TEST_F(TokenIssuerTest, RefusesOptionsThatMakeNoSense) {
    const auto refused = [this](const std::function<void(IssuerOptions&)>& change) {
        IssuerOptions wanted = options();
        change(wanted);
        return !TokenIssuer::open(wanted, clock, [](const Error&) {});
    };
    EXPECT_FALSE(refused([](auto&) {}));
    EXPECT_TRUE(refused([](auto& o) { o.issuer.clear(); }));
    EXPECT_TRUE(refused([](auto& o) { o.lifetime = 59s; }));
    EXPECT_TRUE(refused([](auto& o) { o.refresh_lifetime = 0s; }));
    EXPECT_TRUE(refused([this](auto& o) {
        o.keys = folder.file("new");
        o.algorithm = "HS256";
    }));
}

}  // namespace
}  // namespace berth::auth
