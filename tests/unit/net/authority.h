// Certificates of every kind, good and bad, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace berth::net {

struct FreeX509 {
    void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using X509Ptr = std::unique_ptr<X509, FreeX509>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

// A certificate and its key.
struct Pair {
    X509Ptr certificate;
    KeyPtr key;

    // As a PEM file, made anew or written over.
    void write_certificate(const std::string& path) const;
    void write_key(const std::string& path) const;
};

struct Name {
    int type = 0;  // of a CN: V_ASN1_…; of an alternative name: GEN_…
    std::string bytes;
};

struct Subject {
    std::vector<Name> common_names = {};
    std::vector<Name> alternative_names = {};
    long valid_seconds = 86'400;  // from now; negative: it has expired
    bool names_twice = false;     // the extension stands in it twice
};

// A key of P-256.
Pair make_authority(const std::string& name);
Pair issue(const Pair& authority, const Subject& subject);
// The same with a CN alone.
Pair issue(const Pair& authority, const std::string& common_name);

}  // namespace berth::net
