// Goal: signatures that others made verify, and nothing near them does; keys are taken for what
// they are. Method: the RFCs' examples, each with a bit changed, and tables of keys.
#include "auth/token/public_key.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "unit/auth/token/certificate_fixtures.h"
#include "unit/auth/token/signature_vectors.h"

namespace berth::auth {
namespace {

constexpr std::size_t kDepth = 8;

Json json(std::string_view text) {
    return oci::parse_json(text, kDepth).value();
}

struct Example {
    PublicKey key;
    Algorithm algorithm;
    std::string text;
    std::string signature;
};

Example example_of(const SignatureVector& vector) {
    const std::size_t dot = vector.token.rfind('.');
    return {PublicKey::parse_jwk(json(vector.jwk)).value(),
            parse_algorithm(vector.algorithm).value(), std::string(vector.token.substr(0, dot)),
            base64url_decode(vector.token.substr(dot + 1)).value()};
}

TEST(PublicKey, VerifiesWhatOthersSigned) {
    for (const SignatureVector& vector : kSignatureVectors) {
        const Example example = example_of(vector);
        EXPECT_TRUE(example.key.verifies(example.algorithm, example.text, example.signature))
            << vector.source << ' ' << vector.algorithm;
    }
}

TEST(PublicKey, VerifiesNothingElse) {
    for (const SignatureVector& vector : kSignatureVectors) {
        const Example good = example_of(vector);
        for (std::size_t i = 0; i < good.signature.size(); i += 7) {
            std::string changed = good.signature;
            changed[i] = static_cast<char>(changed[i] ^ 0x10);
            EXPECT_FALSE(good.key.verifies(good.algorithm, good.text, changed)) << vector.source;
        }
        EXPECT_FALSE(good.key.verifies(good.algorithm, good.text + "a", good.signature));
        EXPECT_FALSE(good.key.verifies(good.algorithm, good.text, ""));
        EXPECT_FALSE(good.key.verifies(good.algorithm, good.text, good.signature + '\0'));
        EXPECT_FALSE(good.key.verifies(good.algorithm, good.text,
                                       good.signature.substr(0, good.signature.size() - 1)));
        const std::string zeros(good.signature.size(), '\0');
        EXPECT_FALSE(good.key.verifies(good.algorithm, good.text, zeros)) << vector.source;
        for (const Algorithm other : {Algorithm::rs256, Algorithm::ps256, Algorithm::es256,
                                      Algorithm::es384, Algorithm::es512, Algorithm::eddsa}) {
            if (other == good.algorithm) continue;
            EXPECT_FALSE(good.key.verifies(other, good.text, good.signature)) << vector.source;
        }
    }
}

TEST(PublicKey, TakesNoDerWhereJwsWantsRawNumbers) {
    const Example good = example_of(kSignatureVectors[1]);
    ASSERT_EQ(good.algorithm, Algorithm::es256);
    const std::string der = ecdsa_to_der(good.signature, ecdsa_width(good.algorithm));
    ASSERT_FALSE(der.empty());
    EXPECT_FALSE(good.key.verifies(good.algorithm, good.text, der));
    EXPECT_EQ(ecdsa_from_der(der, ecdsa_width(good.algorithm)), good.signature);
}

TEST(PublicKey, HasTheThumbprintsOfTheRfcs) {
    // RFC 8037, A.3
    const auto ed25519 = PublicKey::parse_jwk(
        json(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"));
    EXPECT_EQ(ed25519.value().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // RFC 7638, 3.1
    const auto rsa = PublicKey::parse_jwk(
        json(R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4)"
             R"(cbbfAAtVT86zwu1RK7)"
             R"(aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXA)"
             R"(rwl93lqt7_RN5w6Cf0)"
             R"(h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5)"
             R"(hajrn1n91CbOpbISD08)"
             R"(qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-)"
             R"(csFCur-kEgU8awapJzK)"
             R"(nqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})"));
    EXPECT_EQ(rsa.value().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

// A P-256 key with this addition.
std::string ec_with(std::string_view more) {
    return R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
           R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")" +
           std::string(more) + "}";
}

TEST(PublicKey, PassesOverKeysForOtherUses) {
    for (const std::string& jwk : {
             ec_with(R"(,"use":"enc")"),
             ec_with(R"(,"use":7)"),
             ec_with(R"(,"key_ops":["encrypt"])"),
             ec_with(R"(,"key_ops":"verify")"),
             ec_with(R"(,"alg":"ES384")"),
             ec_with(R"(,"alg":"HS256")"),
             ec_with(R"(,"alg":"none")"),
             ec_with(R"(,"alg":256)"),
             std::string(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"})"),
             std::string(R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg"})"),
             std::string(R"({"kty":"EC","crv":"secp256k1","x":"Ss6n","y":"7l9q"})"),
             std::string(R"({"kty":"EC"})"),
             std::string(R"({"kty":5})"),
             std::string("{}"),
         }) {
        const auto key = PublicKey::parse_jwk(json(jwk));
        ASSERT_FALSE(key) << jwk;
        EXPECT_EQ(key.error().code, Errc::unsupported) << jwk;
    }
    for (const std::string& jwk :
         {ec_with(""), ec_with(R"(,"use":"sig")"), ec_with(R"(,"key_ops":["sign","verify"])"),
          ec_with(R"(,"alg":"ES256","d":"ignored")")}) {
        EXPECT_TRUE(PublicKey::parse_jwk(json(jwk))) << jwk;
    }
}

TEST(PublicKey, RefusesBrokenKeys) {
    for (const std::string_view jwk : {
             R"([])",
             R"("key")",
             // not on the curve
             R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHv)"
             R"(RVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4"})",
             // coordinates of another width
             R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})",
             R"({"kty":"EC","crv":"P-384","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHv)"
             R"(RVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
             // padding
             R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHv)"
             R"(RVEU=","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
             R"({"kty":"EC","crv":"P-256"})",
             R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})",
             R"({"kty":"RSA","n":"AQAB"})",
             R"({"kty":"RSA","n":"","e":"AQAB"})",
         }) {
        const auto key = PublicKey::parse_jwk(json(jwk));
        ASSERT_FALSE(key) << jwk;
        EXPECT_EQ(key.error().code, Errc::invalid) << jwk;
    }
}

