// TLS for listeners: the certificate, and one connection's TLS state.
//
// OpenSSL reads straight from the socket. What it writes is collected, so that many records leave
// in one system call: its own socket BIO would make one call for every 16 KiB.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/peer.h"

namespace berth::net {

// What is asked of clients, by registry:2's names for it.
enum class ClientAuth {
    request,             // request-client-cert: any or none; one that proves nothing is no identity
    require_any,         // require-any-client-cert: the same, but one must be shown
    verify_if_given,     // verify-client-cert-if-given
    require_and_verify,  // require-and-verify-client-cert
};

struct TlsOptions {
    std::string certificate;  // PEM file: the certificate, and its chain behind it
    std::string chain;        // PEM file with the chain; empty: none
    std::string key;          // PEM file
    std::string minimum = "tls1.2";
    std::vector<std::string> ciphersuites;  // Go's or OpenSSL's names; empty: OpenSSL's choice
    // PEM files: who signs clients' certificates. Each certificate in them is trusted as it is,
    // also one that is not a root, as Go does it. Empty: nobody is asked for a certificate.
    std::vector<std::string> client_cas;
    ClientAuth client_auth = ClientAuth::require_and_verify;
};

// Immutable after opening; shared by all connections of a listener. Sessions resume only within one
// context: what was verified by the client CAs of another counts for nothing in this one.
class TlsContext {
  public:
    // Errors name the file and what is wrong with it.
    static Result<std::shared_ptr<TlsContext>> open(const TlsOptions& options);
    SSL_CTX* get() const { return context_.get(); }
    // The end of the server's own certificate.
    Time expires() const;

  private:
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
};

// The TLS state of one socket. Never blocks; the stream waits for the socket.
class TlsSession {
  public:
    // `fd` stays the caller's, is non-blocking, and outlives the session.
    TlsSession(const TlsContext& context, int fd);
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    // `want_read`: call readable() when the socket is, and try again.
    enum class Status { done, want_read, closed, failed };
    Status handshake();
    // As much as is there; `count` is how many bytes came.
    Status read(MutableBytes out, std::size_t& count);
    // The socket may have new bytes: without this the session does not ask it again after it came
    // out empty, which saves a system call that would only say so.
    void readable() { drained_ = false; }
    // Encrypts into output(). Small pieces share a record.
    Status write(std::span<const Bytes> pieces);
    // Adds the end to output().
    void close_notify();
    // Ciphertext that waits to be sent; the caller removes what it sent.
    std::string& output() { return output_; }
    // After the handshake: the client's certificate, if it was verified. Null: it was not, or there
    // is none.
    std::shared_ptr<const PeerCertificate> peer_certificate() const;
    // Of the call that failed last; ask before anything else on this thread uses OpenSSL.
    std::string error() const;

  private:
    friend struct TlsBio;
    Status status_of(int result);
    Status write_record(Bytes bytes);

    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    int fd_;
    bool drained_ = false;
    std::string output_;
    std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace berth::net
