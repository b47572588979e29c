// What a Registry works with, for the files that make it up.
#pragma once

#include <string>

#include "registry/pull_cache.h"
#include "registry/registry.h"

namespace berth::registry {

struct Registry::State {
    store::BlobStore& blobs;
    store::Index& index;
    ManifestCheck check;
    PullCache cache;
    bool references;  // of manifests, for events

    Result<ContentPtr> manifest(const RepositoryName& repository, const Reference& reference);
};

inline std::unexpected<Error> not_in(const RepositoryName& repository, std::string_view what,
                                     const std::string& name) {
    return fail(Errc::not_found,
                std::string(what) + " " + name + " is not in the repository " + repository.text());
}

// The whole of a stored blob, checked against its digest. Errc::corrupt when it is not what it
// should be, or not there.
Result<std::string> read_verified(const store::BlobStore& blobs, const Digest& digest,
                                  std::uint64_t size);

}  // namespace berth::registry
