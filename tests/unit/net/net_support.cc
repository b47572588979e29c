#include "unit/net/net_support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstdio>

namespace berth::net {

namespace {

using File = std::unique_ptr<FILE, decltype(&::fclose)>;

void set_non_blocking(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

SocketPair unix_pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    set_non_blocking(fds[0]);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

SocketPair tcp_pair() {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener.get(), name, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), name, &size), 0);
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), name, size), 0);
    UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return {std::move(server), std::move(client)};
}

std::string read_exactly(int fd, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const auto count = ::recv(fd, bytes.data() + done, size - done, 0);
        if (count <= 0) break;
        done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
}

std::string read_to_end(int fd) {
    std::string bytes;
    for (;;) {
        const std::string part = read_exactly(fd, 4096);
        bytes += part;
        if (part.size() < 4096) return bytes;
    }
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint32_t state = 1;
    for (char& byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    return bytes;
}

Certificate::Certificate(KeyKind kind) {
    EVP_PKEY* key = kind == KeyKind::rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
    const File certificate_file(::fopen(options().certificate.c_str(), "w"), ::fclose);
    PEM_write_X509(certificate_file.get(), certificate);
    const File key_file(::fopen(options().key.c_str(), "w"), ::fclose);
    PEM_write_PrivateKey(key_file.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

TlsOptions Certificate::options() const {
    TlsOptions options;
    options.certificate = directory_.file("certificate.pem");
    options.key = directory_.file("key.pem");
    return options;
}

std::shared_ptr<const TlsContext> Certificate::context(const std::string& minimum) const {
    auto wanted = options();
    wanted.minimum = minimum;
    auto opened = TlsContext::open(wanted);
    EXPECT_TRUE(opened) << opened.error().detail;
    return *opened;
}

std::shared_ptr<const TlsSource> Certificate::source() const {
    static const SystemClock clock;
    auto opened = TlsSource::open(options(), clock, [](LogLevel, const std::string&) {});
    EXPECT_TRUE(opened) << opened.error().detail;
    return *opened;
}

TlsClient::TlsClient(int fd, int version, SSL_SESSION* session)
    : context_(SSL_CTX_new(TLS_client_method())) {
    // OpenSSL's own socket BIO writes without MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd);
    SSL_set_connect_state(ssl_.get());
    if (session != nullptr) SSL_set_session(ssl_.get(), session);
}

bool TlsClient::handshake() {
    return SSL_do_handshake(ssl_.get()) == 1;
}

bool TlsClient::write(std::string_view bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string TlsClient::read_exactly(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        std::size_t count = 0;
        if (SSL_read_ex(ssl_.get(), bytes.data() + done, size - done, &count) != 1) break;
        done += count;
    }
    bytes.resize(done);
    return bytes;
}

bool TlsClient::ended_properly() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

}  // namespace berth::net
