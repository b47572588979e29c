// Goal: a token says what a trusted issuer signed, now and for us, or it says nothing. Method: one
// good token, and tables of all that differs from it in one thing, each well signed unless the
// signature is what it is about.
#include "auth/token/jwt.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "unit/auth/token/forge.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

// 2023-11-14T22:13:20Z
constexpr Time kNow(std::chrono::milliseconds(1'700'000'000'000));
constexpr std::string_view kHeader = R"({"typ":"JWT","alg":"ES256"})";
constexpr std::string_view kPayload =
    R"({"iss":"us","sub":"alice","aud":"registry","exp":1700000300,"nbf":1700000000,)"
    R"("iat":1700000000,"jti":"1"})";

KeySet keys() {
    return KeySet::parse_jwks(jwks_of({es256_key(), rs256_key(), eddsa_key()})).value();
}

Expectation expectation() {
    return {.issuers = {"us", "them"}, .audiences = {"registry"}};
}

Result<Claims> verify(std::string_view token, Time now = kNow) {
    return verify_jwt(token, keys(), expectation(), now);
}

// A text that begins with the good payload, with members added.
std::string payload_with(std::string_view more) {
    std::string payload(kPayload.substr(0, kPayload.size() - 1));
    return payload.append(",").append(more).append("}");
}

void expect_refused(const std::string& token, std::string_view why, std::string_view of) {
    const auto claims = verify(token);
    ASSERT_FALSE(claims) << of;
    EXPECT_EQ(claims.error().code, Errc::unauthenticated) << of;
    EXPECT_THAT(claims.error().detail, testing::HasSubstr(why)) << of;
}

TEST(Jwt, SaysWhatWasSigned) {
    const auto claims = verify(
        forge(es256_key(), kHeader,
              payload_with(
                  R"("access":[{"type":"repository","class":"","name":"a/b","actions":["pull"]}],)"
                  R"("ref":"refs/heads/main","run":7,"ratio":1.5,"protected":true,"nothing":null,)"
                  R"("groups":["a","b"],"mixed":["a",1],"deep":{"a":1})")));
    ASSERT_TRUE(claims) << claims.error().detail;
    EXPECT_EQ(claims->issuer, "us");
    EXPECT_EQ(claims->subject, "alice");
    EXPECT_EQ(claims->id, "1");
    EXPECT_EQ(claims->audience, std::vector<std::string>{"registry"});
    EXPECT_EQ(claims->expires, kNow + 300s);
    EXPECT_EQ(claims->not_before, kNow);
    EXPECT_EQ(claims->issued_at, kNow);
    ASSERT_EQ(claims->access.size(), 1u);
    EXPECT_EQ(claims->access[0].type, "repository");
    EXPECT_EQ(claims->access[0].name, "a/b");
    EXPECT_EQ(claims->access[0].actions, std::vector<std::string>{"pull"});
    const std::map<std::string, std::string, std::less<>> others = {{"ref", "refs/heads/main"},
                                                                    {"run", "7"},
                                                                    {"ratio", "1.5"},
                                                                    {"protected", "true"},
                                                                    {"deep.a", "1"}};
    EXPECT_EQ(claims->others, others);
    EXPECT_EQ(claims->lists.size(), 1u);
    EXPECT_EQ(claims->lists.at("groups"), (std::vector<std::string>{"a", "b"}));
}

TEST(Jwt, IsVerifiedByEveryKindOfKey) {
    for (const SigningKey& key : {es256_key(), rs256_key(), eddsa_key()}) {
        EXPECT_TRUE(verify(sign_jwt(key, "JWT", kPayload))) << key.algorithm();
        const std::string header = R"({"alg":")" + std::string(key.algorithm()) + R"("})";
        EXPECT_TRUE(verify(forge(key, header, kPayload))) << "without kid: " << key.algorithm();
    }
}

TEST(Jwt, TakesTheFormsOfOtherIssuers) {
    const std::string_view headers[] = {
        R"({"alg":"ES256","typ":"jwt"})",
        R"({"alg":"ES256","typ":"at+jwt"})",
        R"({"alg":"ES256","typ":"AT+JWT","cty":"x","more":[1,{"a":2}]})",
        // Where the key is said to lie is not looked at.
        R"({"alg":"ES256","jku":"https://evil/","x5u":"https://evil/","jwk":{"kty)"
        R"(":"oct","k":"AA"}})",
        R"({"alg":"ES256","jwk":"nonsense","x5t":"AA"})",
    };
    for (const std::string_view header : headers)
        EXPECT_TRUE(verify(forge(es256_key(), header, kPayload))) << header;
    const std::string_view payloads[] = {
        R"({"iss":"us","aud":["other","registry"],"exp":1700000300})",
        R"({"iss":"them","aud":"registry","exp":1700000000.5,"nbf":1699999999.25})",
        R"({"iss":"us","aud":"registry","exp":1.7000003e9})",
        R"({"iss":"us","aud":"registry","exp":1700000300,"sub":null,"nbf":null,"access":null})",
        R"({"iss":"us","aud":"registry","exp":1700000300,"access":[{"type":"t","n)"
        R"(ame":"n","actions":null}]})",
        " { \"iss\" : \"us\" , \"aud\":\"registry\",\n\"exp\":253402300799 } ",
    };
    for (const std::string_view payload : payloads)
        EXPECT_TRUE(verify(forge(es256_key(), kHeader, payload))) << payload;
}

