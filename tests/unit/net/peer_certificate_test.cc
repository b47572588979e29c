// Names of certificates: all kinds of strings, and those that must not become a name.
#include "net/peer_certificate.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <chrono>

#include "unit/net/authority.h"

namespace berth::net {
namespace {

using namespace std::string_literals;
using Names = std::vector<std::string>;

const Pair& authority() {
    static const Pair made = make_authority("an authority");
    return made;
}

PeerCertificate read(const Subject& subject) {
    const Pair pair = issue(authority(), subject);
    return read_certificate(*pair.certificate);
}

TEST(PeerCertificate, HasTheNamesOfEachKind) {
    const auto read_names = read({.common_names = {{V_ASN1_UTF8STRING, "alice"}},
                                  .alternative_names = {{GEN_DNS, "ci.example.org"},
                                                        {GEN_EMAIL, "alice@example.org"},
                                                        {GEN_URI, "spiffe://example.org/ci"},
                                                        {GEN_IPADD, "\x7f\0\0\1"s},
                                                        {GEN_DNS, "*.example.org"}}});
    EXPECT_EQ(read_names.common_name, "alice");
    EXPECT_EQ(read_names.dns_names, (Names{"ci.example.org", "*.example.org"}));
    EXPECT_EQ(read_names.emails, Names{"alice@example.org"});
    EXPECT_EQ(read_names.uris, Names{"spiffe://example.org/ci"});
}

TEST(PeerCertificate, HasNoNamesWhereNoneAreGiven) {
    const auto nameless = read({});
    EXPECT_EQ(nameless.common_name, "");
    EXPECT_TRUE(nameless.dns_names.empty());
    EXPECT_TRUE(nameless.emails.empty());
    EXPECT_TRUE(nameless.uris.empty());
}

TEST(PeerCertificate, ReadsCommonNamesAsUtf8AndDropsWhatIsNone) {
    struct Case {
        int type;
        std::string bytes;
        std::string name;
    };
    for (const Case& c :
         {Case{V_ASN1_PRINTABLESTRING, "alice", "alice"},
          Case{V_ASN1_UTF8STRING, "J\xc3\xbcrgen", "J\xc3\xbcrgen"},
          Case{V_ASN1_T61STRING, "J\xfcrgen", "J\xc3\xbcrgen"},
          Case{V_ASN1_BMPSTRING, "\0J\0\xfc"s, "J\xc3\xbc"},
          Case{V_ASN1_UTF8STRING, "two words", "two words"},
          Case{V_ASN1_UTF8STRING, "alice\0.evil"s, ""}, Case{V_ASN1_BMPSTRING, "\0a\0\0\0b"s, ""},
          Case{V_ASN1_UTF8STRING, "alice\n", ""}, Case{V_ASN1_UTF8STRING, "alice\x7f", ""},
          Case{V_ASN1_UTF8STRING, "alice\xc2\x85", ""},
          Case{V_ASN1_UTF8STRING, std::string(1025, 'a'), ""}, Case{V_ASN1_UTF8STRING, "", ""}}) {
        EXPECT_EQ(read({.common_names = {{c.type, c.bytes}}}).common_name, c.name)
            << testing::PrintToString(c.bytes);
    }
}

TEST(PeerCertificate, HasTheLastCommonName) {
    const auto last =
        read({.common_names = {{V_ASN1_UTF8STRING, "first"}, {V_ASN1_UTF8STRING, "last"}}});
    EXPECT_EQ(last.common_name, "last");
    const auto bad =
        read({.common_names = {{V_ASN1_UTF8STRING, "first"}, {V_ASN1_UTF8STRING, "last\0"s}}});
    EXPECT_EQ(bad.common_name, "");
}

TEST(PeerCertificate, LeavesOutAlternativeNamesWithControlCharactersOrNoAscii) {
    const auto some =
        read({.alternative_names = {{GEN_DNS, "good.org"},
                                    {GEN_DNS, "good.org\0.evil.org"s},
                                    {GEN_DNS,
                                     "b\xfc"
                                     "cher.example"},
                                    {GEN_DNS, ""},
                                    {GEN_EMAIL, "alice@good.org\0"s},
                                    {GEN_EMAIL, "alice@good.org\r\nX: y"},
                                    {GEN_URI, "spiffe://good.org/\x1b[0m"},
                                    {GEN_URI, "spiffe://good.org/" + std::string(2000, 'a')}}});
    EXPECT_EQ(some.dns_names, Names{"good.org"});
    EXPECT_TRUE(some.emails.empty());
    EXPECT_TRUE(some.uris.empty());
}

TEST(PeerCertificate, HasNoAlternativeNamesWhereTheExtensionIsThereTwice) {
    EXPECT_TRUE(
        read({.alternative_names = {{GEN_DNS, "a.org"}}, .names_twice = true}).dns_names.empty());
}

TEST(PeerCertificate, BoundsTheNumberOfNames) {
    Subject many;
    for (int i = 0; i < 1000; ++i)
        many.alternative_names.push_back({GEN_DNS, "n" + std::to_string(i) + ".org"});
    EXPECT_EQ(read(many).dns_names.size(), 256U);
}

TEST(PeerCertificate, KnowsItsEndAndItsFingerprint) {
    const auto before = std::chrono::system_clock::now();
    const Pair pair = issue(authority(), Subject{.valid_seconds = 3600});
    const auto after = std::chrono::system_clock::now();
    const auto read_pair = read_certificate(*pair.certificate);
    EXPECT_GE(read_pair.expires, before + std::chrono::seconds(3599));
    EXPECT_LE(read_pair.expires, after + std::chrono::seconds(3600));

    unsigned char* der = nullptr;
    const int size = i2d_X509(pair.certificate.get(), &der);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(der, static_cast<std::size_t>(size), digest);
    OPENSSL_free(der);
    EXPECT_EQ(read_pair.fingerprint, std::string(digest, digest + sizeof digest));
}

}  // namespace
}  // namespace berth::net
