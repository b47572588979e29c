// Goal: a key set has the keys that its text has, under the names that token servers use.
#include "auth/token/key_set.h"

#include <gtest/gtest.h>

#include "auth/token/trusted_keys.h"
#include "unit/auth/token/certificate_fixtures.h"
#include "unit/auth/token/forge.h"

namespace berth::auth {
namespace {

TEST(KeySet, NamesKeysByKidAndThumbprint) {
    const std::string thumbprint = es256_key().id();
    std::string jwks = jwks_of({es256_key()});
    const std::string kid = R"("kid":")" + thumbprint + '"';
    jwks.replace(jwks.find(kid), kid.size(), R"("kid":"mine")");
    const auto set = KeySet::parse_jwks(jwks);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->keys().all.size(), 1u);
    EXPECT_EQ(set->keys().named.count("mine"), 1u);
    EXPECT_EQ(set->keys().named.count(thumbprint), 1u);
    EXPECT_EQ(set->keys().named.size(), 2u);
}

TEST(KeySet, PassesOverKeysOfOtherKinds) {
    const auto set = KeySet::parse_jwks(
        R"({"keys":[{"kty":"oct","k":"AAAA","kid":"a"},{"kty":"EC","crv":"P-224"}]})");
    ASSERT_TRUE(set);
    EXPECT_TRUE(set->empty());
    EXPECT_TRUE(KeySet().empty());
}

TEST(KeySet, RefusesWhatIsNoKeySet) {
    for (const std::string_view text :
         {"", "[]", "{}", "null", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[],"keys":[]})",
          R"({"keys":[]} )"
          "x",
          R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})",
          R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvP)"
          R"(apiMlrwIaaPcHURo","kid":7}]})"}) {
        const auto set = KeySet::parse_jwks(text);
        ASSERT_FALSE(set) << text;
        EXPECT_EQ(set.error().code, Errc::invalid);
    }
    std::string many = R"({"keys":[)";
    for (int i = 0; i < 300; ++i)
        many += "{},";
    EXPECT_FALSE(KeySet::parse_jwks(many + "{}]}"));
    EXPECT_FALSE(KeySet::parse_jwks(std::string(2 << 20, ' ')));
}

TEST(KeySet, NamesCertificatesAsDockersServersDo) {
    const std::string bundle = "# comment\n" + std::string(kLeaf) + "\n" + std::string(kRoot);
    const auto set = KeySet::parse_certificates(bundle);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->keys().authorities.size(), 2u);
    EXPECT_EQ(set->keys().all.size(), 2u);
    EXPECT_EQ(set->keys().named.count(kLeafDockerId), 1u);
    EXPECT_EQ(set->keys().named.count(kLeafThumbprint), 1u);
    EXPECT_EQ(set->keys().named.count(kRootDockerId), 1u);
}

TEST(KeySet, RefusesWhatIsNoBundle) {
    const std::string truncated(kLeaf.substr(0, kLeaf.size() / 2));
    const std::string damaged =
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + std::string(kRoot);
    for (const std::string& text : {std::string(), std::string("hello"), truncated, damaged,
                                    std::string(kRoot) + truncated, std::string(kLeafKey)}) {
        const auto set = KeySet::parse_certificates(text);
        ASSERT_FALSE(set) << text;
        EXPECT_EQ(set.error().code, Errc::invalid);
    }
}

TEST(KeySet, MergesAndLimits) {
    const auto one = KeySet::parse_jwks(jwks_of({es256_key()})).value();
    const auto other = KeySet::parse_certificates(kRoot).value();
    const KeySet both = one.merged(other);
    EXPECT_EQ(both.keys().all.size(), 2u);
    EXPECT_EQ(both.keys().authorities.size(), 1u);
    EXPECT_EQ(one.keys().all.size(), 1u);

    const auto limited = both.limited({"RS256"});
    ASSERT_TRUE(limited);
    for (const PublicKey& key : limited->keys().all)
        EXPECT_EQ(key.algorithms(), 0u);
    EXPECT_EQ(both.limited({}).value().keys().all.front().algorithms(), only(Algorithm::es256));
    EXPECT_EQ(both.limited({"HS256"}).error().code, Errc::invalid);
    EXPECT_EQ(both.limited({"none"}).error().code, Errc::invalid);
}

TEST(SigningKey, SurvivesItsPem) {
    for (const SigningKey& key : {es256_key(), rs256_key(), eddsa_key()}) {
        const auto again = SigningKey::parse(key.pem());
        ASSERT_TRUE(again);
        EXPECT_EQ(again->id(), key.id());
        EXPECT_EQ(again->algorithm(), key.algorithm());
        EXPECT_EQ(again->public_jwk(), key.public_jwk());
        EXPECT_FALSE(key.public_jwk().contains("\"d\""));
    }
}

TEST(SigningKey, RefusesWhatCannotSign) {
    for (const std::string_view algorithm : {"", "HS256", "none", "ES384", "PS256", "es256"})
        EXPECT_EQ(SigningKey::make(algorithm).error().code, Errc::invalid) << algorithm;
    constexpr std::string_view kEncrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (const std::string_view pem : {std::string_view(), kLeaf, kEncrypted, kWeakKey}) {
        const auto key = SigningKey::parse(pem);
        ASSERT_FALSE(key) << pem;
        EXPECT_EQ(key.error().code, Errc::invalid);
    }
}

}  // namespace
}  // namespace berth::auth
