// Certificates of clients: whom each way of asking lets in and who becomes an identity; sessions
// that resume.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <ctime>

#include "unit/net/authority.h"
#include "unit/net/net_support.h"

namespace berth::net {
namespace {

// Handshakes, says who the peer is, and reads until its end. Returns that name, `-` for nobody, or
// the error.
Task<std::string> greet(Loop& loop, UniqueFd fd, std::shared_ptr<const TlsContext> tls) {
    Stream stream(loop, std::move(fd), {}, std::move(tls));
    auto shaken = co_await stream.handshake();
    if (!shaken) {
        co_await stream.close_gracefully();
        co_return shaken.error().detail;
    }
    const auto shown = stream.peer().certificate;
    const std::string name = shown ? shown->common_name : "-";
    const Bytes pieces[] = {as_bytes(name)};
    auto written = co_await stream.write(pieces);
    if (!written) co_return written.error().detail;
    std::array<std::byte, 16> buffer;
    auto read = co_await stream.read_some(buffer);
    if (!read) co_return read.error().detail;
    if (stream.peer().certificate != shown) co_return "somebody else";
    co_await stream.close_gracefully();
    co_return name;
}

struct FreeSession {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

// What came of a connection, as both sides saw it.
struct Met {
    std::string server;  // greet()'s
    std::string client;  // what it was told, or the alert it got
    bool resumed = false;
    Session session;
};

class ClientCertificateTest : public LoopTest, public testing::WithParamInterface<int> {
  protected:
    ClientCertificateTest() { authority.write_certificate(options.client_cas[0]); }

    std::shared_ptr<const TlsContext> open(ClientAuth how) {
        options.client_auth = how;
        auto opened = TlsContext::open(options);
        EXPECT_TRUE(opened) << opened.error().detail;
        return *opened;
    }

    // `shown` null: no certificate.
    Met meet(const std::shared_ptr<const TlsContext>& context, const Pair* shown,
             SSL_SESSION* session = nullptr) {
        auto sockets = tcp_pair();
        auto greeted = begin(loop(), greet(loop(), std::move(sockets.server), context));
        TlsClient client(sockets.client.get(), GetParam(), session);
        if (shown != nullptr) {
            SSL_use_certificate(client.get(), shown->certificate.get());
            SSL_use_PrivateKey(client.get(), shown->key.get());
        }
        Met met;
        ERR_clear_error();
        // In TLS 1.3 the client is done before the server has seen its certificate.
        if (client.handshake()) met.client = client.read_exactly(1);
        if (met.client.empty()) {
            met.client = ERR_reason_error_string(ERR_peek_error());
        } else {
            met.resumed = SSL_session_reused(client.get()) == 1;
            met.session.reset(SSL_get1_session(client.get()));
            SSL_shutdown(client.get());
        }
        sockets.client.reset();
        met.server = greeted.get();
        return met;
    }

    // TLS 1.2 has no alert of its own for a missing certificate.
    std::string alert_for_none() const {
        return GetParam() == TLS1_3_VERSION ? "tlsv13 alert certificate required"
                                            : "sslv3 alert handshake failure";
    }

