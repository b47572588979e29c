// Short ways to digests, names and manifest records for tests of an index.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "store/index/index.h"

namespace berth::store {

// A digest that shows its number.
inline Digest digest_of(std::uint64_t number) {
    std::string hex = std::to_string(number);
    return Digest::parse("sha256:" + std::string(64 - hex.size(), '0') + hex).value();
}
inline RepositoryName repository_of(const std::string& name) {
    return RepositoryName::parse(name).value();
}
inline Tag tag_of(const std::string& name) {
    return Tag::parse(name).value();
}

inline ManifestRecord image_of(std::uint64_t number, std::vector<Digest> blobs = {}) {
    return {.digest = digest_of(number),
            .media_type = "application/vnd.oci.image.manifest.v1+json",
            .size = 100 + number,
            .artifact_type = {},
            .annotations = {},
            .subject = std::nullopt,
            .blobs = std::move(blobs),
            .manifests = {}};
}
inline ManifestRecord index_of(std::uint64_t number, std::vector<Digest> manifests) {
    ManifestRecord record = image_of(number);
    record.media_type = "application/vnd.oci.image.index.v1+json";
    record.manifests = std::move(manifests);
    return record;
}

}  // namespace berth::store
