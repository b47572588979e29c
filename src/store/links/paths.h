// Where registry:2's link files are: one function a path (links.h has the picture), and what is
// done with the folders of its tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/directory.h"
#include "oci/digest.h"
#include "oci/names.h"

namespace berth::store {

inline constexpr std::string_view kRepositoriesFolder = "docker/registry/v2/repositories";
inline constexpr std::string_view kLayersFolder = "_layers";
inline constexpr std::string_view kManifestsFolder = "_manifests";
inline constexpr std::string_view kLinkName = "link";

inline std::string join(std::string_view folder, std::string_view name) {
    return std::string(folder) + "/" + std::string(name);
}

inline std::string repository_folder(const oci::RepositoryName& repository) {
    return join(kRepositoriesFolder, repository.text());
}
inline std::string layers_folder(const oci::RepositoryName& repository) {
    return join(repository_folder(repository), kLayersFolder);
}
inline std::string revisions_folder(const oci::RepositoryName& repository) {
    return join(repository_folder(repository), "_manifests/revisions");
}
inline std::string tags_folder(const oci::RepositoryName& repository) {
    return join(repository_folder(repository), "_manifests/tags");
}
// The clients' half uploads.
inline std::string uploads_folder(const oci::RepositoryName& repository) {
    return join(repository_folder(repository), "_uploads");
}

// `folder` is one of layers, revisions, or a tag's index.
inline std::string digest_link(std::string_view folder, const oci::Digest& digest) {
    return std::string(folder) + "/" + std::string(name_of(digest.algorithm())) + "/" +
           std::string(digest.hex()) + "/" + std::string(kLinkName);
}
inline std::string current_link(const oci::RepositoryName& repository, std::string_view tag) {
    return tags_folder(repository) + "/" + std::string(tag) + "/current/" + std::string(kLinkName);
}

// A folder that is not there is empty.
Result<std::vector<io::Entry>> list_if_there(const io::Directory& directory, std::string_view path);

// Removes a folder with all that is in it, or a file. Symbolic links go, and not what they stand
// for.
Result<void> remove_tree(io::Directory& directory, std::string_view path);

// Is the error one of this file, which another try would not mend: a broken sector, or something
// else than a file in its place? Otherwise it is one of the machine or of rights.
bool is_damage(const Error& error);

}  // namespace berth::store
