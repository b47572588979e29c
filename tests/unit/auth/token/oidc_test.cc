// Goal: tokens of a configured provider say who somebody is, with the keys that are in force and
// only with them; keys are fetched no more often than they must be.
// Method: a provider that is a map of documents, behind the Fetch seam, a clock that stands still,
// and tokens signed with real keys.
#include "auth/token/oidc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "auth/token/jwt.h"
#include "base/encoding.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kIssuer = "https://ci.example.org";
const std::string kDiscovery = kIssuer + "/.well-known/openid-configuration";
const std::string kJwks = "https://keys.example.org/jwks";

SigningKey make_key(std::string_view algorithm = "ES256") {
    auto key = SigningKey::make(algorithm);
    if (!key) throw std::runtime_error(key.error().detail);
    return *key;
}

std::string jwks_of(const std::vector<SigningKey>& keys) {
    Json list = Json::array();
    for (const SigningKey& key : keys)
        list.push_back(Json::parse(key.public_jwk()));
    return Json{{"keys", list}}.dump();
}

// Documents by URL; thread-safe.
class FakeWeb {
  public:
    void put(const std::string& url, std::string document) {
        std::lock_guard lock(mutex_);
        documents_[url] = std::move(document);
    }
    void remove(const std::string& url) {
        std::lock_guard lock(mutex_);
        documents_.erase(url);
    }
    int fetches(const std::string& url) {
        std::lock_guard lock(mutex_);
        return fetches_[url];
    }
    // Fetches that begin from now on do not end before open() is called.
    void shut() {
        std::lock_guard lock(mutex_);
        shut_ = true;
    }
    void open() {
        std::lock_guard lock(mutex_);
        shut_ = false;
        changed_.notify_all();
    }
    void wait_for_a_fetch(const std::string& url, int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return fetches_[url] >= count; });
    }

    Fetch fetch() {
        return [this](const std::string& url, const std::string& ca) -> Result<std::string> {
            std::unique_lock lock(mutex_);
            ++fetches_[url];
            last_ca = ca;
            changed_.notify_all();
            changed_.wait(lock, [this] { return !shut_; });
            const auto found = documents_.find(url);
            if (found == documents_.end()) return fail(Errc::unavailable, "the host is down");
            return found->second;
        };
    }
    std::string last_ca;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> documents_;
    std::map<std::string, int> fetches_;
    bool shut_ = false;
};

class OidcTest : public testing::Test {
  protected:
    OidcTest() {
        web.put(kDiscovery, Json{{"issuer", kIssuer}, {"jwks_uri", kJwks}}.dump());
        web.put(kJwks, jwks_of({key}));
    }

    static OidcProvider provider() {
        return {.name = "github", .issuer = kIssuer, .audiences = {"registry"}};
    }

    Result<std::unique_ptr<Verifier>> make(std::vector<OidcProvider> providers) {
        return make_oidc({.providers = std::move(providers)}, clock, web.fetch(),
                         [this](const Error& error) { reports.push_back(error.detail); });
    }
    Verifier& oidc() {
        if (!verifier_) verifier_ = std::move(make({provider()}).value());
        return *verifier_;
    }

    Json claims() {
        const auto now = std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch();
        return {{"iss", kIssuer},
                {"sub", "repo:org/app:ref:refs/heads/main"},
                {"aud", "registry"},
                {"iat", now.count()},
                {"exp", now.count() + 300}};
    }
    std::string token(const Json& payload, const SigningKey& with) {
        return sign_jwt(with, "JWT", payload.dump());
    }
    std::string token(const Json& payload) { return token(payload, key); }
    std::string token() { return token(claims()); }

    static Result<std::optional<Login>> ask(Verifier& verifier, const std::string& token) {
        return verifier.verify(
            {.scheme = Credentials::Scheme::bearer, .user = "", .secret = token});
    }
    // The identity's name; empty: not one of ours; or the error's code and detail.
    std::string outcome(const std::string& token) { return outcome(oidc(), token); }
    static std::string outcome(Verifier& verifier, const std::string& token) {
        const auto login = ask(verifier, token);
        if (!login) return std::string(name_of(login.error().code)) + ": " + login.error().detail;
        return *login ? (*login)->identity.name : "";
    }

    FakeClock clock;
    FakeWeb web;
    SigningKey key = make_key();
    std::vector<std::string> reports;
    const std::string good = "github:repo:org/app:ref:refs/heads/main";
    const std::string unknown_key =
        "unauthenticated: the token is signed by a key that is not known here";
    const std::string unavailable =
        "unavailable: the keys of OIDC provider github cannot be fetched now; try again later";

