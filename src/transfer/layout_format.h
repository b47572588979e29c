// The words of an OCI layout, for those who read and write one (image-spec, image-layout.md).
#pragma once

#include <cstddef>

namespace berth::transfer {

inline constexpr const char* kLayoutFile = "oci-layout";
inline constexpr const char* kLayoutIndex = "index.json";
inline constexpr const char* kLayoutVersion = R"({"imageLayoutVersion":"1.0.0"})";
inline constexpr const char* kRefName = "org.opencontainers.image.ref.name";
inline constexpr const char* kContainerdName = "io.containerd.image.name";
// Ours: the repository of a manifest, tagged or not.
inline constexpr const char* kRepositoryAnnotation = "berth.repository";

// Ours, of an index.json: an export wrote it, and may write it again.
inline constexpr const char* kExportAnnotation = "berth.export";

// An index.json names every tag, so it may become longer than a manifest may.
inline constexpr std::size_t kLayoutIndexBytesMax = 256u << 20;
inline constexpr std::size_t kLayoutDepthMax = 16;

}  // namespace berth::transfer