TEST(PublicKey, RefusesRsaKeysThatAreTooSmallOrSignEverything) {
    const auto rsa = [](std::size_t bytes, std::string_view exponent) {
        const std::string modulus(bytes, '\xff');
        const Json jwk{{"kty", "RSA"},
                       {"n", base64url_encode(as_bytes(modulus))},
                       {"e", base64url_encode(as_bytes(exponent))}};
        return PublicKey::parse_jwk(jwk);
    };
    EXPECT_TRUE(rsa(256, "\x03"));
    EXPECT_EQ(rsa(255, "\x03").error().code, Errc::unsupported);
    EXPECT_EQ(rsa(128, "\x03").error().code, Errc::unsupported);
    EXPECT_FALSE(rsa(2048, "\x03"));
    EXPECT_FALSE(rsa(256, "\x01"));
    EXPECT_FALSE(rsa(256, "\x02"));
    EXPECT_FALSE(rsa(256, "\x01\x01\x01\x01\x01\x01\x01\x01\x01"));
}

TEST(Algorithm, KnowsNoneWithASharedSecret) {
    for (const std::string_view name : {"none", "None", "HS256", "HS384", "HS512", "rs256", "es256",
                                        "ES256K", "RS1", "EdDSA ", "", "Ed448"}) {
        EXPECT_EQ(parse_algorithm(name), std::nullopt) << name;
    }
    for (const std::string_view name : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                        "ES256", "ES384", "ES512", "EdDSA"}) {
        ASSERT_TRUE(parse_algorithm(name)) << name;
        EXPECT_EQ(name_of(*parse_algorithm(name)), name);
    }
    EXPECT_EQ(parse_algorithms({}).value(), kAllAlgorithms);
    EXPECT_EQ(parse_algorithms({"ES256", "EdDSA"}).value(),
              only(Algorithm::es256) | only(Algorithm::eddsa));
    EXPECT_THAT(parse_algorithms({"HS256"}).error().detail, testing::HasSubstr("\"HS256\""));
}

}  // namespace
}  // namespace berth::auth