  private:
    std::unique_ptr<Verifier> verifier_;
};

TEST_F(OidcTest, SaysWhoATokenIsAndWhatItClaims) {
    Json payload = claims();
    payload["repository"] = "org/app";
    payload["run_number"] = 7;
    payload["protected"] = true;
    payload["kubernetes.io"] = {{"namespace", "ci"}, {"serviceaccount", {{"name", "builder"}}}};
    const auto login = ask(oidc(), token(payload));
    ASSERT_TRUE(login && *login) << login.error().detail;
    const Identity& who = (*login)->identity;
    EXPECT_EQ(who.name, good);
    EXPECT_EQ(who.kind, Identity::Kind::oidc);
    EXPECT_EQ(who.proof, "oidc");
    EXPECT_EQ(who.provider, "github");
    EXPECT_THAT(who.groups, IsEmpty());
    EXPECT_THAT(
        who.claims,
        UnorderedElementsAre(Pair("iss", kIssuer), Pair("sub", "repo:org/app:ref:refs/heads/main"),
                             Pair("repository", "org/app"), Pair("run_number", "7"),
                             Pair("protected", "true"), Pair("kubernetes.io.namespace", "ci"),
                             Pair("kubernetes.io.serviceaccount.name", "builder")));
    EXPECT_EQ((*login)->expires, clock.now() + 300s);
    EXPECT_EQ((*login)->grace, 0s);
}

TEST_F(OidcTest, TakesATokenAsThePasswordOfAnyUser) {
    const auto login =
        oidc().verify({.scheme = Credentials::Scheme::basic, .user = "alice", .secret = token()});
    ASSERT_TRUE(login && *login);
    EXPECT_EQ((*login)->identity.name, good);
}

TEST_F(OidcTest, LeavesToOthersWhatIsNotOfItsIssuers) {
    Json payload = claims();
    payload["iss"] = kIssuer + "/";
    Json without = claims();
    without.erase("iss");
    for (const std::string& secret :
         {std::string(), std::string("a password"), std::string("a.b.c"), token(payload),
          token(without), token() + ".x", "x" + token()}) {
        EXPECT_EQ(outcome(secret), "") << secret;
    }
    const auto login =
        oidc().verify({.scheme = Credentials::Scheme::certificate, .user = "", .secret = token()});
    ASSERT_TRUE(login);
    EXPECT_FALSE(*login);
    EXPECT_EQ(web.fetches(kDiscovery), 0);
}

TEST_F(OidcTest, RefusesATokenThatDoesNotFit) {
    const auto now = claims()["iat"].get<long>();
    const auto with = [&](const char* name, Json value) {
        Json payload = claims();
        if (value.is_null()) {
            payload.erase(name);
        } else {
            payload[name] = std::move(value);
        }
        return token(payload);
    };
    const struct {
        std::string token;
        std::string why;
    } rows[] = {
        {with("aud", "another"), "the token is for another audience"},
        {with("aud", Json::array({"another", "Registry"})), "the token is for another audience"},
        {with("aud", nullptr), "the token is for another audience"},
        {with("exp", nullptr), "the token has no end (exp)"},
        {with("exp", now - 61), "the token has expired"},
        {with("nbf", now + 61), "the token is not valid yet"},
        {with("iat", nullptr), "the token does not say when it was issued (iat)"},
        {with("iat", now - 24 * 3600), "the token is older than a day"},
        {with("sub", nullptr), "the token has no usable subject (sub)"},
        {with("sub", ""), "the token has no usable subject (sub)"},
        {with("sub", "a\nb"), "the token has no usable subject (sub)"},
        {with("sub", std::string(1025, 'x')), "the token has no usable subject (sub)"},
    };
    for (const auto& row : rows)
        EXPECT_EQ(outcome(row.token), "unauthenticated: " + row.why);
    EXPECT_EQ(outcome(with("iat", now - 24 * 3600 + 1)), good);
    EXPECT_EQ(outcome(with("aud", Json::array({"another", "registry"}))), good);
}

TEST_F(OidcTest, RemembersNobodyBeyondTheAgeOfATokenThatLastsTooLong) {
    Json payload = claims();
    payload["exp"] = payload["iat"].get<long>() + 365 * 24 * 3600;
    const auto login = ask(oidc(), token(payload));
    ASSERT_TRUE(login && *login);
    EXPECT_EQ((*login)->expires, clock.now() + 24h);
}

