// What a Registry works with, for the files that make it up.
#pragma once

#include <string>

#include "registry/adoption.h"
#include "registry/pull_cache.h"
#include "registry/registry.h"

namespace berth::registry {

struct Registry::State {
    store::BlobStore& blobs;
    store::Index& index;
    ManifestCheck check;
    PullCache cache;
    bool references;                      // of manifests, for events
    Adoption* adoption;                   // null: nothing is to be taken over
    store::DescriptorCache* descriptors;  // null: the index alone is asked

    // First of all that has to do with a repository: the index has the truth about it then.
    Result<void> ensure(const RepositoryName& repository) const {
        return adoption ? adoption->ensure(repository) : Result<void>();
    }
    // The same before a change that can make the repository.
    Result<void> ensure_for_push(const RepositoryName& repository) const {
        return adoption ? adoption->ensure_for_push(repository) : Result<void>();
    }
    Result<ContentPtr> manifest(const RepositoryName& repository, const Reference& reference);
    // IndexReader::find_blob(), asked of `descriptors` first. `version` is of the repository.
    Result<std::optional<std::uint64_t>> find_blob(const RepositoryName& repository,
                                                   const Digest& digest, std::uint64_t version);
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
