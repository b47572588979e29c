#include "auth/token/key_set.h"

#include <openssl/pem.h>

#include <optional>
#include <utility>

#include "auth/token/trusted_keys.h"

namespace berth::auth {
namespace {

constexpr std::size_t kJwksBytesMax = 1 << 20;
constexpr std::size_t kJsonDepthMax = 8;
constexpr std::size_t kKeysMax = 256;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

void add_named(KeySet::Keys& keys, const std::string& name, const PublicKey& key) {
    keys.named.emplace(name, key);
}

// The kid; nullopt where there is none.
Result<std::optional<std::string>> kid_of(const Json& jwk) {
    const auto found = jwk.find("kid");
    if (found == jwk.end()) return std::nullopt;
    if (!found->is_string()) return fail(Errc::invalid, "a key's kid is no text");
    return found->get<std::string>();
}

Result<void> add_jwk(KeySet::Keys& keys, const Json& jwk) {
    const auto key = PublicKey::parse_jwk(jwk);
    if (!key && key.error().code == Errc::unsupported) return {};
    if (!key) return std::unexpected(key.error());
    BERTH_TRY(const auto kid, kid_of(jwk));
    keys.all.push_back(*key);
    add_named(keys, key->thumbprint(), *key);
    if (kid && *kid != key->thumbprint()) add_named(keys, *kid, *key);
    return {};
}

Result<void> add_certificate(KeySet::Keys& keys, std::shared_ptr<X509> certificate) {
    EVP_PKEY* found = X509_get_pubkey(certificate.get());
    if (!found) return fail(Errc::invalid, "a certificate's key is broken");
    const auto key = PublicKey::from(KeyPtr(found, EVP_PKEY_free));
    if (key) {
        keys.all.push_back(*key);
        add_named(keys, key->thumbprint(), *key);
        add_named(keys, key->docker_id(), *key);
    } else if (key.error().code != Errc::unsupported) {
        return std::unexpected(key.error());
    }
    // An authority may have a key that signs certificates only.
    keys.authorities.push_back({std::move(certificate)});
    return {};
}

}  // namespace

KeySet::KeySet() : KeySet(Keys{}) {}

KeySet::KeySet(Keys keys) : keys_(std::make_shared<const Keys>(std::move(keys))) {}

Result<KeySet> KeySet::parse_jwks(std::string_view json) {
    if (json.size() > kJwksBytesMax) return fail(Errc::invalid, "the key set is too large");
    const NoErrorsLeft cleared;
    BERTH_TRY(const Json document, oci::parse_json(json, kJsonDepthMax));
    const auto list = document.is_object() ? document.find("keys") : document.end();
    if (list == document.end() || !list->is_array()) {
        return fail(Errc::invalid, "not a JSON Web Key Set: it has no list \"keys\"");
    }
    if (list->size() > kKeysMax) return fail(Errc::invalid, "the key set has too many keys");
    Keys keys;
    for (const Json& jwk : *list)
        BERTH_CHECK(add_jwk(keys, jwk));
    return KeySet(std::move(keys));
}

Result<KeySet> KeySet::parse_certificates(std::string_view pem) {
    if (pem.size() > kJwksBytesMax) return fail(Errc::invalid, "the certificates are too large");
    const NoErrorsLeft cleared;
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    Keys keys;
    for (;;) {
        ERR_clear_error();
        X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr);
        if (!certificate) break;
        BERTH_CHECK(add_certificate(keys, {certificate, X509_free}));
        if (keys.authorities.size() > kKeysMax) {
            return fail(Errc::invalid, "there are too many certificates");
        }
    }
    // That none is left is how reading ends; anything else is a broken one.
    const unsigned long end = ERR_peek_last_error();
    if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE) {
        return fail(Errc::invalid, "a certificate is broken");
    }
    if (keys.authorities.empty()) return fail(Errc::invalid, "there is no certificate in PEM form");
    return KeySet(std::move(keys));
}

KeySet KeySet::merged(const KeySet& other) const {
    Keys keys = *keys_;
    const Keys& more = *other.keys_;
    keys.all.insert(keys.all.end(), more.all.begin(), more.all.end());
    keys.named.insert(more.named.begin(), more.named.end());
    keys.authorities.insert(keys.authorities.end(), more.authorities.begin(),
                            more.authorities.end());
    return KeySet(std::move(keys));
}

bool KeySet::empty() const {
    return keys_->all.empty() && keys_->authorities.empty();
}

Result<KeySet> KeySet::limited(const std::vector<std::string>& algorithms) const {
    BERTH_TRY(const Algorithms allowed, parse_algorithms(algorithms));
    Keys keys = *keys_;
    for (PublicKey& key : keys.all)
        key = key.limited(allowed);
    for (auto& [name, key] : keys.named)
        key = key.limited(allowed);
    for (Authority& authority : keys.authorities)
        authority.algorithms &= allowed;
    return KeySet(std::move(keys));
}

}  // namespace berth::auth
