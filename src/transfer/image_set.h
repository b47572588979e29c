// ImageSet: the images of a registry that are to be exported, with all that belongs to them: what
// indexes name, what refers to them, and their blobs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "registry/registry.h"
#include "transfer/image_name.h"
#include "transfer/source.h"

namespace berth::transfer {

struct ChosenManifest {
    std::string media_type;
    std::uint64_t size = 0;
    bool is_child = false;  // an index of the set names it
};

struct ChosenRepository {
    std::vector<store::TagRecord> tags;
    std::vector<Digest> manifests;  // in byte order
};

struct ImageSet {
    std::map<RepositoryName, ChosenRepository> repositories;
    std::map<Digest, ChosenManifest> manifests;
    std::map<Digest, std::uint64_t> blobs;  // configurations and layers, with their sizes
};

// Errc::not_found for an image that is named and not there.
Result<ImageSet> choose_images(registry::Registry& registry, const store::IndexReader& index,
                               const Selection& selection);

}  // namespace berth::transfer
