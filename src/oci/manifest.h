// Manifest: what a registry must understand of an image manifest or an image index.
//
// Parsed once, when it is pushed; the exact bytes are what is stored and served, this is only read.
// Fields that a registry has no use for are ignored (image-spec: "unknown properties MUST be
// ignored"). Hostile input is expected: nesting, count of descriptors and size are bounded; JSON
// with duplicate keys, with numbers that do not fit or with invalid UTF-8 is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"

namespace berth::oci {

inline constexpr std::size_t kManifestBytesMax = 4u << 20;
inline constexpr std::size_t kManifestDescriptorsMax = 20'000;
inline constexpr std::size_t kManifestDepthMax = 64;

struct Platform {
    std::string architecture;
    std::string os;
};

// image-spec descriptor.md
struct Descriptor {
    std::string media_type;
    Digest digest;
    std::uint64_t size = 0;
    std::vector<std::string> urls;
    std::string artifact_type;         // empty: none
    std::string annotations;           // the JSON object as text; empty: none
    std::optional<Platform> platform;  // of an index's children
};

struct Manifest {
    std::string media_type;
    std::string artifact_type;  // as written; empty: none
    std::string annotations;    // the JSON object as text; empty: none
    std::optional<Descriptor> subject;

    // Of an image manifest.
    std::optional<Descriptor> config;
    std::vector<Descriptor> layers;

    // Of an index.
    std::vector<Descriptor> manifests;

    // What the referrers API shows: artifactType, else the config's media type; for an index only
    // the former (distribution-spec, "Listing Referrers").
    std::string effective_artifact_type() const;
};

// `content_type` is the request's header, possibly with parameters; empty: the `mediaType` inside
// counts, and an OCI document without one is told apart by its fields. Errors: Errc::invalid with
// what is wrong and where; Errc::too_large above kManifestBytesMax; Errc::unsupported for a media
// type that is not a manifest's, schema 1 included.
Result<Manifest> parse_manifest(std::string_view content_type, std::string_view json);

// The descriptors that a manifest consists of (config and layers, or an index's manifests) as a
// JSON array, without what they may embed; empty for what is no JSON object or has none.
std::string format_references(std::string_view manifest);

// One descriptor of a referrers answer, as JSON.
struct Referrer {
    std::string media_type;
    Digest digest;
    std::uint64_t size = 0;
    std::string artifact_type;  // empty: left out
    std::string annotations;    // a JSON object; empty: left out
};

// The image index that answers a referrers request.
std::string format_referrers(const std::vector<Referrer>& referrers);

}  // namespace berth::oci
