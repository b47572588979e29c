#include <openssl/x509_vfy.h>

#include "auth/token/trusted_keys.h"
#include "base/encoding.h"

namespace berth::auth {
namespace {

constexpr std::size_t kChainMax = 8;
// RSA keys of 2048 bits at least, and no SHA-1 (SSL_CTX_set_security_level(3)).
constexpr int kSecurityLevel = 2;

struct StackFree {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using Chain = std::unique_ptr<STACK_OF(X509), StackFree>;
using Store = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;
using Verification = std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)>;

std::unexpected<Error> broken() {
    return fail(Errc::unauthenticated, "the token's certificates are broken");
}

// Standard base64 of DER here, not base64url.
Result<Chain> parse_chain(const Json& x5c) {
    if (!x5c.is_array() || x5c.empty() || x5c.size() > kChainMax) return broken();
    Chain chain(sk_X509_new_null());
    for (const Json& entry : x5c) {
        if (!entry.is_string()) return broken();
        const auto der = base64_decode(entry.get_ref<const std::string&>());
        if (!der) return broken();
        const auto* data = reinterpret_cast<const unsigned char*>(der->data());
        const unsigned char* end = data + der->size();
        X509* certificate = d2i_X509(nullptr, &data, static_cast<long>(der->size()));
        if (!certificate) return broken();
        sk_X509_push(chain.get(), certificate);
        if (data != end) return broken();
    }
    return chain;
}

bool leads_to(X509_STORE* store, STACK_OF(X509) * chain, Time now) {
    const Verification verification(X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    if (!verification ||
        X509_STORE_CTX_init(verification.get(), store, sk_X509_value(chain, 0), chain) != 1) {
        return false;
    }
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(verification.get());
    // As with registry:2 every certificate of the bundle is trusted by itself, not only roots.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
    X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(kChainMax));
    X509_VERIFY_PARAM_set_time(
        parameters, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    return X509_verify_cert(verification.get()) == 1;
}

}  // namespace

Result<PublicKey> certified_key(const Json& x5c, const std::vector<Authority>& authorities,
                                Algorithm algorithm, Time now) {
    BERTH_TRY(const Chain chain, parse_chain(x5c));
    const Store store(X509_STORE_new(), &X509_STORE_free);
    for (const Authority& authority : authorities) {
        if (authority.algorithms & only(algorithm)) {
            X509_STORE_add_cert(store.get(), authority.certificate.get());
        }
    }
    if (!leads_to(store.get(), chain.get(), now)) {
        return fail(Errc::unauthenticated, "the token's certificate is not trusted");
    }
    EVP_PKEY* key = X509_get_pubkey(sk_X509_value(chain.get(), 0));
    if (!key) return broken();
    auto made = PublicKey::from(KeyPtr(key, EVP_PKEY_free));
    if (!made) return fail(Errc::unauthenticated, std::move(made.error().detail));
    return made;
}

}  // namespace berth::auth
