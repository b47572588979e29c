#include "auth/token/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <array>
#include <optional>

#include "base/encoding.h"
#include "base/release.h"

namespace berth::auth {
namespace {

constexpr int kRsaBitsMin = 2048, kRsaBitsMax = 8192;
constexpr std::size_t kEd25519Bytes = 32;

using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

struct Curve {
    std::string_view crv;  // RFC 7518, 6.2.1.1
    const char* group;     // OpenSSL's name
    std::size_t bytes;     // of a coordinate
    Algorithm algorithm;   // the only one that fits (RFC 7518, 3.4)
};
constexpr std::array<Curve, 3> kCurves = {{{"P-256", "prime256v1", 32, Algorithm::es256},
                                           {"P-384", "secp384r1", 48, Algorithm::es384},
                                           {"P-521", "secp521r1", 66, Algorithm::es512}}};

constexpr Algorithms kRsa = only(Algorithm::rs256) | only(Algorithm::rs384) |
                            only(Algorithm::rs512) | only(Algorithm::ps256) |
                            only(Algorithm::ps384) | only(Algorithm::ps512);

const unsigned char* data_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* data_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string sha256(std::string_view text) {
    std::string hash(SHA256_DIGEST_LENGTH, '\0');
    SHA256(data_of(text), text.size(), data_of(hash));
    return hash;
}

std::unexpected<Error> broken() {
    return fail(Errc::invalid, "a key is broken");
}

std::string number_of(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
    const Number owned(number);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, data_of(bytes));
    return bytes;
}

bool is_odd_and_not_one(std::string_view number) {
    if (number.empty() || !(static_cast<unsigned char>(number.back()) & 1)) return false;
    return number.size() > 1 || number.back() != 1;
}

Result<Json> rsa_members(const EVP_PKEY* key) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
        return fail(Errc::unsupported, "an RSA key has " + std::to_string(bits) +
                                           " bits; it must have " + std::to_string(kRsaBitsMin) +
                                           " to " + std::to_string(kRsaBitsMax));
    }
    const std::string n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
    const std::string e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
    // With an exponent of 1 every text would be its own signature.
    if (!is_odd_and_not_one(n) || !is_odd_and_not_one(e)) return broken();
    return Json{
        {"kty", "RSA"}, {"n", base64url_encode(as_bytes(n))}, {"e", base64url_encode(as_bytes(e))}};
}

const Curve* curve_of(const EVP_PKEY* key) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1) return nullptr;
    for (const Curve& curve : kCurves) {
        if (std::string_view(group.data(), length) == curve.group) return &curve;
    }
    return nullptr;
}

// `number` in `width` bytes, with leading zeros.
std::string padded(std::string number, std::size_t width) {
    if (number.size() < width) number.insert(0, width - number.size(), '\0');
    return number;
}

Json ec_members(const EVP_PKEY* key, const Curve& curve) {
    const std::string x = padded(number_of(key, OSSL_PKEY_PARAM_EC_PUB_X), curve.bytes);
    const std::string y = padded(number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y), curve.bytes);
    return Json{{"kty", "EC"},
                {"crv", curve.crv},
                {"x", base64url_encode(as_bytes(x))},
                {"y", base64url_encode(as_bytes(y))}};
}

Result<Json> ed25519_members(const EVP_PKEY* key) {
    std::string bytes(kEd25519Bytes, '\0');
    std::size_t length = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key, data_of(bytes), &length) != 1) return broken();
    return Json{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", base64url_encode(as_bytes(bytes))}};
}

// A member that must be a text.
std::optional<std::string_view> text_member(const Json& jwk, const char* name) {
    const auto found = jwk.find(name);
    if (found == jwk.end() || !found->is_string()) return std::nullopt;
    return std::string_view(found->get_ref<const std::string&>());
}

// A member that is base64url. Empty where it is missing or broken.
std::string bytes_member(const Json& jwk, const char* name) {
    const auto text = text_member(jwk, name);
    return text ? base64url_decode(*text).value_or("") : "";
}

