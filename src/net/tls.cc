#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

namespace berth::net {

namespace {

// Several records come with one recv; the buffer is given back when it is empty.
constexpr std::size_t kReadBufferBytes = 64 << 10;

// The most that one record holds (RFC 8446, 5.1).
constexpr std::size_t kRecordBytes = 16 << 10;

std::string openssl_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : "error " + std::to_string(code);
}

// What TLS 1.3 prefers where the configuration names nothing: AES-128 costs less and is as good as
// any.
constexpr const char* kSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

// Go's names, as registry:2's config.yml has them, for the ciphers of TLS 1.2 that OpenSSL calls
// otherwise.
const std::map<std::string, std::string>& go_ciphers() {
    static const std::map<std::string, std::string> names{
        {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
        {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
        {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
        {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
        {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
        {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
        {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
        {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
        {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
        {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
        {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
        {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    };
    return names;
}

Result<int> protocol_version(const std::string& name) {
    if (name == "tls1.0") return TLS1_VERSION;
    if (name == "tls1.1") return TLS1_1_VERSION;
    if (name == "tls1.2" || name.empty()) return TLS1_2_VERSION;
    if (name == "tls1.3") return TLS1_3_VERSION;
    return fail(Errc::invalid, "unknown TLS version \"" + name + "\": use tls1.2 or tls1.3");
}

Result<void> use_ciphers(SSL_CTX* context, const std::vector<std::string>& names) {
    std::string tls12;
    std::string tls13;
    for (const auto& name : names) {
        const auto go = go_ciphers().find(name);
        const bool is_tls13 = go == go_ciphers().end() && name.starts_with("TLS_");
        auto& list = is_tls13 ? tls13 : tls12;
        if (!list.empty()) list += ':';
        list += go == go_ciphers().end() ? name : go->second;
    }
    if (!tls12.empty() && SSL_CTX_set_cipher_list(context, tls12.c_str()) != 1) {
        return fail(Errc::invalid, "no known cipher among " + tls12);
    }
    if (tls13.empty()) tls13 = kSuites;
    if (SSL_CTX_set_ciphersuites(context, tls13.c_str()) != 1) {
        return fail(Errc::invalid, "an unknown cipher suite among " + tls13);
    }
    return {};
}

Result<void> add_chain(SSL_CTX* context, const std::string& path) {
    std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
    if (!file) return fail(Errc::not_found, "TLS chain " + path + ": " + openssl_error());
    int count = 0;
    while (X509* certificate = PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)) {
        if (SSL_CTX_add0_chain_cert(context, certificate) != 1) {
            X509_free(certificate);
            return fail(Errc::invalid, "TLS chain " + path + ": " + openssl_error());
        }
        ++count;
    }
    ERR_clear_error();
    if (count == 0) return fail(Errc::invalid, "TLS chain " + path + ": no certificate in it");
    return {};
}

// A server has nobody to ask: a key with a passphrase is an error, not a prompt.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length,
                    const unsigned char* offered, unsigned offered_length, void*) {
    static constexpr unsigned char kHttp11[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(&chosen, out_length, kHttp11, sizeof kHttp11 - 1,
                                             offered, offered_length);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

// The BIO between OpenSSL and the session: reads from the socket, writes into output().
struct TlsBio {
    static TlsSession& session(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }
    static int read(BIO* bio, char* out, int length) {
        BIO_clear_retry_flags(bio);
        TlsSession& self = session(bio);
        if (self.drained_) {
            BIO_set_retry_read(bio);
            return -1;
        }
        const auto count = ::recv(self.fd_, out, static_cast<std::size_t>(length), MSG_DONTWAIT);
        self.drained_ = count < length;
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
        if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return static_cast<int>(count);
    }
    static int write(BIO* bio, const char* bytes, int length) {
        session(bio).output_.append(bytes, static_cast<std::size_t>(length));
        return length;
    }
    static long control(BIO* bio, int command, long, void*) {
        if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }
    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "berth");
            BIO_meth_set_read(method, read);
            BIO_meth_set_write(method, write);
            BIO_meth_set_ctrl(method, control);
            return method;
        }();
        return made;
    }
};

Result<std::shared_ptr<TlsContext>> TlsContext::open(const TlsOptions& options) {
    auto made = std::make_shared<TlsContext>();
    made->context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = made->context_.get();
    if (context == nullptr) return fail(Errc::io, "TLS: " + openssl_error());

    // An end without close_notify is an end: HTTP's lengths say what is whole.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    // Sessions resume by tickets, which the client keeps: no cache here, no lock around it.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    static constexpr unsigned char kSessionContext[] = "berth";
    SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, kReadBufferBytes);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    BERTH_TRY(const int minimum, protocol_version(options.minimum));
    SSL_CTX_set_min_proto_version(context, minimum);
    // OpenSSL's default security level refuses TLS 1.0 and 1.1; whoever asks for them by name gets
    // them.
    if (minimum < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
    BERTH_CHECK(use_ciphers(context, options.ciphersuites));

    if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1) {
        return fail(Errc::invalid,
                    "TLS certificate " + options.certificate + ": " + openssl_error());
    }
    if (!options.chain.empty()) BERTH_CHECK(add_chain(context, options.chain));
    if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return fail(Errc::invalid, "TLS key " + options.key + ": " + openssl_error());
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return fail(Errc::invalid, "TLS key " + options.key +
                                       " does not belong to the certificate " +
                                       options.certificate);
    }
    return made;
}

TlsSession::TlsSession(const TlsContext& context, int fd) : fd_(fd), ssl_(SSL_new(context.get())) {
    BIO* bio = BIO_new(TlsBio::method());
    if (!ssl_ || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_accept_state(ssl_.get());
}

TlsSession::Status TlsSession::status_of(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_NONE:
            return Status::done;
        case SSL_ERROR_WANT_READ:
            return Status::want_read;
        case SSL_ERROR_ZERO_RETURN:
            return Status::closed;
        default:
            return Status::failed;
    }
}

TlsSession::Status TlsSession::handshake() {
    ERR_clear_error();
    return status_of(SSL_do_handshake(ssl_.get()));
}

TlsSession::Status TlsSession::read(MutableBytes out, std::size_t& count) {
    ERR_clear_error();
    count = 0;
    while (count < out.size()) {
        const auto rest = out.subspan(count);
        std::size_t got = 0;
        const int result = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &got);
        if (result != 1) {
            // What came before an error or the end counts; the next call says the rest.
            if (count > 0) break;
            return status_of(result);
        }
        count += got;
        if (drained_ && SSL_has_pending(ssl_.get()) == 0) break;
    }
    return Status::done;
}

TlsSession::Status TlsSession::write_record(Bytes bytes) {
    std::size_t written = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    return result == 1 ? Status::done : status_of(result);
}

TlsSession::Status TlsSession::write(std::span<const Bytes> pieces) {
    static thread_local std::array<std::byte, kRecordBytes> record;
    ERR_clear_error();
    std::size_t gathered = 0;
    for (Bytes piece : pieces) {
        while (!piece.empty()) {
            if (gathered == 0 && piece.size() >= record.size()) {
                const Bytes whole = piece.first(piece.size() - piece.size() % record.size());
                if (const auto status = write_record(whole); status != Status::done) return status;
                piece = piece.subspan(whole.size());
                continue;
            }
            const auto count = std::min(piece.size(), record.size() - gathered);
            std::memcpy(record.data() + gathered, piece.data(), count);
            piece = piece.subspan(count);
            gathered += count;
            if (gathered < record.size()) continue;
            if (const auto status = write_record(record); status != Status::done) return status;
            gathered = 0;
        }
    }
    return gathered == 0 ? Status::done : write_record(Bytes(record).first(gathered));
}

void TlsSession::close_notify() {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

std::string TlsSession::error() const {
    return openssl_error();
}

}  // namespace berth::net
