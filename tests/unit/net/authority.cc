#include "unit/net/authority.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>

namespace berth::net {

namespace {

using File = std::unique_ptr<FILE, decltype(&::fclose)>;

const unsigned char* bytes_of(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void add_extension(X509* certificate, int nid, const char* value) {
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
}

void add_alternative_names(X509* certificate, const Subject& subject) {
    if (subject.alternative_names.empty()) return;
    GENERAL_NAMES* names = GENERAL_NAMES_new();
    for (const Name& wanted : subject.alternative_names) {
        ASN1_STRING* text =
            wanted.type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
        ASN1_STRING_set(text, wanted.bytes.data(), static_cast<int>(wanted.bytes.size()));
        GENERAL_NAME* name = GENERAL_NAME_new();
        GENERAL_NAME_set0_value(name, wanted.type, text);
        sk_GENERAL_NAME_push(names, name);
    }
    for (int i = 0; i < (subject.names_twice ? 2 : 1); ++i)
        X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND);
    GENERAL_NAMES_free(names);
}

Pair make(const Subject& subject) {
    static std::atomic<long> serial{1};
    Pair made{X509Ptr(X509_new()), KeyPtr(EVP_EC_gen("P-256"))};
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -10 * 86'400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), subject.valid_seconds);
    X509_set_pubkey(certificate, made.key.get());
    for (const Name& name : subject.common_names) {
        EXPECT_EQ(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             name.type, bytes_of(name.bytes),
                                             static_cast<int>(name.bytes.size()), -1, 0),
                  1);
    }
    add_alternative_names(certificate, subject);
    return made;
}

void sign(const Pair& made, const X509* issuer, EVP_PKEY* key) {
    X509_set_issuer_name(made.certificate.get(), X509_get_subject_name(issuer));
    EXPECT_GT(X509_sign(made.certificate.get(), key, EVP_sha256()), 0);
}

}  // namespace

void Pair::write_certificate(const std::string& path) const {
    const File file(::fopen(path.c_str(), "w"), ::fclose);
    PEM_write_X509(file.get(), certificate.get());
}

void Pair::write_key(const std::string& path) const {
    const File file(::fopen(path.c_str(), "w"), ::fclose);
    PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

Pair make_authority(const std::string& name) {
    Pair made = make({.common_names = {{V_ASN1_UTF8STRING, name}}});
    add_extension(made.certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    sign(made, made.certificate.get(), made.key.get());
    return made;
}

Pair issue(const Pair& authority, const Subject& subject) {
    Pair made = make(subject);
    sign(made, authority.certificate.get(), authority.key.get());
    return made;
}

Pair issue(const Pair& authority, const std::string& common_name) {
    return issue(authority, Subject{.common_names = {{V_ASN1_UTF8STRING, common_name}}});
}

}  // namespace berth::net
