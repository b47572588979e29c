// Certificates: which of a certificate's names becomes whose identity, and which never does.
#include "auth/certificates.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace berth::auth {
namespace {

using namespace std::string_literals;
using Kind = Identity::Kind;
using Name = CertificateOptions::Name;

const FakeClock& clock_of_tests() {
    static const FakeClock clock;
    return clock;
}

// A certificate with a name of each kind.
net::PeerCertificate full() {
    net::PeerCertificate shown;
    shown.common_name = "alice";
    shown.dns_names = {"ci.example.org", "other.example.org"};
    shown.emails = {"alice@example.org", "other@example.org"};
    shown.uris = {"spiffe://example.org/ci", "spiffe://example.org/other"};
    return shown;
}

Result<std::optional<Login>> verify(const CertificateOptions& options,
                                    const net::PeerCertificate& shown,
                                    const Clock& clock = clock_of_tests()) {
    Credentials credentials;
    credentials.scheme = Credentials::Scheme::certificate;
    credentials.certificate = &shown;
    return make_certificates(options, clock)->verify(credentials);
}

// `user:…` or `robot:…`, empty for nobody.
std::string who(const CertificateOptions& options, const net::PeerCertificate& shown) {
    const auto login = verify(options, shown);
    if (!login) return "error: " + login.error().detail;
    if (!*login) return "";
    const auto& identity = (*login)->identity;
    EXPECT_EQ(identity.proof, "certificate");
    EXPECT_TRUE(identity.groups.empty());
    return (identity.kind == Kind::robot ? "robot:" : "user:") + identity.name;
}

TEST(Certificates, TakeTheNameThatTheConfigurationChooses) {
    EXPECT_EQ(who({}, full()), "user:alice");
    struct Case {
        Name name;
        const char* user;
    };
    for (const Case& c :
         {Case{Name::common_name, "user:alice"}, Case{Name::dns, "user:ci.example.org"},
          Case{Name::email, "user:alice@example.org"},
          Case{Name::uri, "user:spiffe://example.org/ci"}, Case{Name::none, ""}}) {
        EXPECT_EQ(who({.users = {}, .name = c.name}, full()), c.user);
        EXPECT_EQ(who({.users = {}, .name = c.name}, {}), "");
    }
}

TEST(Certificates, LookInTheTableFirst) {
    const std::map<std::string, std::string> users{{"spiffe://example.org/other", "by uri"},
                                                   {"other@example.org", "by mail"},
                                                   {"ci.example.org", "robot:by-dns"},
                                                   {"alice", "by cn"}};
    const CertificateOptions options{.users = users, .name = Name::common_name};
    auto shown = full();
    EXPECT_EQ(who(options, shown), "user:by uri");
    shown.uris = {"spiffe://example.org/unknown"};
    EXPECT_EQ(who(options, shown), "user:by mail");
    shown.emails.clear();
    EXPECT_EQ(who(options, shown), "robot:by-dns");
    shown.dns_names.clear();
    EXPECT_EQ(who(options, shown), "user:by cn");
    shown.common_name = "bob";
    EXPECT_EQ(who(options, shown), "user:bob");
    EXPECT_EQ(who({.users = users, .name = Name::none}, shown), "");
}

// The table's keys are exact; a name is not cut at anything.
TEST(Certificates, KnowNoNameThatIsOnlyLikeOneOfTheTable) {
    const CertificateOptions options{.users = {{"alice", "root"}, {"", "root"}},
                                     .name = Name::none};
    for (const auto& name : {"alice\0.evil"s, "alice "s, "Alice"s, "alic"s, "alice@"s}) {
        net::PeerCertificate shown;
        shown.common_name = name;
        EXPECT_EQ(who(options, shown), "") << name;
    }
    EXPECT_EQ(who(options, {}), "");
}

TEST(Certificates, MakeNobodyOfNamesThatCouldPassForOthers) {
    for (const auto& name : {"robot:deploy"s, "user:alice"s, "a:b"s, ":"s, "alice\n"s, "al\0ice"s,
                             "al\x7fice"s, "spiffe://example.org/ci"s, ""s}) {
        net::PeerCertificate shown;
        shown.common_name = name;
        shown.dns_names = {name};
        shown.emails = {name};
        for (const Name kind : {Name::common_name, Name::dns, Name::email})
            EXPECT_EQ(who({.users = {}, .name = kind}, shown), "") << name;
    }
    for (const auto& uri : {"robot:deploy"s, "urn:uuid:1"s, "://x"s, "spiffe://"s,
                            "spiffe://a:80/b"s, "a"s, ""s, "spiffe://a/\n"s, "robot:spiffe://a"s}) {
        net::PeerCertificate shown;
        shown.uris = {uri};
        EXPECT_EQ(who({.users = {}, .name = Name::uri}, shown), "") << uri;
    }
}

TEST(Certificates, MakeNobodyOfATablesUserThatCannotBeOne) {
    for (const auto& user : {"robot:"s, "robot:a:b"s, "a:b"s, ""s, "a\nb"s, "robot:robot:a"s}) {
        // The table has spoken: the certificate's own name is not a second try.
        EXPECT_EQ(who({.users = {{"alice", user}}, .name = Name::common_name}, full()), "") << user;
    }
    EXPECT_EQ(who({.users = {{"alice", "spiffe://a/b"}}, .name = Name::none}, full()),
              "user:spiffe://a/b");
}

TEST(Certificates, HoldUntilTheCertificateEnds) {
    FakeClock clock;
    auto shown = full();
    shown.expires = clock.now() + std::chrono::hours(1);
    const auto before = verify({}, shown, clock);
    ASSERT_TRUE(before && *before);
    EXPECT_EQ((*before)->expires, shown.expires);
    clock.advance(std::chrono::hours(1));
    const auto after = verify({}, shown, clock);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().code, Errc::unauthenticated);
    EXPECT_EQ(after.error().detail, "the client certificate has expired");
    // Nobody's certificate is not ours to refuse.
    const auto nobody = verify({.users = {}, .name = Name::none}, shown, clock);
    ASSERT_TRUE(nobody);
    EXPECT_FALSE(*nobody);
}

TEST(Certificates, SayNothingOfOtherCredentials) {
    const auto verifier = make_certificates({}, clock_of_tests());
    const auto shown = full();
    for (const auto scheme : {Credentials::Scheme::basic, Credentials::Scheme::bearer}) {
        Credentials credentials;
        credentials.scheme = scheme;
        credentials.user = "alice";
        credentials.certificate = &shown;
        const auto login = verifier->verify(credentials);
        ASSERT_TRUE(login);
        EXPECT_FALSE(*login);
    }
    Credentials none;
    none.scheme = Credentials::Scheme::certificate;
    const auto login = verifier->verify(none);
    ASSERT_TRUE(login);
    EXPECT_FALSE(*login);
    const auto found = verifier->find("alice");
    ASSERT_TRUE(found);
    EXPECT_FALSE(*found);
    EXPECT_EQ(verifier->version(), verifier->version());
}

}  // namespace
}  // namespace berth::auth
