#include "auth/token/signing_key.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <span>

#include "auth/keyed_hash.h"
#include "auth/token/public_key.h"
#include "base/encoding.h"

namespace berth::auth {
namespace {

constexpr unsigned kRsaBits = 3072;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using MdContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::unexpected<Error> unfit() {
    return fail(Errc::invalid, "tokens are signed by ES256, RS256 or EdDSA");
}

// An encrypted key must not make OpenSSL ask at the terminal.
int no_password(char*, int, int, void*) {
    return 0;
}

// The algorithm that a key signs with; an RSA key could do with several.
std::optional<Algorithm> signing_algorithm(const PublicKey& key) {
    for (const Algorithm each : {Algorithm::es256, Algorithm::rs256, Algorithm::eddsa}) {
        if (key.algorithms() & only(each)) return each;
    }
    return std::nullopt;
}

}  // namespace

struct SigningKey::State {
    KeyPtr key;
    PublicKey half;
    Algorithm algorithm;
};

SigningKey::SigningKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<SigningKey> SigningKey::make(std::string_view algorithm) {
    EVP_PKEY* made = nullptr;
    if (algorithm == name_of(Algorithm::es256)) {
        made = EVP_EC_gen("P-256");
    } else if (algorithm == name_of(Algorithm::rs256)) {
        made = EVP_RSA_gen(kRsaBits);
    } else if (algorithm == name_of(Algorithm::eddsa)) {
        made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    } else {
        return unfit();
    }
    KeyPtr key(made, EVP_PKEY_free);
    if (!key) return fail(Errc::io, "OpenSSL could not make a key");
    BERTH_TRY(const PublicKey half, PublicKey::from(key));
    const auto fitting = signing_algorithm(half);
    return SigningKey(std::make_shared<State>(State{std::move(key), half, *fitting}));
}

Result<SigningKey> SigningKey::parse(std::string_view pem) {
    const NoErrorsLeft cleared;
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
    if (!key) return fail(Errc::invalid, "not a private key in PEM form without a password");
    const auto half = PublicKey::from(key);
    if (!half) return fail(Errc::invalid, half.error().detail);
    const auto fitting = signing_algorithm(*half);
    if (!fitting) return unfit();
    return SigningKey(std::make_shared<State>(State{std::move(key), *half, *fitting}));
}

std::string SigningKey::pem() const {
    const Bio bio(BIO_new(BIO_s_secmem()), &BIO_free);
    PEM_write_bio_PKCS8PrivateKey(bio.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                  nullptr);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

const std::string& SigningKey::id() const {
    return state_->half.thumbprint();
}

std::string_view SigningKey::algorithm() const {
    return name_of(state_->algorithm);
}

std::string SigningKey::public_jwk() const {
    Json jwk = state_->half.jwk();
    jwk["kid"] = id();
    jwk["alg"] = algorithm();
    jwk["use"] = "sig";
    return jwk.dump();
}

std::string SigningKey::sign(std::string_view text) const {
    const MdContext context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())), '\0');
    std::size_t length = signature.size();
    const bool is_signed =
        EVP_DigestSignInit(context.get(), nullptr, digest_of(state_->algorithm), nullptr,
                           state_->key.get()) == 1 &&
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                       data, text.size()) == 1;
    // Never, short of exhausted memory; what verifies nothing then does no harm.
    if (!is_signed) return {};
    signature.resize(length);
    const std::size_t width = ecdsa_width(state_->algorithm);
    return width > 0 ? ecdsa_from_der(signature, width) : signature;
}

std::string SigningKey::mark(std::string_view text) const {
    constexpr std::string_view kPurpose = "berth: mark of an account";
    unsigned char* der = nullptr;
    const int length = i2d_PrivateKey(state_->key.get(), &der);
    std::string secret(kPurpose);
    if (length > 0) {
        secret.append(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
        OPENSSL_clear_free(der, static_cast<std::size_t>(length));
    }
    std::array<std::byte, SHA256_DIGEST_LENGTH> key{};
    SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
           reinterpret_cast<unsigned char*>(key.data()));
    OPENSSL_cleanse(secret.data(), secret.size());
    const KeyedHash hash = KeyedHasher(key)(text);
    OPENSSL_cleanse(key.data(), key.size());
    return base64url_encode(std::as_bytes(std::span(hash)));
}

}  // namespace berth::auth
