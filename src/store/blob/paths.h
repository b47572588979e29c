// Where the blob store's files are: one function a path. The blobs' paths are registry:2's own.
//
//     docker/registry/v2/blobs/<algorithm>/<2 hex digits>/<hex>/data
//     `---------------- fan-out --------------------´
//     `---------------- blob folder ----------------------´
//     berth/uploads/<uuid>
//     berth/uploads/<uuid>.state
#pragma once

#include <string>
#include <string_view>

#include "oci/digest.h"
#include "store/blob/blob_store.h"

namespace berth::store {

inline constexpr std::string_view kUploadsFolder = "berth/uploads";
inline constexpr std::string_view kStateSuffix = ".state";

inline std::string fan_out_path(const oci::Digest& digest) {
    return "docker/registry/v2/blobs/" + std::string(name_of(digest.algorithm())) + "/" +
           std::string(digest.hex().substr(0, 2));
}
inline std::string blob_folder_path(const oci::Digest& digest) {
    return fan_out_path(digest) + "/" + std::string(digest.hex());
}
inline std::string blob_path(const oci::Digest& digest) {
    return blob_folder_path(digest) + "/data";
}

inline std::string upload_data_path(const UploadId& id) {
    return std::string(kUploadsFolder) + "/" + id.text();
}
inline std::string upload_state_path(const UploadId& id) {
    return upload_data_path(id) + std::string(kStateSuffix);
}

}  // namespace berth::store
