#include "net/peer_certificate.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>

#include "base/control.h"

namespace berth::net {

namespace {

// Longer names than any that people or machines have; a certificate may hold 100 KB.
constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kNamesMax = 256;

unsigned char byte_of(char c) {
    return static_cast<unsigned char>(c);
}

// A NUL would end a name early for whoever reads it as a C string.
bool is_good(std::string_view name) {
    return !name.empty() && name.size() <= kNameBytesMax && !has_terminal_control(name);
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return byte_of(c) < 0x80; });
}

// Whatever string type it has, as UTF-8; nullopt for what is none.
std::optional<std::string> utf8_of(const ASN1_STRING* value) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, value);
    if (size < 0) return std::nullopt;
    std::string copy(text, text + size);
    OPENSSL_free(text);
    return copy;
}

std::string common_name_of(const X509_NAME* subject) {
    int last = -1;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        last = at;
    if (last < 0) return {};
    const auto name = utf8_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    return name && is_good(*name) ? *name : std::string();
}

std::vector<std::string>* place_of(PeerCertificate& read, int type) {
    switch (type) {
        case GEN_DNS:
            return &read.dns_names;
        case GEN_EMAIL:
            return &read.emails;
        case GEN_URI:
            return &read.uris;
        default:
            return nullptr;
    }
}

// An extension that is there twice, or is not well-formed, names nobody.
void add_alternative_names(const X509& certificate, PeerCertificate& read) {
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
        GENERAL_NAMES_free);
    const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
    for (int i = 0; i < count; ++i) {
        int type = -1;
        const auto* value = static_cast<const ASN1_STRING*>(
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
        auto* const place = place_of(read, type);
        if (place == nullptr || place->size() == kNamesMax) continue;
        const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(value));
        std::string name(text, static_cast<std::size_t>(ASN1_STRING_length(value)));
        if (is_good(name) && is_ascii(name)) place->push_back(std::move(name));
    }
}

}  // namespace

Time expiry_of(const X509& certificate) {
    std::tm when{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &when) != 1) return Time::min();
    return Time(std::chrono::seconds(::timegm(&when)));
}

PeerCertificate read_certificate(const X509& certificate) {
    PeerCertificate read;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) throw std::bad_alloc();
    read.fingerprint.assign(digest.data(), digest.data() + size);
    read.common_name = common_name_of(X509_get_subject_name(&certificate));
    add_alternative_names(certificate, read);
    read.expires = expiry_of(certificate);
    return read;
}

}  // namespace berth::net