KeyPtr built(const char* type, OSSL_PARAM_BLD* builder) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
        return nullptr;
    }
    return KeyPtr(key, EVP_PKEY_free);
}

KeyPtr rsa_key(const Json& jwk) {
    const std::string n = bytes_member(jwk, "n"), e = bytes_member(jwk, "e");
    if (n.empty() || e.empty() || n.size() > kRsaBitsMax / 8 || e.size() > 8) return nullptr;
    const Number modulus(BN_bin2bn(data_of(n), static_cast<int>(n.size()), nullptr));
    const Number exponent(BN_bin2bn(data_of(e), static_cast<int>(e.size()), nullptr));
    const Builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    return built("RSA", builder.get());
}

KeyPtr ec_key(const Json& jwk, const Curve& curve) {
    const std::string x = bytes_member(jwk, "x"), y = bytes_member(jwk, "y");
    if (x.size() != curve.bytes || y.size() != curve.bytes) return nullptr;
    const std::string point = "\x04" + x + y;  // uncompressed
    const Builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                     point.size());
    KeyPtr key = built("EC", builder.get());
    if (!key) return nullptr;
    // The point must lie on the curve.
    const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    return check && EVP_PKEY_public_check(check.get()) == 1 ? key : nullptr;
}

KeyPtr ed25519_key(const Json& jwk) {
    const std::string x = bytes_member(jwk, "x");
    if (x.size() != kEd25519Bytes) return nullptr;
    return KeyPtr(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data_of(x), x.size()),
                  EVP_PKEY_free);
}

// RFC 7517, 4.2 and 4.3: may it be used to verify?
bool is_for_signatures(const Json& jwk) {
    if (jwk.contains("use") && text_member(jwk, "use") != "sig") return false;
    const auto operations = jwk.find("key_ops");
    if (operations == jwk.end()) return true;
    if (!operations->is_array()) return false;
    for (const Json& operation : *operations) {
        if (operation == "verify") return true;
    }
    return false;
}

Result<KeyPtr> key_of(const Json& jwk) {
    const auto kty = text_member(jwk, "kty"), crv = text_member(jwk, "crv");
    KeyPtr key;
    if (kty == "RSA") {
        key = rsa_key(jwk);
    } else if (kty == "OKP" && crv == "Ed25519") {
        key = ed25519_key(jwk);
    } else {
        const Curve* curve = nullptr;
        for (const Curve& each : kCurves) {
            if (kty == "EC" && crv == each.crv) curve = &each;
        }
        if (!curve) return fail(Errc::unsupported, "a key is of a kind that is not used here");
        key = ec_key(jwk, *curve);
    }
    if (!key) return broken();
    return key;
}

}  // namespace

Result<PublicKey> PublicKey::from(KeyPtr key) {
    PublicKey made;
    if (EVP_PKEY_is_a(key.get(), "RSA")) {
        BERTH_TRY(made.jwk_, rsa_members(key.get()));
        made.algorithms_ = kRsa;
    } else if (EVP_PKEY_is_a(key.get(), "ED25519")) {
        BERTH_TRY(made.jwk_, ed25519_members(key.get()));
        made.algorithms_ = only(Algorithm::eddsa);
    } else {
        const Curve* curve = EVP_PKEY_is_a(key.get(), "EC") ? curve_of(key.get()) : nullptr;
        if (!curve) return fail(Errc::unsupported, "a key is of a kind that is not used here");
        made.jwk_ = ec_members(key.get(), *curve);
        made.algorithms_ = only(curve->algorithm);
    }
    made.key_ = std::move(key);
    // Json's members are sorted, and it writes no spaces: the form that RFC 7638 hashes.
    const std::string hash = sha256(made.jwk_.dump());
    made.thumbprint_ = base64url_encode(as_bytes(hash));
    return made;
}

