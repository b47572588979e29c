// TLS: contexts and their errors; streams against a real client, for both protocol versions and
// kinds of key.
#include "net/tls.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>

#include "unit/net/net_support.h"

namespace berth::net {
namespace {

using TlsContextPtr = std::shared_ptr<const TlsContext>;

const Certificate& rsa() {
    static const Certificate made(KeyKind::rsa);
    return made;
}
const Certificate& ec() {
    static const Certificate made(KeyKind::ec);
    return made;
}

std::string code_of(const Result<void>& result) {
    return result ? "" : std::string(name_of(result.error().code)) + ": " + result.error().detail;
}

// Answers each read with the same bytes, until the peer's end.
Task<std::string> echo(Loop& loop, UniqueFd fd, TlsContextPtr tls) {
    Stream stream(loop, std::move(fd), {}, std::move(tls));
    auto shaken = co_await stream.handshake();
    if (!shaken) {
        if (shaken.error().detail == "plain HTTP") {
            stream.write_plain("speak TLS");
            co_await stream.close_gracefully();
        }
        co_return code_of(shaken);
    }
    std::vector<std::byte> buffer(100'000);
    for (;;) {
        auto read = co_await stream.read_some(buffer);
        if (!read) co_return std::string(name_of(read.error().code));
        if (*read == 0) break;
        const Bytes pieces[] = {Bytes(buffer).first(*read)};
        auto written = co_await stream.write(pieces);
        if (!written) co_return code_of(written);
    }
    co_await stream.close_gracefully();
    co_return "";
}

struct Flavour {
    int version;
    KeyKind kind;
};

class TlsTest : public LoopTest, public testing::WithParamInterface<Flavour> {
  protected:
    TlsContextPtr context() { return (GetParam().kind == KeyKind::rsa ? rsa() : ec()).context(); }
    SocketPair pair = tcp_pair();
};

TEST_P(TlsTest, CarriesBytesBothWaysAndEndsWithCloseNotify) {
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), context()));
    TlsClient client(pair.client.get(), GetParam().version);
    ASSERT_TRUE(client.handshake());
    for (const std::size_t size : {1, 16 << 10, 100'000}) {
        const std::string sent = pattern(size);
        ASSERT_TRUE(client.write(sent));
        EXPECT_EQ(client.read_exactly(size), sent);
    }
    SSL_shutdown(client.get());
    EXPECT_EQ(client.read_exactly(1), "");
    EXPECT_TRUE(client.ended_properly());
    pair.client.reset();
    EXPECT_EQ(echoed.get(), "");
}

TEST_P(TlsTest, EndsWithAPeerThatIsCutOff) {
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), context()));
    {
        TlsClient client(pair.client.get(), GetParam().version);
        ASSERT_TRUE(client.handshake());
        ASSERT_TRUE(client.write("abc"));
        ASSERT_EQ(client.read_exactly(3), "abc");
    }
    pair.client.reset();
    EXPECT_EQ(echoed.get(), "");
}

TEST_P(TlsTest, ResumesASessionByItsTicket) {
    const auto shared = context();
    SSL_SESSION* session = nullptr;
    for (const int reused : {0, 1}) {
        auto sockets = tcp_pair();
        auto echoed = begin(loop(), echo(loop(), std::move(sockets.server), shared));
        TlsClient client(sockets.client.get(), GetParam().version, session);
        ASSERT_TRUE(client.handshake());
        ASSERT_TRUE(client.write("abc"));
        // TLS 1.3 sends tickets after the handshake: they come before the first answer.
        ASSERT_EQ(client.read_exactly(3), "abc");
        EXPECT_EQ(SSL_session_reused(client.get()), reused);
        SSL_SESSION_free(session);
        session = SSL_get1_session(client.get());
        SSL_shutdown(client.get());
        sockets.client.reset();
        EXPECT_EQ(echoed.get(), "");
    }
    SSL_SESSION_free(session);
}

INSTANTIATE_TEST_SUITE_P(Flavours, TlsTest,
                         testing::Values(Flavour{TLS1_2_VERSION, KeyKind::rsa},
                                         Flavour{TLS1_2_VERSION, KeyKind::ec},
                                         Flavour{TLS1_3_VERSION, KeyKind::rsa},
                                         Flavour{TLS1_3_VERSION, KeyKind::ec}));

