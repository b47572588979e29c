// Goal: a token that brings its certificates is believed exactly when an authority of the bundle
// stands behind them, now. Every certificate here has the key that signs, so that only the chain
// decides.
#include <gtest/gtest.h>

#include "auth/token/jwt.h"
#include "unit/auth/token/certificate_fixtures.h"
#include "unit/auth/token/forge.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

constexpr Time k2026(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
constexpr std::string_view kPayload = R"({"iss":"us","aud":"registry"})";

std::string x5c(std::initializer_list<std::string_view> chain) {
    std::string list;
    for (const std::string_view each : chain)
        list.append(list.empty() ? "\"" : ",\"").append(each).append("\"");
    return "\"x5c\":[" + list + "]";
}

Result<Claims> verify(std::string_view bundle, const std::string& member, Time now = k2026,
                      const std::vector<std::string>& algorithms = {}) {
    const auto keys = KeySet::parse_certificates(bundle).value().limited(algorithms).value();
    const auto key = SigningKey::parse(kLeafKey).value();
    const std::string header =
        R"({"alg":"ES256","kid":"unknown")" + (member.empty() ? "" : "," + member) + "}";
    return verify_jwt(forge(key, header, kPayload), keys, {.needs_expiry = false}, now);
}

TEST(CertifiedKey, IsBelievedWhenTheChainLeadsToAnAuthority) {
    EXPECT_TRUE(verify(kRoot, x5c({kLeafDer, kIntermediateDer})));
    EXPECT_TRUE(verify(kRoot, x5c({kLeafDer, kIntermediateDer, kRootDer})));
    EXPECT_TRUE(verify(kIntermediate, x5c({kLeafDer})));
    EXPECT_TRUE(verify(kLeaf, x5c({kLeafDer})));
    // Docker's older servers.
    EXPECT_TRUE(verify(kRoot, R"("jwk":{"kty":"EC",)" + x5c({kLeafDer, kIntermediateDer}) + "}"));
}

TEST(CertifiedKey, IsNotBelievedOtherwise) {
    struct Row {
        std::string_view bundle;
        std::string member;
    };
    const Row table[] = {
        {kRoot, x5c({kLeafDer})},                    // the one between is missing
        {kRoot, x5c({kStrangerDer})},                // another root of the same name
        {kRoot, x5c({kIntermediateDer, kLeafDer})},  // the first one is not the signer's
        {kRoot, x5c({kRootDer})},                    // the authority's own, whose key did not sign
        {kLeaf, x5c({kChildDer})},                   // signed by one that is no authority
        {kRoot, x5c({kChildDer, kLeafDer, kIntermediateDer})},
        {kRoot, x5c({kWeakDer})},  // RSA of 1024 bits
        {kRoot, x5c({})},
        {kRoot, x5c({""})},
        {kRoot, x5c({"AAAA"})},
        {kRoot, x5c({"!"})},
        {kRoot, R"("x5c":"text")"},
        {kRoot, R"("x5c":[7])"},
        {kRoot, R"("x5c":{})"},
        {kRoot, x5c({kLeafDer, kLeafDer, kLeafDer, kLeafDer, kLeafDer, kLeafDer, kLeafDer, kLeafDer,
                     kIntermediateDer})},  // too many
        {kRoot, x5c({std::string(kLeafDer.substr(0, 200)), kIntermediateDer})},
    };
    for (const Row& row : table) {
        const auto claims = verify(row.bundle, row.member);
        ASSERT_FALSE(claims) << row.member;
        EXPECT_EQ(claims.error().code, Errc::unauthenticated) << row.member;
    }
    EXPECT_EQ(verify(kRoot, "").error().code, Errc::not_found);
}

TEST(CertifiedKey, IsBelievedOnlyWhileItsCertificatesAreValid) {
    constexpr Time k2024(std::chrono::sys_days(std::chrono::year(2024) / 1 / 1));
    constexpr Time kJune(std::chrono::sys_days(std::chrono::year(2024) / 6 / 1));
    EXPECT_TRUE(verify(kRoot, x5c({kShortDer}), k2024 + 1s));
    EXPECT_TRUE(verify(kRoot, x5c({kShortDer}), kJune - 1s));
    EXPECT_FALSE(verify(kRoot, x5c({kShortDer}), kJune + 1s));
    EXPECT_FALSE(verify(kRoot, x5c({kShortDer}), k2024 - 1s));
    EXPECT_FALSE(verify(kRoot, x5c({kLeafDer, kIntermediateDer}), k2026 + 24h * 366 * 10));
}

TEST(CertifiedKey, IsLimitedToTheBundlesAlgorithms) {
    EXPECT_TRUE(verify(kRoot, x5c({kLeafDer, kIntermediateDer}), k2026, {"ES256"}));
    EXPECT_FALSE(verify(kRoot, x5c({kLeafDer, kIntermediateDer}), k2026, {"RS256"}));
}

// A certificate of the bundle is a key by its name, too, whether it is valid by time or not: as
// with registry:2, the file says what is trusted.
TEST(CertifiedKey, OfTheBundleIsNamedByTheHeader) {
    const auto keys = KeySet::parse_certificates(kLeaf).value();
    const auto key = SigningKey::parse(kLeafKey).value();
    for (const std::string_view kid : {kLeafDockerId, kLeafThumbprint}) {
        const std::string header = R"({"alg":"ES256","kid":")" + std::string(kid) + "\"}";
        EXPECT_TRUE(verify_jwt(forge(key, header, kPayload), keys, {.needs_expiry = false}, k2026));
    }
}

}  // namespace
}  // namespace berth::auth
