// Goal: a Digest exists only in the form of image-spec's descriptor.md, for the algorithms served.
#include "oci/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace berth::oci {
namespace {

const std::string kHex64 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const std::string kSha256 = "sha256:" + kHex64;
const std::string kSha512 = "sha512:" + kHex64 + kHex64;

TEST(Digest, KeepsItsPartsAsTheyCame) {
    const auto digest = Digest::parse(kSha256);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->algorithm(), Algorithm::sha256);
    EXPECT_EQ(digest->hex(), kHex64);
    EXPECT_EQ(digest->text(), kSha256);
}

TEST(Digest, AcceptsSha512) {
    const auto digest = Digest::parse(kSha512);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest->algorithm(), Algorithm::sha512);
    EXPECT_EQ(digest->hex(), kHex64 + kHex64);
}

TEST(Digest, RefusesEveryOtherForm) {
    const std::string upper = "sha256:" + std::string(64, 'A');
    const std::string table[] = {
        "",
        ":",
        "sha256",
        "sha256:",
        kHex64,
        ":" + kHex64,
        kSha256 + "0",
        kSha256.substr(0, kSha256.size() - 1),
        " " + kSha256,
        kSha256 + "\n",
        upper,
        "SHA256:" + kHex64,
        "sha256:" + std::string(63, '0') + "g",
        "sha256:" + std::string(63, '0') + std::string(1, '\0'),
        "sha256::" + std::string(63, '0'),
        "sha512:" + kHex64,
        "sha256:" + kHex64 + kHex64,
        "sha384:" + std::string(96, '0'),
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256+b64:" + kHex64,
        "sha256:../../../../../../etc/passwd",
    };
    for (const auto& text : table) {
        const auto digest = Digest::parse(text);
        ASSERT_FALSE(digest) << text;
        EXPECT_EQ(digest.error().code, Errc::invalid) << text;
    }
}

TEST(Digest, SaysWhatIsWrong) {
    EXPECT_EQ(Digest::parse("sha256:abc").error().detail,
              "a sha256 digest has 64 lower-case hex digits after the colon");
    EXPECT_EQ(Digest::parse("md5:abc").error().detail,
              "the digest algorithms served are sha256 and sha512");
}

TEST(Digest, ComparesAndHashesByItsText) {
    const auto a = *Digest::parse(kSha256);
    const auto b = *Digest::parse("sha256:" + std::string(64, '0'));
    EXPECT_EQ(a, *Digest::parse(kSha256));
    EXPECT_LT(b, a);
    const std::unordered_set<Digest> set{a, b, a};
    EXPECT_EQ(set.size(), 2u);
}

TEST(Algorithm, IsKnownByItsName) {
    for (const auto algorithm : {Algorithm::sha256, Algorithm::sha512})
        EXPECT_EQ(parse_algorithm(name_of(algorithm)), algorithm);
    for (const auto* name : {"", "sha384", "SHA256", "sha256 ", "sha1"}) {
        const auto unknown = parse_algorithm(name);
        ASSERT_FALSE(unknown) << name;
        EXPECT_EQ(unknown.error().code, Errc::unsupported) << name;
    }
}

}  // namespace
}  // namespace berth::oci
