// DescriptorCache: which repository may serve which blob, and how large it is, remembered outside
// of the process (configuration: redis, storage.cache.blobdescriptor).
//
// Never the truth: the index is. An entry carries the version of its repository that was read
// before the index was asked, and answers only as long as that version stands. Every change of a
// repository moves its version before it is acknowledged, so nothing has to be removed: a removal
// that gets lost, an entry that is written late by somebody who asked the index before it, a
// snapshot that comes back, all leave entries that nobody believes.
//
// Thread-safe and blocking: called from pools.
#pragma once

#include <cstdint>
#include <optional>

#include "oci/digest.h"
#include "oci/names.h"

namespace berth::store {

class DescriptorCache {
  public:
    virtual ~DescriptorCache() = default;

    // The blob's size, if this process put it at this version (IndexReader::version) of the
    // repository; nullopt: not known here, or the cache cannot be reached.
    virtual std::optional<std::uint64_t> find(const oci::RepositoryName& repository,
                                              const oci::Digest& digest, std::uint64_t version) = 0;
    // Best effort. `version` was read before the index gave `size`.
    virtual void put(const oci::RepositoryName& repository, const oci::Digest& digest,
                     std::uint64_t version, std::uint64_t size) = 0;
};

}  // namespace berth::store
