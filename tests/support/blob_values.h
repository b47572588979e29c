// What the blob store's tests share: names, digests, and how they look at a store.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "oci/hasher.h"
#include "store/blob/blob_store.h"

namespace berth::store {

inline oci::Digest sha256_of(std::string_view text) {
    return oci::digest_of(oci::Algorithm::sha256, as_bytes(text));
}

inline oci::RepositoryName repository_name() {
    return oci::RepositoryName::parse("library/alpine").value();
}

// The blob's bytes, or the name of the error.
inline std::string read_blob(const BlobStore& store, const oci::Digest& digest) {
    const auto blob = store.open(digest);
    if (!blob) return std::string(name_of(blob.error().code));
    std::string bytes(static_cast<std::size_t>(blob->size), '\0');
    const auto got = blob->file->read_at(0, std::as_writable_bytes(std::span(bytes)));
    return got && *got == bytes.size() ? bytes : "short";
}

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "ok" : std::string(name_of(result.error().code));
}

}  // namespace berth::store