Result<PublicKey> PublicKey::parse_jwk(const Json& jwk) {
    if (!jwk.is_object()) return broken();
    if (!is_for_signatures(jwk)) return fail(Errc::unsupported, "a key is for another use");
    BERTH_TRY(KeyPtr key, key_of(jwk));
    BERTH_TRY(PublicKey made, from(std::move(key)));
    if (!jwk.contains("alg")) return made;
    const auto algorithm = parse_algorithm(text_member(jwk, "alg").value_or(""));
    if (!algorithm || !(made.algorithms_ & only(*algorithm))) {
        return fail(Errc::unsupported, "a key is for another algorithm");
    }
    return made.limited(only(*algorithm));
}

std::string PublicKey::docker_id() const {
    unsigned char* der = nullptr;
    const int length = i2d_PUBKEY(key_.get(), &der);
    if (length < 0) return {};
    const std::string hash =
        sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
    OPENSSL_free(der);
    constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    constexpr std::size_t kBytes = 30, kGroup = 4;
    std::string id;
    unsigned bits = 0, count = 0;
    std::size_t letters = 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
        bits = (bits << 8 | static_cast<unsigned char>(hash[i])) & 0xffff;
        for (count += 8; count >= 5; count -= 5) {
            if (letters > 0 && letters % kGroup == 0) id += ':';
            id += kBase32[bits >> (count - 5) & 31];
            ++letters;
        }
    }
    return id;
}

PublicKey PublicKey::limited(Algorithms algorithms) const {
    PublicKey copy = *this;
    copy.algorithms_ &= algorithms;
    return copy;
}

bool PublicKey::verifies(Algorithm algorithm, std::string_view signed_text,
                         std::string_view signature) const {
    if (!(algorithms_ & only(algorithm))) return false;
    std::string der;
    if (const std::size_t width = ecdsa_width(algorithm)) {
        der = ecdsa_to_der(signature, width);
        if (der.empty()) return false;
        signature = der;
    }
    const MdContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;  // the context's
    return context &&
           EVP_DigestVerifyInit(context.get(), &parameters, digest_of(algorithm), nullptr,
                                key_.get()) == 1 &&
           set_padding(parameters, algorithm) &&
           EVP_DigestVerify(context.get(), data_of(signature), signature.size(),
                            data_of(signed_text), signed_text.size()) == 1;
}

std::string ecdsa_to_der(std::string_view raw, std::size_t width) {
    if (raw.size() != 2 * width) return {};
    const int bytes = static_cast<int>(width);
    Number r(BN_bin2bn(data_of(raw), bytes, nullptr));
    Number s(BN_bin2bn(data_of(raw.substr(width)), bytes, nullptr));
    const Signature signature(ECDSA_SIG_new());
    if (!signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    unsigned char* der = nullptr;
    const int length = i2d_ECDSA_SIG(signature.get(), &der);
    if (length < 0) return {};
    std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return text;
}

std::string ecdsa_from_der(std::string_view der, std::size_t width) {
    const unsigned char* data = data_of(der);
    const Signature signature(d2i_ECDSA_SIG(nullptr, &data, static_cast<long>(der.size())));
    if (!signature) return {};
    std::string raw(2 * width, '\0');
    const int bytes = static_cast<int>(width);
    if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), data_of(raw), bytes) != bytes ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), data_of(raw) + width, bytes) != bytes) {
        return {};
    }
    return raw;
}

const EVP_MD* digest_of(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::rs256:
        case Algorithm::ps256:
        case Algorithm::es256:
            return EVP_sha256();
        case Algorithm::rs384:
        case Algorithm::ps384:
        case Algorithm::es384:
            return EVP_sha384();
        case Algorithm::rs512:
        case Algorithm::ps512:
        case Algorithm::es512:
            return EVP_sha512();
        case Algorithm::eddsa:
            break;
    }
    return nullptr;
}

std::size_t ecdsa_width(Algorithm algorithm) {
    for (const Curve& curve : kCurves) {
        if (curve.algorithm == algorithm) return curve.bytes;
    }
    return 0;
}

bool set_padding(EVP_PKEY_CTX* context, Algorithm algorithm) {
    if (!(only(algorithm) &
          (only(Algorithm::ps256) | only(Algorithm::ps384) | only(Algorithm::ps512)))) {
        return true;
    }
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest_of(algorithm)) == 1;
}

}  // namespace berth::auth