    const TemporaryDirectory directory;
    const Certificate own{KeyKind::ec};
    const Pair authority = make_authority("the clients' authority");
    TlsOptions options = [this] {
        auto with_clients = own.options();
        with_clients.client_cas = {directory.file("clients.pem")};
        return with_clients;
    }();
};

TEST_P(ClientCertificateTest, CountsOnlyWhereItIsVerified) {
    const Pair stranger = make_authority("the clients' authority");
    const Pair good = issue(authority, "alice");
    const Pair forged = issue(stranger, "alice");
    const Pair expired = issue(
        authority, Subject{.common_names = {{V_ASN1_UTF8STRING, "alice"}}, .valid_seconds = -60});
    const Pair self_signed = make_authority("alice");

    const std::string failed = "TLS: certificate verify failed: ";
    const std::string none = "TLS: peer did not return a certificate";
    const std::string old = failed + "certificate has expired";
    struct Row {
        ClientAuth how;
        std::string without, with_forged, with_expired, with_self_signed;
    };
    for (const Row& row : {Row{ClientAuth::request, "-", "-", "-", "-"},
                           Row{ClientAuth::require_any, none, "-", "-", "-"},
                           Row{ClientAuth::verify_if_given, "-", failed, old, failed},
                           Row{ClientAuth::require_and_verify, none, failed, old, failed}}) {
        SCOPED_TRACE(static_cast<int>(row.how));
        const auto context = open(row.how);
        EXPECT_EQ(meet(context, &good).server, "alice");
        EXPECT_EQ(meet(context, nullptr).server, row.without);
        EXPECT_EQ(meet(context, &forged).server.substr(0, row.with_forged.size()), row.with_forged);
        EXPECT_EQ(meet(context, &expired).server, row.with_expired);
        EXPECT_EQ(meet(context, &self_signed).server.substr(0, row.with_self_signed.size()),
                  row.with_self_signed);
    }
}

TEST_P(ClientCertificateTest, IsRefusedWithAnAlertThatSaysWhy) {
    const auto context = open(ClientAuth::require_and_verify);
    EXPECT_EQ(meet(context, nullptr).client, alert_for_none());
    const Pair expired = issue(authority, Subject{.valid_seconds = -60});
    EXPECT_EQ(meet(context, &expired).client, "sslv3 alert certificate expired");
    const Pair stranger = make_authority("somebody");
    const Pair forged = issue(stranger, "alice");
    EXPECT_EQ(meet(context, &forged).client, "tlsv1 alert unknown ca");
}

TEST_P(ClientCertificateTest, IsNotAskedForWithoutAuthorities) {
    options.client_cas.clear();
    const Pair good = issue(authority, "alice");
    EXPECT_EQ(meet(open(ClientAuth::require_and_verify), &good).server, "-");
}

TEST_P(ClientCertificateTest, IsVerifiedByAnyAuthorityOfAnyFileAndByOneThatIsNoRoot) {
    const Pair second = make_authority("second");
    const Pair below = issue(second, "an intermediate's CA is not checked to be a root");
    options.client_cas.push_back(directory.file("below.pem"));
    below.write_certificate(options.client_cas[1]);
    const auto context = open(ClientAuth::require_and_verify);
    const Pair of_first = issue(authority, "alice");
    EXPECT_EQ(meet(context, &of_first).server, "alice");
    // A certificate that stands in the file is trusted as it is.
    EXPECT_EQ(meet(context, &below).server.substr(0, 3), "an ");
    const Pair of_second = issue(second, "bob");
    EXPECT_NE(meet(context, &of_second).server, "bob");
}

TEST_P(ClientCertificateTest, ClientsAreToldTheAuthorities) {
    const auto context = open(ClientAuth::verify_if_given);
    auto sockets = tcp_pair();
    auto greeted = begin(loop(), greet(loop(), std::move(sockets.server), context));
    TlsClient client(sockets.client.get(), GetParam());
    ASSERT_TRUE(client.handshake());
    const auto* names = SSL_get0_peer_CA_list(client.get());
    ASSERT_EQ(sk_X509_NAME_num(names), 1);
    EXPECT_EQ(X509_NAME_cmp(sk_X509_NAME_value(names, 0),
                            X509_get_subject_name(authority.certificate.get())),
              0);
    EXPECT_EQ(client.read_exactly(1), "-");
    SSL_shutdown(client.get());
    sockets.client.reset();
    EXPECT_EQ(greeted.get(), "-");
}

TEST_P(ClientCertificateTest, IsKeptByASessionThatResumes) {
    const auto context = open(ClientAuth::require_and_verify);
    const Pair alice = issue(authority, "alice");
    const Pair bob = issue(authority, "bob");
    const auto first = meet(context, &alice);
    EXPECT_FALSE(first.resumed);
    // What the client would show now does not count: the session is alice's.
    const auto again = meet(context, &bob, first.session.get());
    EXPECT_TRUE(again.resumed);
    EXPECT_EQ(again.server, "alice");
    const auto fresh = meet(context, &bob);
    EXPECT_EQ(fresh.server, "bob");
}

TEST_P(ClientCertificateTest, StaysNobodysWhenASessionWithoutProofResumes) {
    const auto context = open(ClientAuth::request);
    const Pair stranger = make_authority("somebody");
    const Pair forged = issue(stranger, "alice");
    for (const Pair* shown : {&forged, static_cast<const Pair*>(nullptr)}) {
        const auto first = meet(context, shown);
        const auto again = meet(context, shown, first.session.get());
        EXPECT_TRUE(again.resumed);
        EXPECT_EQ(again.server, "-");
    }
}

TEST_P(ClientCertificateTest, DoesNotOutliveItsAuthorityInASession) {
    const Pair alice = issue(authority, "alice");
    const auto before = meet(open(ClientAuth::require_and_verify), &alice);
    make_authority("its successor").write_certificate(options.client_cas[0]);
    const auto after = open(ClientAuth::require_and_verify);
    const auto again = meet(after, &alice, before.session.get());
    EXPECT_FALSE(again.resumed);
    EXPECT_TRUE(again.server.starts_with("TLS: certificate verify failed")) << again.server;
    const auto lenient = open(ClientAuth::request);
    EXPECT_EQ(meet(lenient, &alice, before.session.get()).server, "-");
}

TEST_P(ClientCertificateTest, DoesNotOutliveItselfInASession) {
    const auto context = open(ClientAuth::require_and_verify);
    // A clock that stands still for verifying, so that only resuming sees that it has expired.
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context->get()), std::time(nullptr) - 86'400);
    const Pair expired = issue(
        authority, Subject{.common_names = {{V_ASN1_UTF8STRING, "alice"}}, .valid_seconds = -60});
    const auto first = meet(context, &expired);
    EXPECT_EQ(first.server, "alice");
    EXPECT_FALSE(meet(context, &expired, first.session.get()).resumed);
    const Pair good = issue(authority, "bob");
    const auto other = meet(context, &good);
    EXPECT_TRUE(meet(context, &good, other.session.get()).resumed);
}

INSTANTIATE_TEST_SUITE_P(Versions, ClientCertificateTest,
                         testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

using RenegotiationTest = ClientCertificateTest;

TEST_P(RenegotiationTest, IsRefusedAndChangesNobody) {
    const auto context = open(ClientAuth::require_and_verify);
    const Pair alice = issue(authority, "alice");
    const Pair bob = issue(authority, "bob");
    auto sockets = tcp_pair();
    auto greeted = begin(loop(), greet(loop(), std::move(sockets.server), context));
    TlsClient client(sockets.client.get(), GetParam());
    SSL_use_certificate(client.get(), alice.certificate.get());
    SSL_use_PrivateKey(client.get(), alice.key.get());
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(client.read_exactly(5), "alice");
    SSL_use_certificate(client.get(), bob.certificate.get());
    SSL_use_PrivateKey(client.get(), bob.key.get());
    ERR_clear_error();
    EXPECT_EQ(SSL_renegotiate(client.get()), 1);
    EXPECT_FALSE(client.handshake());
    EXPECT_STREQ(ERR_reason_error_string(ERR_peek_error()), "no renegotiation");
    sockets.client.reset();
    // The client's answer to the refusal.
    EXPECT_EQ(greeted.get(), "TLS: sslv3 alert handshake failure");
}

INSTANTIATE_TEST_SUITE_P(Versions, RenegotiationTest, testing::Values(TLS1_2_VERSION));

TEST(ClientAuthorities, NameTheFileThatIsWrong) {
    const TemporaryDirectory directory;
    const Certificate own(KeyKind::ec);
    auto options = own.options();
    options.client_cas = {directory.file("clients.pem")};
    EXPECT_EQ(TlsContext::open(options).error().detail,
              "TLS client CA " + options.client_cas[0] + ": No such file or directory");
    // A key is no certificate.
    options.client_cas = {options.key};
    EXPECT_EQ(TlsContext::open(options).error().detail,
              "TLS client CA " + options.key + ": no certificate in it");
}

}  // namespace
}  // namespace berth::net
