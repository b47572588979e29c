// The media types that mean something to a registry, and the ones of foreign layers.
#pragma once

#include <string_view>

namespace berth::oci {

inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerManifestList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerSchema1 =
    "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view kDockerSchema1Signed =
    "application/vnd.docker.distribution.manifest.v1+prettyjws";

// The type without its parameters (`; charset=utf-8`) and the white space around it. Case is kept.
std::string_view strip_parameters(std::string_view content_type);

bool is_manifest(std::string_view media_type);  // an image manifest of OCI's or Docker's kind
bool is_index(std::string_view media_type);     // an image index or a manifest list
bool is_schema1(std::string_view media_type);
// Layers that may live outside of the registry: OCI's nondistributable and Docker's foreign ones.
bool is_foreign_layer(std::string_view media_type);

}  // namespace berth::oci