TEST(Jwt, RefusesHeadersThatTrick) {
    struct Row {
        std::string_view header;
        std::string_view why;
    };
    const Row table[] = {
        {R"({"alg":"none"})", "algorithm"},
        {R"({"alg":"None"})", "algorithm"},
        {R"({"alg":"nOnE","typ":"JWT"})", "algorithm"},
        {R"({"alg":""})", "algorithm"},
        {R"({})", "algorithm"},
        {R"({"alg":null})", "well-formed"},
        {R"({"alg":["ES256"]})", "well-formed"},
        {R"({"alg":"HS256"})", "algorithm"},
        {R"({"alg":"HS512"})", "algorithm"},
        {R"({"alg":"es256"})", "algorithm"},
        {R"({"alg":"ES256K"})", "algorithm"},
        {R"({"alg":"RSA-OAEP"})", "algorithm"},
        {R"({"alg":"ES256","crit":["exp"],"exp":1})", "critical"},
        {R"({"alg":"ES256","crit":[]})", "critical"},
        {R"({"alg":"ES256","b64":false,"crit":["b64"]})", "critical"},
        {R"({"alg":"ES256","typ":"JWE"})", "type"},
        {R"({"alg":"ES256","typ":"berth-refresh+jwt"})", "type"},
        {R"({"alg":"ES256","typ":7})", "well-formed"},
        {R"({"alg":"ES256","kid":7})", "well-formed"},
        {R"({"alg":"none","alg":"ES256"})", "well-formed"},
        {R"({"alg":"ES256","alg":"ES256"})", "well-formed"},
        {R"(["ES256"])", "well-formed"},
        {R"("ES256")", "well-formed"},
        {R"({"alg":"ES256"}{})", "well-formed"},
        {R"({"alg":"ES256",})", "well-formed"},
        {R"({"alg":"ES256","a":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]})", "well-formed"},
        {"\xef\xbb\xbf{\"alg\":\"ES256\"}", "well-formed"},
        {"", "well-formed"},
    };
    for (const Row& row : table)
        expect_refused(forge(es256_key(), row.header, kPayload), row.why, row.header);
}

// A key is only tried with its own algorithms, whatever the header says.
TEST(Jwt, RefusesTheAlgorithmOfAnotherKey) {
    for (const std::string_view algorithm :
         {"ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"}) {
        const std::string plain = R"({"alg":")" + std::string(algorithm) + R"("})";
        const auto without_kid = verify(forge(es256_key(), plain, kPayload));
        ASSERT_FALSE(without_kid) << algorithm;
        EXPECT_EQ(without_kid.error().code, Errc::not_found);
        const std::string named =
            R"({"alg":")" + std::string(algorithm) + R"(","kid":")" + es256_key().id() + R"("})";
        expect_refused(forge(es256_key(), named, kPayload), "signature", algorithm);
    }
}

TEST(Jwt, RefusesAHeaderThatNamesTheKeyOfAnother) {
    const std::string header = R"({"alg":"ES256","kid":")" + rs256_key().id() + R"("})";
    expect_refused(forge(es256_key(), header, kPayload), "signature", "kid of the RSA key");
    const auto stranger = SigningKey::make("ES256").value();
    const std::string ours = R"({"alg":"ES256","kid":")" + es256_key().id() + R"("})";
    expect_refused(forge(stranger, ours, kPayload), "signature", "our kid, another key");
}

TEST(Jwt, SaysApartThatTheKeyIsNotKnown) {
    const auto stranger = SigningKey::make("ES256").value();
    for (const std::string& token :
         {sign_jwt(stranger, "JWT", kPayload), forge(stranger, kHeader, kPayload),
          // It brings the key along, as a JWK and as a link.
          forge(stranger, R"({"alg":"ES256","jwk":)" + stranger.public_jwk() + "}", kPayload),
          forge(stranger, R"({"alg":"ES256","kid":"../../dev/null"})", kPayload),
          forge(stranger, R"({"alg":"ES256","x5c":["AAAA"]})", kPayload)}) {
        const auto claims = verify(token);
        ASSERT_FALSE(claims);
        EXPECT_EQ(claims.error().code, Errc::not_found) << claims.error().detail;
    }
    EXPECT_EQ(verify_jwt(sign_jwt(es256_key(), "JWT", kPayload), KeySet(), {}, kNow).error().code,
              Errc::not_found);
}

