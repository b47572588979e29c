// Goal: dial() reaches every kind of peer, and each way in which a peer can fail is an error of the
// right code within the time given. Method: real listeners on this machine and certificates made on
// the spot; times are short where they have to pass, and long where they must not.
#include "net/dial.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>
#include <functional>
#include <future>
#include <thread>

#include "base/release.h"
#include "support/local_server.h"
#include "support/temporary_directory.h"
#include "unit/net/authority.h"
#include "unit/net/net_support.h"

namespace berth::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong(60'000);
constexpr milliseconds kShort(40);

void echo(int fd) {
    std::array<char, 4096> bytes{};
    for (;;) {
        const auto count = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (count <= 0 || !send_all(fd, {bytes.data(), static_cast<std::size_t>(count)})) return;
    }
}

// Takes all and says nothing, until the other side goes.
void keep_silent(int fd) {
    read_to_end(fd);
}

DialOptions to(const std::string& address) {
    return {.address = address,
            .tls = std::nullopt,
            .connect_timeout = kLong,
            .read_timeout = kLong,
            .write_timeout = kLong};
}

std::string read_exactly(Connection& connection, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const auto got =
            connection.read_some(std::as_writable_bytes(std::span(bytes).subspan(done)));
        if (!got || *got == 0) break;
        done += *got;
    }
    bytes.resize(done);
    return bytes;
}

Result<std::size_t> read_one(Connection& connection) {
    std::array<std::byte, 16> bytes{};
    return connection.read_some(bytes);
}

void expect_echo(const DialOptions& options) {
    const auto connection = dial(options);
    ASSERT_TRUE(connection) << connection.error().detail;
    const auto written = (*connection)->write_all(as_bytes("ping"));
    ASSERT_TRUE(written) << written.error().detail;
    EXPECT_EQ(read_exactly(**connection, 4), "ping");
}

template <class T>
void expect_error(const Result<T>& result, Errc code, const std::string& part) {
    ASSERT_FALSE(result);
    EXPECT_EQ(name_of(result.error().code), name_of(code));
    EXPECT_NE(result.error().detail.find(part), std::string::npos) << result.error().detail;
}

TEST(Dial, SpeaksOverIpv4) {
    const auto server = LocalServer::tcp(echo);
    expect_echo(to(server.address()));
}

TEST(Dial, SpeaksOverIpv6) {
    const auto server = LocalServer::tcp6(echo);
    expect_echo(to(server.address()));
}

TEST(Dial, SpeaksOverAUnixSocket) {
    const TemporaryDirectory directory;
    const auto server = LocalServer::unix_path(directory.file("socket"), echo);
    expect_echo(to(server.address()));
}

// Where the name has an IPv6 address too, nobody listens there.
TEST(Dial, TriesEveryAddressOfAName) {
    const auto server = LocalServer::tcp(echo);
    expect_echo(to("localhost:" + server.port()));
    expect_echo(to(":" + server.port()));
}

TEST(Dial, CarriesMuch) {
    const auto server = LocalServer::tcp([](int fd) {
        const auto bytes = net::read_exactly(fd, 8 << 20);
        send_all(fd, bytes);
    });
    const auto connection = dial(to(server.address()));
    ASSERT_TRUE(connection) << connection.error().detail;
    const auto bytes = pattern(8 << 20);
    ASSERT_TRUE((*connection)->write_all(as_bytes(bytes)));
    EXPECT_EQ(read_exactly(**connection, bytes.size()), bytes);
}

TEST(Dial, RefusesWhatIsNoAddress) {
    for (const std::string address : {"", "host", "host:", "::1:80", "unix:"})
        expect_error(dial(to(address)), Errc::invalid, address + ": ");
    expect_error(dial(to("unix:" + std::string(200, 'x'))), Errc::invalid, "107 bytes");
}

TEST(Dial, NobodyListens) {
    std::string address;
    {
        const auto server = LocalServer::tcp(echo);
        address = server.address();
    }
    expect_error(dial(to(address)), Errc::unavailable, address + ": Connection refused");
    const TemporaryDirectory directory;
    expect_error(dial(to("unix:" + directory.file("none"))), Errc::unavailable, "No such file");
}

TEST(Dial, AHostThatDoesNotExist) {
    expect_error(dial(to("no-such-host.invalid:6379")), Errc::unavailable,
                 "no-such-host.invalid:6379: ");
}