using TlsPeerTest = LoopTest;

TEST_F(TlsPeerTest, IsToldThatItSpeaksPlainHttp) {
    auto pair = tcp_pair();
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), ec().context()));
    ASSERT_TRUE(send_all(pair.client.get(), "OPTIONS / HTTP/1.1\r\n\r\n"));
    EXPECT_EQ(read_to_end(pair.client.get()), "speak TLS");
    pair.client.reset();
    EXPECT_EQ(echoed.get(), "invalid: plain HTTP");
}

TEST_F(TlsPeerTest, IsRefusedWhenItSpeaksNonsense) {
    auto pair = tcp_pair();
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), ec().context()));
    // A record of five bytes that are no hello.
    ASSERT_TRUE(send_all(pair.client.get(), std::string_view("\x16\x03\x01\0\5hello", 10)));
    EXPECT_EQ(echoed.get().substr(0, 14), "invalid: TLS: ");
}

TEST_F(TlsPeerTest, MayGoAwayBeforeItSaysAnything) {
    auto pair = tcp_pair();
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), ec().context()));
    pair.client.reset();
    EXPECT_EQ(echoed.get(), "cancelled: the peer went away");
}

TEST_F(TlsPeerTest, IsRefusedBelowTheMinimumVersion) {
    auto pair = tcp_pair();
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), ec().context("tls1.3")));
    TlsClient client(pair.client.get(), TLS1_2_VERSION);
    EXPECT_FALSE(client.handshake());
    EXPECT_EQ(echoed.get(), "invalid: TLS: unsupported protocol");
}

// OpenSSL's security level forbids both, at either end.
TEST_F(TlsPeerTest, SpeaksOldVersionsOnlyWhereTheyAreAskedForByName) {
    struct Case {
        const char* minimum;
        int version;
        bool good;
    };
    for (const Case& c :
         {Case{"tls1.0", TLS1_VERSION, true}, Case{"tls1.0", TLS1_1_VERSION, true},
          Case{"tls1.0", TLS1_3_VERSION, true}, Case{"tls1.1", TLS1_1_VERSION, true},
          Case{"tls1.1", TLS1_VERSION, false}, Case{"tls1.2", TLS1_1_VERSION, false},
          Case{"tls1.2", TLS1_VERSION, false}, Case{"", TLS1_1_VERSION, false}}) {
        for (const auto* certificate : {&rsa(), &ec()}) {
            SCOPED_TRACE(c.minimum + std::to_string(c.version));
            auto pair = tcp_pair();
            auto echoed = begin(
                loop(), echo(loop(), std::move(pair.server), certificate->context(c.minimum)));
            TlsClient client(pair.client.get(), c.version);
            SSL_set_security_level(client.get(), 0);
            EXPECT_EQ(client.handshake(), c.good);
            if (c.good) {
                EXPECT_TRUE(client.write("abc"));
                EXPECT_EQ(client.read_exactly(3), "abc");
                EXPECT_EQ(SSL_version(client.get()), c.version);
            }
            pair.client.reset();
            EXPECT_EQ(echoed.get(), c.good ? "" : "invalid: TLS: unsupported protocol");
        }
    }
}

