#include "oci/media_type.h"

namespace berth::oci {

std::string_view strip_parameters(std::string_view content_type) {
    auto type = content_type.substr(0, content_type.find(';'));
    constexpr std::string_view kSpace = " \t";
    const auto begin = type.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return type.substr(begin, type.find_last_not_of(kSpace) - begin + 1);
}

bool is_manifest(std::string_view media_type) {
    return media_type == kOciManifest || media_type == kDockerManifest;
}

bool is_index(std::string_view media_type) {
    return media_type == kOciIndex || media_type == kDockerManifestList;
}

bool is_schema1(std::string_view media_type) {
    return media_type == kDockerSchema1 || media_type == kDockerSchema1Signed;
}

bool is_foreign_layer(std::string_view media_type) {
    return media_type.starts_with("application/vnd.oci.image.layer.nondistributable.v1.tar") ||
           media_type.starts_with("application/vnd.docker.image.rootfs.foreign.diff.tar");
}

}  // namespace berth::oci
