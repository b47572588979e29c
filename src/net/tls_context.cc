#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <map>
#include <new>
#include <tuple>

#include "base/release.h"
#include "net/openssl.h"
#include "net/peer_certificate.h"
#include "net/tls.h"

namespace berth::net {

namespace {

// Several records come with one recv; the buffer is given back when it is empty.
constexpr std::size_t kReadBufferBytes = 64 << 10;

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

using Certificates = std::vector<std::unique_ptr<X509, Release<X509_free>>>;

// All of a PEM file; a file that breaks off within one is an error. `what` it is, for the error.
Result<Certificates> read_certificates(const std::string& path, const std::string& what) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
    if (!file) return fail(Errc::not_found, what + " " + path + ": " + openssl_error());
    Certificates certificates;
    while (X509* next = PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr))
        certificates.emplace_back(next);
    const auto end = ERR_peek_last_error();
    if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
        return fail(Errc::invalid, what + " " + path + ": " + openssl_error());
    }
    ERR_clear_error();
    if (certificates.empty()) {
        return fail(Errc::invalid, what + " " + path + ": no certificate in it");
    }
    return certificates;
}

Result<void> add_chain(SSL_CTX* context, const std::string& path) {
    BERTH_TRY(const auto chain, read_certificates(path, "TLS chain"));
    for (const auto& certificate : chain) {
        if (SSL_CTX_add1_chain_cert(context, certificate.get()) == 1) continue;
        return fail(Errc::invalid, "TLS chain " + path + ": " + openssl_error());
    }
    return {};
}

// Goes on whatever comes out; SSL_get_verify_result() keeps it, also in the session's ticket.
int verify_leniently(X509_STORE_CTX* chain, void*) {
    if (X509_verify_cert(chain) != 1 && X509_STORE_CTX_get_error(chain) == X509_V_OK) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
    }
    return 1;
}

void ask_clients(SSL_CTX* context, ClientAuth how) {
    const bool required = how == ClientAuth::require_any || how == ClientAuth::require_and_verify;
    const bool lenient = how == ClientAuth::request || how == ClientAuth::require_any;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    if (lenient) SSL_CTX_set_cert_verify_callback(context, verify_leniently, nullptr);
}

// A session keeps the client's certificate and is not verified again when it resumes: one whose
// certificate has expired since must make a whole handshake.
SSL_TICKET_RETURN use_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t,
                             SSL_TICKET_STATUS status, void*) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    const X509* client = SSL_SESSION_get0_peer(session);
    if (client != nullptr && X509_cmp_current_time(X509_get0_notAfter(client)) <= 0) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

Result<void> use_client_cas(SSL_CTX* context, const TlsOptions& options) {
    if (options.client_cas.empty()) return {};
    X509_STORE* store = X509_STORE_new();
    if (store == nullptr) throw std::bad_alloc();
    // Not the context's own store: that one would complete the server's chain.
    SSL_CTX_set0_verify_cert_store(context, store);
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    for (const auto& path : options.client_cas) {
        BERTH_TRY(const auto authorities, read_certificates(path, "TLS client CA"));
        for (const auto& authority : authorities) {
            if (X509_STORE_add_cert(store, authority.get()) != 1 ||
                SSL_CTX_add_client_CA(context, authority.get()) != 1) {
                return fail(Errc::invalid, "TLS client CA " + path + ": " + openssl_error());
            }
        }
    }
    ask_clients(context, options.client_auth);
    SSL_CTX_set_session_ticket_cb(context, nullptr, use_ticket, nullptr);
    return {};
}

Result<void> use_own_certificate(SSL_CTX* context, const TlsOptions& options) {
    const auto& [certificate, key] = std::tie(options.certificate, options.key);
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
        return fail(Errc::invalid, "TLS certificate " + certificate + ": " + openssl_error());
    }
    if (!options.chain.empty()) BERTH_CHECK(add_chain(context, options.chain));
    const bool used = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
    const auto error = ERR_peek_last_error();
    const bool mismatch = used ? SSL_CTX_check_private_key(context) != 1
                               : ERR_GET_LIB(error) == ERR_LIB_X509 &&
                                     ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH;
    if (mismatch) {
        ERR_clear_error();
        return fail(Errc::invalid,
                    "TLS key " + key + " does not belong to the certificate " + certificate);
    }
    if (!used) return fail(Errc::invalid, "TLS key " + key + ": " + openssl_error());
    return {};
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

Result<std::shared_ptr<TlsContext>> TlsContext::open(const TlsOptions& options) {
    ERR_clear_error();
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
    BERTH_CHECK(use_own_certificate(context, options));
    BERTH_CHECK(use_client_cas(context, options));
    return made;
}

Time TlsContext::expires() const {
    return expiry_of(*SSL_CTX_get0_certificate(get()));
}

}  // namespace berth::net