TEST_F(OidcTest, RefusesAForgedSignature) {
    const std::string real = token();
    const auto payload_at = real.find('.') + 1, signature_at = real.rfind('.') + 1;
    Json inflated = claims();
    inflated["sub"] = "repo:org/other:ref:refs/heads/main";
    const std::string payload = base64url_encode(as_bytes(inflated.dump()));
    EXPECT_EQ(outcome(real.substr(0, payload_at) + payload + "." + real.substr(signature_at)),
              "unauthenticated: the token's signature does not fit");
    EXPECT_EQ(outcome(token(claims(), make_key())), unknown_key);
}

// The public key is known to all: it must never count as a shared secret.
TEST_F(OidcTest, RefusesAnotherKindOfAlgorithm) {
    const std::string jwk = key.public_jwk();
    const std::string kid = Json::parse(jwk)["kid"];
    const std::string payload = base64url_encode(as_bytes(claims().dump()));
    for (const char* algorithm : {"none", "None", "NONE", "HS256", "hs256", "HS384", "HS512"}) {
        const Json header{{"alg", algorithm}, {"typ", "JWT"}, {"kid", kid}};
        const std::string text = base64url_encode(as_bytes(header.dump())) + "." + payload;
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        HMAC(EVP_sha256(), jwk.data(), static_cast<int>(jwk.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
        const std::string signature =
            base64url_encode(std::as_bytes(std::span(mac, std::size_t(size))));
        EXPECT_EQ(outcome(text + "." + signature),
                  "unauthenticated: the token is signed by an algorithm that is not accepted")
            << algorithm;
    }
}

TEST_F(OidcTest, TakesOnlyTheAlgorithmsThatAreConfigured) {
    const SigningKey rsa = make_key("RS256");
    web.put(kJwks, jwks_of({key, rsa}));
    OidcProvider limited = provider();
    limited.algorithms = {"RS256"};
    const auto verifier = make({limited});
    ASSERT_TRUE(verifier);
    EXPECT_EQ(outcome(**verifier, token(claims(), rsa)), good);
    EXPECT_THAT(outcome(**verifier, token(claims(), key)), HasSubstr("unauthenticated"));
}

TEST_F(OidcTest, FetchesOnceAndWhenTheKeysAreOld) {
    EXPECT_EQ(web.fetches(kDiscovery), 0);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(outcome(token()), good);
    EXPECT_EQ(web.fetches(kDiscovery), 1);
    EXPECT_EQ(web.fetches(kJwks), 1);
    clock.advance(3599s);
    EXPECT_EQ(outcome(token()), good);
    EXPECT_EQ(web.fetches(kJwks), 1);
    clock.advance(1s);
    EXPECT_EQ(outcome(token()), good);
    EXPECT_EQ(web.fetches(kJwks), 2);
}

TEST_F(OidcTest, LooksForAKeyThatIsNotKnownButNotTooOften) {
    EXPECT_EQ(outcome(token()), good);
    const SigningKey next = make_key();
    web.put(kJwks, jwks_of({key, next}));
    EXPECT_EQ(outcome(token(claims(), next)), good);
    EXPECT_EQ(web.fetches(kJwks), 2);
    EXPECT_EQ(oidc().version(), 0u);

    const SigningKey last = make_key();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(outcome(token(claims(), last)), unknown_key);
    EXPECT_EQ(web.fetches(kJwks), 2);
    web.put(kJwks, jwks_of({next, last}));
    clock.advance(30s);
    EXPECT_EQ(outcome(token(claims(), last)), good);
    EXPECT_EQ(web.fetches(kJwks), 3);
}

TEST_F(OidcTest, CountsUpWhenAKeyHasVanished) {
    EXPECT_EQ(outcome(token()), good);
    const auto before = oidc().version();
    const SigningKey next = make_key();
    web.put(kJwks, jwks_of({next}));
    // Nobody has noticed yet.
    EXPECT_EQ(outcome(token()), good);
    EXPECT_EQ(outcome(token(claims(), next)), good);
    EXPECT_EQ(oidc().version(), before + 1);
    EXPECT_EQ(outcome(token()), unknown_key);
}

TEST_F(OidcTest, AnEmptyKeySetLeavesNoKeyInForce) {
    EXPECT_EQ(outcome(token()), good);
    web.put(kJwks, R"({"keys":[]})");
    clock.advance(3600s);
    EXPECT_EQ(outcome(token()), unknown_key);
    EXPECT_EQ(oidc().version(), 1u);
}

TEST_F(OidcTest, KeepsItsKeysWhileTheProviderIsDown) {
    EXPECT_EQ(outcome(token()), good);
    web.remove(kDiscovery);
    clock.advance(3600s);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(outcome(token()), good);
    EXPECT_EQ(web.fetches(kDiscovery), 2);
    clock.advance(30s);
    EXPECT_EQ(outcome(token()), good);
    EXPECT_EQ(web.fetches(kDiscovery), 3);
    // It may be a new key, of which it cannot be told now whether it is good.
    EXPECT_EQ(outcome(token(claims(), make_key())), unavailable);
    EXPECT_THAT(reports, ElementsAre("OIDC provider github: the host is down; the keys fetched "
                                     "before stay in force"));
    EXPECT_EQ(oidc().version(), 0u);
}

TEST_F(OidcTest, CannotTellWithoutKeysUntilTheProviderAnswers) {
    web.remove(kJwks);
    EXPECT_EQ(outcome(token()), unavailable);
    EXPECT_EQ(outcome(token()), unavailable);
    EXPECT_EQ(web.fetches(kJwks), 1);
    EXPECT_THAT(reports, ElementsAre("OIDC provider github: the host is down; its tokens cannot be "
                                     "verified before it answers"));
    web.put(kJwks, jwks_of({key}));
    clock.advance(1s);
    EXPECT_EQ(outcome(token()), good);
}

TEST_F(OidcTest, ManyAtOnceMakeOneFetch) {
    web.shut();
    Verifier& verifier = oidc();
    std::vector<std::string> outcomes(8);
    std::vector<std::thread> threads;
    const std::string shown = token();
    for (std::string& each : outcomes)
        threads.emplace_back([&] { each = outcome(verifier, shown); });
    web.wait_for_a_fetch(kDiscovery, 1);
    web.open();
    for (auto& thread : threads)
        thread.join();
    EXPECT_THAT(outcomes, testing::Each(good));
    EXPECT_EQ(web.fetches(kDiscovery), 1);
    EXPECT_EQ(web.fetches(kJwks), 1);
}

TEST_F(OidcTest, AFetchHoldsNobodyUpWhoseKeyIsKnown) {
    EXPECT_EQ(outcome(token()), good);
    web.shut();
    const std::string other = token(claims(), make_key());
    std::thread looking([&] { EXPECT_EQ(outcome(other), unknown_key); });
    web.wait_for_a_fetch(kDiscovery, 2);
    EXPECT_EQ(outcome(token()), good);
    web.open();
    looking.join();
}

TEST_F(OidcTest, RefusesADiscoveryDocumentThatIsNotOfTheIssuer) {
    const std::string other = kDiscovery + " is the document of another issuer";
    const std::string unsafe = "jwks_uri of " + kDiscovery + " is not an https URL: ";
    const struct {
        std::string document;
        std::string why;
    } rows[] = {
        {Json{{"issuer", kIssuer + "/"}, {"jwks_uri", kJwks}}.dump(), other},
        {Json{{"issuer", "https://evil.example.org"}, {"jwks_uri", kJwks}}.dump(), other},
        {Json{{"issuer", {kIssuer}}, {"jwks_uri", kJwks}}.dump(), other},
        {Json{{"jwks_uri", kJwks}}.dump(), other},
        {"[]", other},
        {"null", other},
        {Json{{"issuer", kIssuer}}.dump(), unsafe},
        {Json{{"issuer", kIssuer}, {"jwks_uri", "http://keys.example.org/"}}.dump(), unsafe},
        {Json{{"issuer", kIssuer}, {"jwks_uri", "file:///etc/passwd"}}.dump(), unsafe},
        {Json{{"issuer", kIssuer}, {"jwks_uri", "http://127.0.0.1@evil.org/"}}.dump(), unsafe},
        {Json{{"issuer", kIssuer}, {"jwks_uri", "http://127.0.0.1:80@evil.org/"}}.dump(), unsafe},
        {Json{{"issuer", kIssuer}, {"jwks_uri", "http://127.0.0.1.evil.org/"}}.dump(), unsafe},
        {Json{{"issuer", kIssuer}, {"jwks_uri", "http://localhost.evil.org/"}}.dump(), unsafe},
        {"no JSON", ""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.document);
        reports.clear();
        web.put(kDiscovery, row.document);
        const auto verifier = make({provider()});
        ASSERT_TRUE(verifier);
        EXPECT_EQ(outcome(**verifier, token()), unavailable);
        EXPECT_THAT(reports, ElementsAre(HasSubstr(row.why)));
    }
    for (const std::string url : {"http://127.0.0.1:8080/keys", "http://localhost/keys",
                                  "http://[::1]:1/keys", "http://127.0.0.1"}) {
        web.put(kDiscovery, Json{{"issuer", kIssuer}, {"jwks_uri", url}}.dump());
        web.put(url, jwks_of({key}));
        const auto verifier = make({provider()});
        ASSERT_TRUE(verifier);
        EXPECT_EQ(outcome(**verifier, token()), good) << url;
    }
}

TEST_F(OidcTest, AsksForTheKeysWhereItIsTold) {
    OidcProvider kubernetes = provider();
    kubernetes.jwks = "https://10.0.0.1:6443/openid/v1/jwks";
    kubernetes.ca = "/etc/berth/cluster-ca.pem";
    web.put(kubernetes.jwks, jwks_of({key}));
    const auto verifier = make({kubernetes});
    ASSERT_TRUE(verifier);
    EXPECT_EQ(outcome(**verifier, token()), good);
    EXPECT_EQ(web.last_ca, "/etc/berth/cluster-ca.pem");
    EXPECT_EQ(web.fetches(kDiscovery), 0);
}

TEST_F(OidcTest, ReadsAKeyFileAgainWhenItChanges) {
    const TemporaryDirectory directory;
    OidcProvider filed = provider();
    filed.jwks = directory.file("jwks.json");
    const auto write = [&](const std::string& text) {
        std::ofstream(filed.jwks + ".new") << text;
        std::filesystem::rename(filed.jwks + ".new", filed.jwks);
        clock.advance(10ms);
    };
    EXPECT_FALSE(make({filed}));
    write(jwks_of({key}));
    const auto verifier = make({filed});
    ASSERT_TRUE(verifier) << verifier.error().detail;
    EXPECT_EQ(outcome(**verifier, token()), good);
    const auto before = (*verifier)->version();
    const SigningKey next = make_key();
    write(jwks_of({next}));
    EXPECT_GT((*verifier)->version(), before);
    EXPECT_EQ(outcome(**verifier, token()), unknown_key);
    EXPECT_EQ(outcome(**verifier, token(claims(), next)), good);
    write("broken");
    EXPECT_EQ(outcome(**verifier, token(claims(), next)), good);
    EXPECT_THAT(reports, ElementsAre(HasSubstr("what was read before stays in force")));
    EXPECT_EQ(web.fetches(kDiscovery), 0);
}

TEST_F(OidcTest, KeepsProvidersApart) {
    OidcProvider gitlab = provider();
    gitlab.name = "gitlab";
    gitlab.issuer = "https://gitlab.example.org/";
    const std::string discovery = "https://gitlab.example.org/.well-known/openid-configuration";
    const SigningKey other = make_key("EdDSA");
    web.put(discovery, Json{{"issuer", gitlab.issuer}, {"jwks_uri", kJwks + "2"}}.dump());
    web.put(kJwks + "2", jwks_of({other}));
    const auto verifier = make({provider(), gitlab});
    ASSERT_TRUE(verifier) << verifier.error().detail;
    Json payload = claims();
    EXPECT_EQ(outcome(**verifier, token(payload)), good);
    EXPECT_EQ(outcome(**verifier, token(payload, other)), unknown_key);
    payload["iss"] = gitlab.issuer;
    EXPECT_EQ(outcome(**verifier, token(payload, other)),
              "gitlab:repo:org/app:ref:refs/heads/main");
    EXPECT_EQ(outcome(**verifier, token(payload)), unknown_key);
}

TEST_F(OidcTest, RefusesAConfigurationThatCannotBeMeant) {
    const auto changed = [](auto change) {
        OidcProvider made = provider();
        change(made);
        return made;
    };
    using P = OidcProvider;
    const std::vector<P> rows[] = {
        {changed([](P& p) { p.name = ""; })},
        {changed([](P& p) { p.name = "git hub"; })},
        {changed([](P& p) { p.name = "git:hub"; })},
        {changed([](P& p) { p.issuer = ""; })},
        {changed([](P& p) { p.issuer = "ci.example.org"; })},
        {changed([](P& p) { p.issuer = "http://ci.example.org"; })},
        {changed([](P& p) { p.jwks = "http://ci.example.org/jwks"; })},
        {changed([](P& p) { p.jwks = "/nonexistent/jwks.json"; })},
        {changed([](P& p) { p.audiences = {}; })},
        {changed([](P& p) { p.audiences = {""}; })},
        {changed([](P& p) { p.algorithms = {"none"}; })},
        {changed([](P& p) { p.algorithms = {"HS256"}; })},
        {provider(), changed([](P& p) { p.issuer += "/2"; })},
        {provider(), changed([](P& p) { p.name += "2"; })},
    };
    for (const auto& row : rows) {
        const auto made = make(row);
        ASSERT_FALSE(made) << row.back().name << " " << row.back().issuer;
        EXPECT_THAT(made.error().detail, HasSubstr("OIDC provider"));
    }
}

}  // namespace
}  // namespace berth::auth
