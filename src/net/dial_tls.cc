#include "net/dial_tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <new>
#include <utility>

#include "base/release.h"
#include "net/openssl.h"

namespace berth::net {

namespace {

using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Release<SSL_free>>;
using Until = DialSocket::Until;

// Between OpenSSL and the socket: its own socket BIO would raise SIGPIPE.
struct SocketBio {
    static DialSocket& socket(BIO* bio) { return *static_cast<DialSocket*>(BIO_get_data(bio)); }
    static bool is_passing() { return errno == EAGAIN || errno == EINTR; }

    static int read(BIO* bio, char* out, int length) {
        BIO_clear_retry_flags(bio);
        const auto room = std::as_writable_bytes(std::span(out, static_cast<std::size_t>(length)));
        const auto count = socket(bio).receive(room);
        if (count < 0 && is_passing()) BIO_set_retry_read(bio);
        if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return static_cast<int>(count);
    }
    static int write(BIO* bio, const char* bytes, int length) {
        BIO_clear_retry_flags(bio);
        const auto count = socket(bio).send(as_bytes({bytes, static_cast<std::size_t>(length)}));
        if (count < 0 && is_passing()) BIO_set_retry_write(bio);
        return static_cast<int>(count);
    }
    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }
    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dial");
            BIO_meth_set_read(method, read);
            BIO_meth_set_write(method, write);
            BIO_meth_set_ctrl(method, control);
            return method;
        }();
        return made;
    }
};

std::unexpected<Error> unusable(const std::string& file) {
    return fail(Errc::invalid, file + ": " + openssl_error());
}

Result<void> use_authorities(SSL_CTX* context, const DialTls& tls) {
    if (!tls.verify) return {};
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (tls.ca.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1) return unusable("system authorities");
        return {};
    }
    if (SSL_CTX_load_verify_file(context, tls.ca.c_str()) != 1) return unusable(tls.ca);
    // Each certificate of the file is trusted as it is, also one that is not a root.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    return {};
}

Result<void> use_own_certificate(SSL_CTX* context, const DialTls& tls) {
    if (tls.certificate.empty()) return {};
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, tls.certificate.c_str()) != 1)
        return unusable(tls.certificate);
    if (SSL_CTX_use_PrivateKey_file(context, tls.key.c_str(), SSL_FILETYPE_PEM) != 1)
        return unusable(tls.key);
    return {};
}

Result<Context> make_context(const DialTls& tls) {
    ERR_clear_error();
    Context context(SSL_CTX_new(TLS_client_method()));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    BERTH_CHECK(use_authorities(context.get(), tls));
    BERTH_CHECK(use_own_certificate(context.get(), tls));
    return context;
}

bool is_ip(const std::string& host) {
    in6_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Whom to ask for, and whom to expect.
void name_peer(SSL* ssl, const std::string& host) {
    if (host.empty()) return;
    if (is_ip(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
        return;
    }
    // SSL_set_tlsext_host_name() casts the old way.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host.c_str()));
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
}

class TlsConnection final : public Connection {
  public:
    TlsConnection(Context context, DialSocket socket, const DialOptions& options)
        : socket_(std::move(socket)),
          context_(std::move(context)),
          ssl_(SSL_new(context_.get())),
          read_timeout_(options.read_timeout),
          write_timeout_(options.write_timeout) {
        BIO* bio = BIO_new(SocketBio::method());
        if (!ssl_ || bio == nullptr) throw std::bad_alloc();
        BIO_set_data(bio, &socket_);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_.get(), bio, bio);
    }
    ~TlsConnection() override {
        if (healthy_) SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    TlsConnection(const TlsConnection&) = delete;
    TlsConnection& operator=(const TlsConnection&) = delete;

    Result<void> handshake(const std::string& host, Deadline deadline) {
        name_peer(ssl_.get(), host);
        const auto done = repeat(deadline, [this] { return SSL_connect(ssl_.get()); });
        if (done) return {};
        const auto verified = SSL_get_verify_result(ssl_.get());
        if (verified == X509_V_OK || SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE)
            return done;
        return fail(Errc::denied, std::string("the certificate is not accepted: ") +
                                      X509_verify_cert_error_string(verified));
    }

    Result<std::size_t> read_some(MutableBytes out) override {
        std::size_t count = 0;
        BERTH_CHECK(repeat(std::chrono::steady_clock::now() + read_timeout_, [&] {
            return SSL_read_ex(ssl_.get(), out.data(), out.size(), &count);
        }));
        return count;
    }

    Result<void> write_all(Bytes bytes) override {
        if (bytes.empty()) return {};
        std::size_t count = 0;
        return repeat(std::chrono::steady_clock::now() + write_timeout_,
                      [&] { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count); });
    }

    bool is_closed() const override { return socket_.is_closed(); }

  private:
    // Does `step` again for as long as it has to wait for the socket. Its end by the peer is no
    // error.
    template <class Step>
    Result<void> repeat(Deadline deadline, const Step& step) {
        for (;;) {
            ERR_clear_error();
            errno = 0;
            const int result = step();
            if (result == 1) return {};
            const int os_errno = errno;
            const int why = SSL_get_error(ssl_.get(), result);
            if (why == SSL_ERROR_ZERO_RETURN && SSL_is_init_finished(ssl_.get()) == 1) return {};
            if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
                return broken(why, os_errno);
            const auto waited = socket_.wait(
                why == SSL_ERROR_WANT_READ ? Until::readable : Until::writable, deadline);
            if (!waited) {
                healthy_ = false;
                return waited;
            }
        }
    }

    std::unexpected<Error> broken(int why, int os_errno) {
        healthy_ = false;
        if (why == SSL_ERROR_SYSCALL && os_errno != 0) {
            return fail(Errc::unavailable, std::generic_category().message(os_errno), os_errno);
        }
        return fail(Errc::unavailable, "TLS: " + openssl_error());
    }

    DialSocket socket_;
    Context context_;
    Ssl ssl_;
    std::chrono::milliseconds read_timeout_;
    std::chrono::milliseconds write_timeout_;
    bool healthy_ = true;
};

}  // namespace

Result<std::unique_ptr<Connection>> secure(DialSocket socket, const DialOptions& options,
                                           const std::string& host, Deadline deadline) {
    BERTH_TRY(auto context, make_context(*options.tls));
    auto connection =
        std::make_unique<TlsConnection>(std::move(context), std::move(socket), options);
    BERTH_CHECK(connection->handshake(host, deadline));
    return connection;
}

}  // namespace berth::net