TEST(Jwt, RefusesEveryOtherForm) {
    const std::string good = sign_jwt(es256_key(), "JWT", kPayload);
    ASSERT_TRUE(verify(good));
    const std::size_t first = good.find('.'), last = good.rfind('.');
    const std::string head = good.substr(0, first), body = good.substr(first + 1, last - first - 1),
                      tail = good.substr(last + 1);
    const std::string table[] = {
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        head + "." + body,
        head + "." + body + ".",
        "." + body + "." + tail,
        head + ".." + tail,
        good + ".",
        good + "." + tail,
        "." + good,
        good + " ",
        " " + good,
        good + "\n",
        good + "=",
        good + "==",
        head + "=." + body + "." + tail,
        head + "." + body + "=." + tail,
        good + "A",
        good + "AA",
        good + "AAAA",
        good + '\0',
        good.substr(0, good.size() - 1),
        good.substr(0, good.size() - 4),
        body + "." + head + "." + tail,
        head + "." + head + "." + tail,
        head + "." + body + "." + body,
        head + "+." + body + "." + tail,
        R"({"payload":")" + body + R"(","protected":")" + head + R"(","signature":")" + tail +
            "\"}",
    };
    for (const std::string& token : table) {
        const auto claims = verify(token);
        ASSERT_FALSE(claims) << token;
        EXPECT_EQ(claims.error().code, Errc::unauthenticated) << token;
    }
}

// Bits that base64 does not use must be zero: else there are several texts of one token.
TEST(Jwt, HasOneTextOnly) {
    const std::string good = sign_jwt(eddsa_key(), "JWT", kPayload);  // 64 bytes: 4 spare bits
    ASSERT_TRUE(verify(good));
    for (int bit = 1; bit < 16; ++bit) {
        std::string other = good;
        other.back() = static_cast<char>(other.back() + bit);
        EXPECT_FALSE(verify(other)) << other.back();
    }
}

TEST(Jwt, RefusesEveryChangedByte) {
    const std::string good = sign_jwt(es256_key(), "JWT", kPayload);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char c : {'A', 'Q', '.', '='}) {
            std::string changed = good;
            if (changed[i] == c) continue;
            changed[i] = c;
            EXPECT_FALSE(verify(changed)) << i << ' ' << c;
        }
    }
}

// The classic: HMAC with the public key's text as the secret.
TEST(Jwt, RefusesHmacWithThePublicKey) {
    const std::string text = unsigned_token(R"({"alg":"HS256"})", kPayload);
    const std::string secret = rs256_key().public_jwk();
    std::string mac(32, '\0');
    unsigned length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(mac.data()), &length);
    expect_refused(text + "." + base64url_encode(as_bytes(mac)), "algorithm", "HS256");
}

