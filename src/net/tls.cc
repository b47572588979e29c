#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

#include "net/openssl.h"
#include "net/peer_certificate.h"

namespace berth::net {

namespace {

// The most that one record holds (RFC 8446, 5.1).
constexpr std::size_t kRecordBytes = 16 << 10;

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

std::shared_ptr<const PeerCertificate> TlsSession::peer_certificate() const {
    const X509* shown = SSL_get0_peer_certificate(ssl_.get());
    if (shown == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return nullptr;
    return std::make_shared<const PeerCertificate>(read_certificate(*shown));
}

std::string TlsSession::error() const {
    if (ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return openssl_error();
    }
    ERR_clear_error();
    const auto result = SSL_get_verify_result(ssl_.get());
    return std::string("certificate verify failed: ") + X509_verify_cert_error_string(result);
}

}  // namespace berth::net
