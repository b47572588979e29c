// Goal: a token of another issuer says who it is and what it grants, by the keys of the files now.
#include "auth/token/outside_tokens.h"

#include <gtest/gtest.h>

#include <fstream>

#include "auth/policy/grants.h"
#include "auth/policy/policy.h"
#include "auth/token/jwt.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/auth/token/certificate_fixtures.h"
#include "unit/auth/token/forge.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

class OutsideTokens : public ::testing::Test {
  protected:
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(folder.file(name), std::ios::trunc) << text;
    }
    OutsideTokenOptions options() const {
        OutsideTokenOptions options;
        options.issuer = "them";
        options.service = "registry";
        options.jwks = folder.file("jwks.json");
        return options;
    }
    std::unique_ptr<Verifier> open(OutsideTokenOptions wanted) {
        const auto note = [this](const Error& error) { reports.push_back(error.detail); };
        return make_outside_tokens(std::move(wanted), clock, note).value();
    }
    std::string payload(std::string_view more = "") const {
        const auto now = std::chrono::floor<std::chrono::seconds>(clock.now());
        return R"({"iss":"them","aud":"registry","sub":"alice","exp":)" +
               std::to_string(now.time_since_epoch().count() + 300) + std::string(more) + "}";
    }
    static Credentials bearer(std::string token) {
        Credentials credentials;
        credentials.scheme = Credentials::Scheme::bearer;
        credentials.secret = std::move(token);
        return credentials;
    }

    TemporaryDirectory folder;
    FakeClock clock;
    std::vector<std::string> reports;
};

TEST_F(OutsideTokens, AreTheirSubjectWithWhatTheyGrant) {
    write("jwks.json", jwks_of({es256_key()}));
    const auto verifier = open(options());
    const std::string token = sign_jwt(
        es256_key(), "JWT",
        payload(R"(,"access":[{"type":"repository","name":"team/app","actions":["pull"]}])"));
    const auto login = verifier->verify(bearer(token));
    ASSERT_TRUE(login && *login);
    const Identity& who = (*login)->identity;
    EXPECT_EQ(who.name, "alice");
    EXPECT_EQ(who.proof, "bearer");
    EXPECT_EQ((*login)->expires, std::chrono::floor<std::chrono::seconds>(clock.now()) + 360s);
    const Policy policy = Policy::by_grants();
    EXPECT_TRUE(policy.allows(who, {Action::pull, "team/app", "1"}));
    EXPECT_FALSE(policy.allows(who, {Action::create, "team/app", "1"}));
    EXPECT_FALSE(policy.allows(who, {Action::pull, "team/other", "1"}));
    EXPECT_FALSE(policy.allows(who, {Action::catalog, "", ""}));
}

TEST_F(OutsideTokens, GrantNothingWithoutAccess) {
    write("jwks.json", jwks_of({es256_key()}));
    const auto login = open(options())->verify(bearer(sign_jwt(es256_key(), "JWT", payload())));
    ASSERT_TRUE(login && *login);
    ASSERT_NE((*login)->identity.grants, nullptr);
    EXPECT_FALSE(Policy::open().allows((*login)->identity, {Action::pull, "a", "1"}));
}

TEST_F(OutsideTokens, MayBeOfNobody) {
    write("jwks.json", jwks_of({es256_key()}));
    std::string text =
        payload(R"(,"access":[{"type":"repository","name":"a","actions":["pull"]}])");
    text.replace(text.find("alice"), 5, "");
    const std::string token = sign_jwt(es256_key(), "JWT", text);
    const auto login = open(options())->verify(bearer(token));
    ASSERT_TRUE(login && *login);
    EXPECT_TRUE((*login)->identity.anonymous());
    EXPECT_TRUE(Policy::by_grants().allows((*login)->identity, {Action::pull, "a", "1"}));
}

TEST_F(OutsideTokens, LeaveOthersCredentialsToOthers) {
    write("jwks.json", jwks_of({es256_key()}));
    const auto verifier = open(options());
    Credentials basic = bearer(sign_jwt(es256_key(), "JWT", payload()));
    basic.scheme = Credentials::Scheme::basic;
    basic.user = "alice";
    for (const Credentials& credentials :
         {basic, bearer("berth_0123"), bearer(""),
          bearer(sign_jwt(es256_key(), "JWT", R"({"iss":"us","aud":"registry"})"))}) {
        const auto login = verifier->verify(credentials);
        ASSERT_TRUE(login);
        EXPECT_FALSE(*login);
    }
}

