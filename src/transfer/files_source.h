// FilesSource: a source whose bytes are files by digest, once somebody has found out which images
// they make up. OCI layouts, `docker save` and bundles are read so.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transfer/files.h"
#include "transfer/source.h"

namespace berth::transfer {

struct Contents {
    std::map<RepositoryName, SourceRepository> repositories;
    std::map<Digest, std::string> paths;     // of what is not at blob_file_path()
    std::map<Digest, SourceManifest> built;  // manifests that are in no file
    std::vector<Digest> needs;
};

// blobs/<algorithm>/<hex>, as in an OCI layout.
std::string blob_file_path(const Digest& digest);

std::unique_ptr<Source> make_files_source(std::shared_ptr<Files> files, Contents contents);

// The kinds. `fallback` is the repository of images whose names do not say it.
using Fallback = std::optional<RepositoryName>;

// An OCI layout (image-spec, image-layout.md). What index.json names, by the annotations
// org.opencontainers.image.ref.name (a tag, or repository:tag) or io.containerd.image.name.
Result<std::unique_ptr<Source>> open_layout(std::shared_ptr<Files> files, const Fallback& fallback,
                                            const Source::Report& report);
// What `docker save` and skopeo's docker-archive wrote: layers, configurations and a manifest.json.
// The manifests are made new, of Docker's schema 2.
Result<std::unique_ptr<Source>> open_docker_archive(std::shared_ptr<Files> files,
                                                    const Fallback& fallback,
                                                    const Source::Report& report);
// What `berth export --format bundle` wrote (bundle.h).
Result<std::unique_ptr<Source>> open_bundle(std::shared_ptr<Files> files);

}  // namespace berth::transfer