TEST(Jwt, RefusesWhatIsNotForUsOrNotNow) {
    struct Row {
        std::string_view payload;
        std::string_view why;
    };
    const Row table[] = {
        {R"({"iss":"evil","aud":"registry","exp":1700000300})", "issuer"},
        {R"({"iss":"US","aud":"registry","exp":1700000300})", "issuer"},
        {R"({"iss":"us/","aud":"registry","exp":1700000300})", "issuer"},
        {R"({"aud":"registry","exp":1700000300})", "issuer"},
        {R"({"iss":["us"],"aud":"registry","exp":1700000300})", "\"iss\""},
        {R"({"iss":"us","aud":"other","exp":1700000300})", "audience"},
        {R"({"iss":"us","aud":[],"exp":1700000300})", "audience"},
        {R"({"iss":"us","aud":"","exp":1700000300})", "audience"},
        {R"({"iss":"us","exp":1700000300})", "audience"},
        {R"({"iss":"us","aud":["a","registryx"],"exp":1700000300})", "audience"},
        {R"({"iss":"us","aud":["registry",7],"exp":1700000300})", "\"aud\""},
        {R"({"iss":"us","aud":{"registry":1},"exp":1700000300})", "\"aud\""},
        {R"({"iss":"us","aud":"registry"})", "no end"},
        {R"({"iss":"us","aud":"registry","exp":null})", "no end"},
        {R"({"iss":"us","aud":"registry","exp":1699999940})", "expired"},
        {R"({"iss":"us","aud":"registry","exp":1})", "expired"},
        {R"({"iss":"us","aud":"registry","exp":0})", "expired"},
        {R"({"iss":"us","aud":"registry","exp":-1})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":"1700000300"})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":true})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":[1700000300]})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":253402300800})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":9223372036854775807})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":18446744073709551615})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":99999999999999999999})", "well-formed"},
        {R"({"iss":"us","aud":"registry","exp":1e300})", "\"exp\""},
        {R"({"iss":"us","aud":"registry","exp":1e999})", "well-formed"},
        {R"({"iss":"us","aud":"registry","exp":NaN})", "well-formed"},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"nbf":1700000061})", "not valid yet"},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"nbf":-5})", "\"nbf\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"iat":"now"})", "\"iat\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"sub":7})", "\"sub\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"jti":{}})", "\"jti\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"access":{}})", "\"access\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"access":[7]})", "\"access\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"access":[{"name":"a"}]})", "\"access\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"access":[{"type":"repos)"
         R"(itory","name":"a","actions":"pull"}]})",
         "\"access\""},
        {R"({"iss":"us","aud":"registry","exp":1700000300,"access":[{"type":"repos)"
         R"(itory","name":7}]})",
         "\"access\""},
        {R"({"iss":"us","aud":"registry","exp":1,"exp":1700000300})", "well-formed"},
        {R"({"iss":"us","iss":"us","aud":"registry","exp":1700000300})", "well-formed"},
        {R"({"iss":"us","aud":"registry","exp":1700000300)", "well-formed"},
        {R"([{"iss":"us"}])", "well-formed"},
        {"", "well-formed"},
    };
    for (const Row& row : table)
        expect_refused(forge(es256_key(), kHeader, row.payload), row.why, row.payload);
    expect_refused(forge(es256_key(), kHeader, payload_with("\"a\":\"\xff\"")), "well-formed",
                   "not UTF-8");
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += R"({"type":"repository","name":"a","actions":[]},)";
    many.pop_back();
    expect_refused(forge(es256_key(), kHeader, payload_with("\"access\":[" + many + "]")), "",
                   "too many entries");
}

TEST(Jwt, IsBoundedInLength) {
    const std::string long_token =
        forge(es256_key(), kHeader, payload_with("\"a\":\"" + std::string(16 << 10, 'a') + '"'));
    expect_refused(long_token, "too long", "16 KiB");
    EXPECT_TRUE(verify(
        forge(es256_key(), kHeader, payload_with("\"a\":\"" + std::string(8 << 10, 'a') + '"'))));
}

TEST(Jwt, LeavesAMinuteForClocksThatDiffer) {
    const std::string token = sign_jwt(es256_key(), "JWT", kPayload);
    EXPECT_TRUE(verify(token, kNow - 60s));
    EXPECT_FALSE(verify(token, kNow - 60s - 1ms));
    EXPECT_TRUE(verify(token, kNow + 360s - 1ms));
    EXPECT_FALSE(verify(token, kNow + 360s));
}

TEST(Jwt, FitsWhatIsExpected) {
    const std::string endless = forge(es256_key(), kHeader, R"({"iss":"any"})");
    EXPECT_TRUE(
        verify_jwt(endless, keys(), {.issuers = {}, .audiences = {}, .needs_expiry = false}, kNow));
    Expectation refresh = expectation();
    refresh.type = "berth-refresh+jwt";
    const std::string access = sign_jwt(es256_key(), "JWT", kPayload);
    EXPECT_FALSE(verify_jwt(access, keys(), refresh, kNow));
    EXPECT_FALSE(
        verify_jwt(forge(es256_key(), R"({"alg":"ES256"})", kPayload), keys(), refresh, kNow));
    EXPECT_TRUE(
        verify_jwt(sign_jwt(es256_key(), "berth-refresh+jwt", kPayload), keys(), refresh, kNow));
}

TEST(Jwt, NamesItsIssuerUnverified) {
    EXPECT_EQ(issuer_of(unsigned_token("{}", R"({"iss":"us"})") + ".AAAA"), "us");
    EXPECT_EQ(issuer_of(unsigned_token("{}", "{}") + ".AAAA"), "");
    EXPECT_EQ(issuer_of(unsigned_token("{}", R"({"iss":7})") + ".AAAA"), "");
    EXPECT_EQ(issuer_of(unsigned_token("{}", "{}")), std::nullopt);
    EXPECT_EQ(issuer_of("berth_pat_0123456789"), std::nullopt);
    EXPECT_EQ(issuer_of("secret.with.dots"), std::nullopt);
    EXPECT_EQ(issuer_of(""), std::nullopt);
}

}  // namespace
}  // namespace berth::auth