TEST_F(TlsPeerTest, GetsTheCipherOfTheConfiguration) {
    auto options = ec().options();
    options.ciphersuites = {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                            "TLS_CHACHA20_POLY1305_SHA256"};
    const auto opened = TlsContext::open(options);
    ASSERT_TRUE(opened) << opened.error().detail;
    for (const auto& [version, cipher] :
         {std::pair(TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"),
          std::pair(TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256")}) {
        auto pair = tcp_pair();
        auto echoed = begin(loop(), echo(loop(), std::move(pair.server), *opened));
        TlsClient client(pair.client.get(), version);
        EXPECT_TRUE(client.handshake());
        EXPECT_STREQ(SSL_get_cipher_name(client.get()), cipher);
        EXPECT_TRUE(client.write("abc"));
        EXPECT_EQ(client.read_exactly(3), "abc");
        pair.client.reset();
        EXPECT_EQ(echoed.get(), "");
    }
}

TEST_F(TlsPeerTest, IsOfferedHttp11Only) {
    auto pair = tcp_pair();
    auto echoed = begin(loop(), echo(loop(), std::move(pair.server), ec().context()));
    TlsClient client(pair.client.get(), TLS1_3_VERSION);
    const unsigned char offered[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(client.get(), offered, sizeof offered - 1);
    ASSERT_TRUE(client.handshake());
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client.get(), &chosen, &size);
    EXPECT_EQ(std::string(chosen, chosen + size), "http/1.1");
    SSL_shutdown(client.get());
    pair.client.reset();
    EXPECT_EQ(echoed.get(), "");
}

// Takes all without waiting; the answer to the peer's next bytes brings what did not fit.
Task<std::string> try_then_read(Loop& loop, UniqueFd fd, TlsContextPtr tls, std::string big) {
    Stream stream(loop, std::move(fd), {}, std::move(tls));
    auto shaken = co_await stream.handshake();
    if (!shaken) co_return code_of(shaken);
    std::size_t taken = 0;
    const Bytes pieces[] = {as_bytes(big)};
    for (;;) {
        const auto step = stream.try_write(pieces);
        if (!step) co_return step.error().detail;
        if (*step == 0) break;
        if (*step != big.size()) co_return "took a part";
        taken += *step;
    }
    std::array<std::byte, 16> buffer;
    auto read = co_await stream.read_some(buffer);
    if (!read) co_return read.error().detail;
    co_return std::to_string(taken);
}

TEST_F(TlsPeerTest, GetsWhatATryDidNotSendWhileTheStreamReads) {
    auto pair = tcp_pair();
    const std::string big = pattern(100'000);
    auto tried = begin(loop(), try_then_read(loop(), std::move(pair.server), ec().context(), big));
    TlsClient client(pair.client.get(), TLS1_3_VERSION);
    ASSERT_TRUE(client.handshake());
    ::shutdown(pair.client.get(), SHUT_WR);
    std::string all;
    for (;;) {
        const auto next = client.read_exactly(big.size());
        all += next;
        if (next.size() < big.size()) break;
    }
    const auto outcome = tried.get();
    EXPECT_EQ(outcome, std::to_string(all.size()));
    EXPECT_TRUE(all.starts_with(big));
}

TEST(TlsContext, NamesTheFileThatIsWrong) {
    auto options = ec().options();
    options.key = rsa().options().key;
    EXPECT_EQ(
        TlsContext::open(options).error().detail,
        "TLS key " + options.key + " does not belong to the certificate " + options.certificate);
    options.key = "/nowhere/key.pem";
    EXPECT_TRUE(TlsContext::open(options).error().detail.starts_with("TLS key /nowhere/key.pem: "));
    options.certificate = "/nowhere/certificate.pem";
    EXPECT_TRUE(TlsContext::open(options).error().detail.starts_with(
        "TLS certificate /nowhere/certificate.pem: "));
}

TEST(TlsContext, TakesGosAndOpensslsNamesOfCiphers) {
    struct Case {
        std::vector<std::string> names;
        bool good;
    };
    for (const Case& c : {Case{{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}, true},
                          Case{{"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_AES_128_GCM_SHA256"}, true},
                          Case{{"TLS_NO_SUCH_SUITE"}, false}, Case{{"NO-SUCH-CIPHER"}, false}}) {
        auto options = ec().options();
        options.ciphersuites = c.names;
        const auto opened = TlsContext::open(options);
        EXPECT_EQ(opened.has_value(), c.good) << c.names.front();
    }
}

TEST(TlsContext, RefusesAnUnknownVersionAndAnEmptyChain) {
    auto options = ec().options();
    options.minimum = "ssl3";
    EXPECT_EQ(TlsContext::open(options).error().code, Errc::invalid);
    options = ec().options();
    const TemporaryDirectory directory;
    options.chain = directory.file("chain.pem");
    std::ofstream(options.chain) << "nothing\n";
    EXPECT_EQ(TlsContext::open(options).error().detail,
              "TLS chain " + options.chain + ": no certificate in it");
    options.chain = options.certificate;
    EXPECT_TRUE(TlsContext::open(options));
}

}  // namespace
}  // namespace berth::net