// A listener whose queue has one place, which is taken.
TEST(Dial, NobodyAcceptsOverTcp) {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* address = reinterpret_cast<sockaddr*>(&name);
    ASSERT_EQ(::bind(listener.get(), address, size), 0);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    ASSERT_EQ(::getsockname(listener.get(), address, &size), 0);
    const UniqueFd first(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(first.get(), address, size), 0);

    auto options = to("127.0.0.1:" + std::to_string(ntohs(name.sin_port)));
    options.connect_timeout = kShort;
    expect_error(dial(options), Errc::unavailable, "no answer in time");
}

TEST(Dial, NobodyAcceptsOnAUnixSocket) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("socket");
    const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    const auto* address = reinterpret_cast<const sockaddr*>(&name);
    ASSERT_EQ(::bind(listener.get(), address, sizeof name), 0);
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    const UniqueFd first(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(first.get(), address, sizeof name), 0);

    auto options = to("unix:" + path);
    options.connect_timeout = kShort;
    expect_error(dial(options), Errc::unavailable, "no answer in time");
}

TEST(Dial, APeerThatIsSilentCostsTheReadTimeout) {
    const auto server = LocalServer::tcp(keep_silent);
    auto options = to(server.address());
    options.read_timeout = kShort;
    const auto connection = dial(options);
    ASSERT_TRUE(connection);
    expect_error(read_one(**connection), Errc::unavailable, "no answer in time");
}

TEST(Dial, APeerThatTakesNothingCostsTheWriteTimeout) {
    std::promise<void> end;
    const auto server = LocalServer::tcp([&end](int) { end.get_future().wait(); });
    auto options = to(server.address());
    options.write_timeout = kShort;
    const auto connection = dial(options);
    ASSERT_TRUE(connection);
    const std::string much(64 << 20, 'x');
    expect_error((*connection)->write_all(as_bytes(much)), Errc::unavailable, "no answer in time");
    end.set_value();
}

TEST(Dial, TheEndByThePeerIsAReadOfNothing) {
    const auto server = LocalServer::tcp([](int fd) { send_all(fd, "bye"); });
    const auto connection = dial(to(server.address()));
    ASSERT_TRUE(connection);
    EXPECT_EQ(read_exactly(**connection, 3), "bye");
    const auto end = read_one(**connection);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, 0U);
}

TEST(Dial, APeerThatHasClosedIsKnownBehindUnreadBytes) {
    std::promise<void> end;
    const auto server = LocalServer::tcp([&end](int fd) {
        send_all(fd, "bye");
        end.get_future().wait();
    });
    const auto connection = dial(to(server.address()));
    ASSERT_TRUE(connection);
    EXPECT_FALSE((*connection)->is_closed());
    end.set_value();
    while (!(*connection)->is_closed())
        std::this_thread::yield();
    EXPECT_EQ(read_exactly(**connection, 3), "bye");
}

TEST(Dial, WritingToAPeerThatHasGoneIsAnErrorAndNoSignal) {
    std::signal(SIGPIPE, SIG_DFL);
    const auto server = LocalServer::tcp([](int) {});
    const auto connection = dial(to(server.address()));
    ASSERT_TRUE(connection);
    const auto end = read_one(**connection);
    ASSERT_TRUE(end);
    Result<void> written;
    while (written)
        written = (*connection)->write_all(as_bytes("is anybody there?"));
    EXPECT_EQ(name_of(written.error().code), name_of(Errc::unavailable));
}

// A TLS server for one certificate, and the authority behind it.
class DialTlsTest : public testing::Test {
  protected:
    struct Seen {
        std::string server_name;
        std::string client;  // its certificate's CN
    };
    // What is served after the handshake.
    using Serve = std::function<void(SSL*)>;

    static void echo_tls(SSL* ssl) {
        std::array<char, 4096> bytes{};
        for (;;) {
            const int count = SSL_read(ssl, bytes.data(), static_cast<int>(bytes.size()));
            if (count <= 0) return;
            SSL_write(ssl, bytes.data(), count);
        }
    }

    DialTlsTest() {
        // OpenSSL's own socket BIO, which the server has, writes without MSG_NOSIGNAL.
        std::signal(SIGPIPE, SIG_IGN);
        authority_.write_certificate(file("ca.pem"));
        serve_as(issue(authority_, {.alternative_names = {{GEN_DNS, "localhost"}, loopback()}}));
    }

    static Name loopback() { return {GEN_IPADD, std::string("\x7f\0\0\x01", 4)}; }

    std::string file(const std::string& name) const { return directory_.file(name); }