TEST_F(OutsideTokens, AreRefusedWithASentence) {
    write("jwks.json", jwks_of({es256_key()}));
    const auto verifier = open(options());
    const std::string good = payload();
    for (const std::string& token :
         {sign_jwt(rs256_key(), "JWT", good), sign_jwt(es256_key(), "JWT", R"({"iss":"them"})"),
          forge(es256_key(), R"({"alg":"none"})", good),
          sign_jwt(es256_key(), "JWT", R"({"iss":"them","aud":"registry","exp":1})"),
          sign_jwt(es256_key(), "berth-refresh+jwt", good)}) {
        const auto login = verifier->verify(bearer(token));
        ASSERT_FALSE(login) << token;
        EXPECT_EQ(login.error().code, Errc::unauthenticated);
        EXPECT_FALSE(login.error().detail.empty());
    }
}

TEST_F(OutsideTokens, FollowTheirFiles) {
    write("jwks.json", jwks_of({es256_key()}));
    const auto verifier = open(options());
    const std::string old_token = sign_jwt(es256_key(), "JWT", payload());
    const std::string new_token = sign_jwt(rs256_key(), "JWT", payload());
    EXPECT_TRUE(verifier->verify(bearer(old_token)));
    EXPECT_FALSE(verifier->verify(bearer(new_token)));

    const std::uint64_t before = verifier->version();
    write("jwks.json", jwks_of({rs256_key()}));
    clock.advance(1s);
    EXPECT_GT(verifier->version(), before);
    EXPECT_FALSE(verifier->verify(bearer(old_token)));
    EXPECT_TRUE(verifier->verify(bearer(new_token)));

    write("jwks.json", R"({"keys":[]})");
    clock.advance(2s);
    EXPECT_TRUE(verifier->verify(bearer(new_token)));
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_THAT(reports[0], testing::HasSubstr("jwks.json"));
}

TEST_F(OutsideTokens, AreVerifiedByCertificatesAndJwksTogether) {
    clock.set(Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)));
    write("jwks.json", jwks_of({rs256_key()}));
    write("bundle.pem", kRoot);
    OutsideTokenOptions both = options();
    both.rootcertbundle = folder.file("bundle.pem");
    const auto verifier = open(both);
    const auto leaf = SigningKey::parse(kLeafKey).value();
    const std::string header = R"({"alg":"ES256","x5c":[")" + std::string(kLeafDer) + R"(",")" +
                               std::string(kIntermediateDer) + R"("]})";
    EXPECT_TRUE(verifier->verify(bearer(forge(leaf, header, payload()))));
    EXPECT_TRUE(verifier->verify(bearer(sign_jwt(rs256_key(), "JWT", payload()))));

    both.signing_algorithms = {"RS256"};
    const auto limited = open(both);
    EXPECT_FALSE(limited->verify(bearer(forge(leaf, header, payload()))));
    EXPECT_TRUE(limited->verify(bearer(sign_jwt(rs256_key(), "JWT", payload()))));
}

TEST_F(OutsideTokens, NeedWhatVerifiesThem) {
    write("jwks.json", jwks_of({es256_key()}));
    write("empty.json", R"({"keys":[]})");
    const auto refused = [this](const std::function<void(OutsideTokenOptions&)>& change) {
        OutsideTokenOptions wanted = options();
        change(wanted);
        const auto made = make_outside_tokens(wanted, clock, [](const Error&) {});
        return made ? std::string() : made.error().detail;
    };
    EXPECT_EQ(refused([](auto&) {}), "");
    EXPECT_NE(refused([](auto& o) { o.issuer.clear(); }), "");
    EXPECT_NE(refused([](auto& o) { o.service.clear(); }), "");
    EXPECT_NE(refused([](auto& o) { o.jwks.clear(); }), "");
    EXPECT_THAT(refused([](auto& o) { o.jwks += "x"; }), testing::HasSubstr("jwks.jsonx"));
    EXPECT_THAT(refused([this](auto& o) { o.jwks = folder.file("empty.json"); }),
                testing::HasSubstr("empty.json"));
    EXPECT_THAT(refused([](auto& o) { o.rootcertbundle = o.jwks; }), testing::HasSubstr("PEM"));
    EXPECT_THAT(refused([](auto& o) { o.signing_algorithms = {"HS256"}; }),
                testing::HasSubstr("HS256"));
}

}  // namespace
}  // namespace berth::auth