    void serve_as(const Pair& pair) {
        pair.write_certificate(file("server.pem"));
        pair.write_key(file("server.key"));
        context_.reset(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_use_certificate_file(context_.get(), file("server.pem").c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(context_.get(), file("server.key").c_str(), SSL_FILETYPE_PEM);
    }

    LocalServer::Serve over_tls(Serve serve) {
        return [this, serve = std::move(serve)](int fd) {
            const std::unique_ptr<SSL, Release<SSL_free>> ssl(SSL_new(context_.get()));
            SSL_set_fd(ssl.get(), fd);
            if (SSL_accept(ssl.get()) != 1) return;
            note(ssl.get());
            serve(ssl.get());
        };
    }

    void note(SSL* ssl) {
        if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
            seen_.server_name = name;
        const X509* client = SSL_get0_peer_certificate(ssl);
        if (client == nullptr) return;
        std::array<char, 64> text{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, text.data(),
                                  static_cast<int>(text.size()));
        seen_.client = text.data();
    }

    DialOptions options(const std::string& address) const {
        auto options = to(address);
        options.tls = DialTls{.ca = file("ca.pem"), .certificate = {}, .key = {}};
        return options;
    }

    // Of the server, which is another thread: to be read after its end.
    Seen seen_;
    std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>> context_;
    const Pair authority_ = make_authority("Test authority");

  private:
    TemporaryDirectory directory_;
};

TEST_F(DialTlsTest, ANameIsSentAndVerified) {
    {
        const auto server = LocalServer::tcp(over_tls(echo_tls));
        expect_echo(options("localhost:" + server.port()));
    }
    EXPECT_EQ(seen_.server_name, "localhost");
}

TEST_F(DialTlsTest, AnAddressIsVerifiedAndNoNameIsSent) {
    {
        const auto server = LocalServer::tcp(over_tls(echo_tls));
        expect_echo(options(server.address()));
    }
    EXPECT_EQ(seen_.server_name, "");
}

TEST_F(DialTlsTest, OnAUnixSocketTheChainAloneIsVerified) {
    const TemporaryDirectory directory;
    const auto server = LocalServer::unix_path(directory.file("socket"), over_tls(echo_tls));
    expect_echo(options(server.address()));
}

TEST_F(DialTlsTest, CarriesMuch) {
    const auto server = LocalServer::tcp(over_tls([](SSL* ssl) {
        std::string bytes(4 << 20, '\0');
        for (std::size_t done = 0; done < bytes.size();) {
            std::size_t count = 0;
            if (SSL_read_ex(ssl, bytes.data() + done, bytes.size() - done, &count) != 1) return;
            done += count;
        }
        std::size_t count = 0;
        SSL_write_ex(ssl, bytes.data(), bytes.size(), &count);
    }));
    const auto connection = dial(options(server.address()));
    ASSERT_TRUE(connection) << connection.error().detail;
    const auto bytes = pattern(4 << 20);
    ASSERT_TRUE((*connection)->write_all(as_bytes(bytes)));
    EXPECT_EQ(read_exactly(**connection, bytes.size()), bytes);
}

TEST_F(DialTlsTest, RefusesACertificateForAnotherName) {
    serve_as(issue(authority_, {.alternative_names = {{GEN_DNS, "redis.example.org"}}}));
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    expect_error(dial(options("localhost:" + server.port())), Errc::denied, "ostname mismatch");
    expect_error(dial(options(server.address())), Errc::denied, "IP address mismatch");
}

TEST_F(DialTlsTest, RefusesACertificateThatHasExpired) {
    serve_as(
        issue(authority_, {.alternative_names = {{GEN_DNS, "localhost"}}, .valid_seconds = -60}));
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    expect_error(dial(options("localhost:" + server.port())), Errc::denied, "has expired");
}

TEST_F(DialTlsTest, RefusesAnAuthorityThatIsNotTrusted) {
    make_authority("Somebody else").write_certificate(file("other.pem"));
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    auto wanted = options(server.address());
    wanted.tls->ca = file("other.pem");
    expect_error(dial(wanted), Errc::denied, "certificate");
    wanted.tls->ca.clear();  // the system's
    expect_error(dial(wanted), Errc::denied, "certificate");
}

TEST_F(DialTlsTest, AServersOwnCertificateMayBeTheAuthority) {
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    auto wanted = options(server.address());
    wanted.tls->ca = file("server.pem");
    expect_echo(wanted);
}

TEST_F(DialTlsTest, VerifiesNothingWhereThatIsWanted) {
    serve_as(issue(make_authority("Somebody else"), "whoever"));
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    auto wanted = options(server.address());
    wanted.tls->verify = false;
    expect_echo(wanted);
}

TEST_F(DialTlsTest, ShowsItsOwnCertificate) {
    const Pair client = issue(authority_, "berth");
    client.write_certificate(file("client.pem"));
    client.write_key(file("client.key"));
    SSL_CTX_load_verify_file(context_.get(), file("ca.pem").c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    {
        const auto server = LocalServer::tcp(over_tls(echo_tls));
        auto wanted = options(server.address());
        wanted.tls->certificate = file("client.pem");
        wanted.tls->key = file("client.key");
        expect_echo(wanted);
    }
    EXPECT_EQ(seen_.client, "berth");
}

// In TLS 1.3 the server says so only after the client's side of the handshake.
TEST_F(DialTlsTest, AServerThatWantsACertificateDoesNotSpeakWithoutOne) {
    SSL_CTX_load_verify_file(context_.get(), file("ca.pem").c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    const auto connection = dial(options(server.address()));
    ASSERT_TRUE(connection) << connection.error().detail;
    expect_error(read_one(**connection), Errc::unavailable, "certificate required");
}

TEST_F(DialTlsTest, RefusesFilesThatCannotBeUsed) {
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    auto wanted = options(server.address());
    wanted.tls->ca = file("none.pem");
    expect_error(dial(wanted), Errc::invalid, "none.pem");
    wanted = options(server.address());
    wanted.tls->certificate = file("ca.pem");
    wanted.tls->key = file("server.key");  // of another certificate
    expect_error(dial(wanted), Errc::invalid, "server.key");
}

TEST_F(DialTlsTest, RefusesVersionsBefore12) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), TLS1_1_VERSION);
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    expect_error(dial(options(server.address())), Errc::unavailable, "TLS: ");
}

TEST_F(DialTlsTest, AHandshakeThatDoesNotEndCostsTheConnectTimeout) {
    const auto server = LocalServer::tcp(keep_silent);
    auto wanted = options(server.address());
    wanted.connect_timeout = kShort;
    expect_error(dial(wanted), Errc::unavailable, "no answer in time");
}

TEST_F(DialTlsTest, AHandshakeThatIsCutIsAnError) {
    const auto server = LocalServer::tcp([](int fd) { net::read_exactly(fd, 1); });
    expect_error(dial(options(server.address())), Errc::unavailable, "");
}

TEST_F(DialTlsTest, APeerThatSpeaksNoTlsIsAnError) {
    const auto server = LocalServer::tcp([](int fd) {
        send_all(fd, "-ERR unknown command\r\n");
        keep_silent(fd);
    });
    expect_error(dial(options(server.address())), Errc::unavailable, "TLS: ");
}

TEST_F(DialTlsTest, APeerThatIsSilentCostsTheReadTimeout) {
    const auto server = LocalServer::tcp(over_tls(echo_tls));
    auto wanted = options(server.address());
    wanted.read_timeout = kShort;
    const auto connection = dial(wanted);
    ASSERT_TRUE(connection) << connection.error().detail;
    expect_error(read_one(**connection), Errc::unavailable, "no answer in time");
}

TEST_F(DialTlsTest, AProperEndIsAReadOfNothing) {
    const auto server = LocalServer::tcp(over_tls([](SSL* ssl) { SSL_shutdown(ssl); }));
    const auto connection = dial(options(server.address()));
    ASSERT_TRUE(connection) << connection.error().detail;
    const auto end = read_one(**connection);
    ASSERT_TRUE(end) << end.error().detail;
    EXPECT_EQ(*end, 0U);
}

TEST_F(DialTlsTest, ACutIsNotTakenForAProperEnd) {
    const auto server = LocalServer::tcp(over_tls([](SSL*) {}));
    const auto connection = dial(options(server.address()));
    ASSERT_TRUE(connection) << connection.error().detail;
    expect_error(read_one(**connection), Errc::unavailable, "");
}

TEST_F(DialTlsTest, WritingToAPeerThatHasGoneIsAnErrorAndNoSignal) {
    const auto server = LocalServer::tcp(over_tls([](SSL*) {}));
    const auto connection = dial(options(server.address()));
    ASSERT_TRUE(connection) << connection.error().detail;
    Result<void> written;
    std::signal(SIGPIPE, SIG_DFL);
    while (written)
        written = (*connection)->write_all(as_bytes("is anybody there?"));
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(name_of(written.error().code), name_of(Errc::unavailable));
}

}  // namespace
}  // namespace berth::net
