// DescriptorCache: which repository may serve which blob, and how large it is, remembered outside
// of the process (configuration: redis, storage.cache.blobdescriptor).
//
// Never the truth: the index is. An entry is believed only when this process wrote it and nothing
// was forgotten since: all its keys carry a random epoch, made anew at the start and whenever the
// removal of an entry could not be confirmed. Thread-safe and blocking: called from pools.
#pragma once

#include <cstdint>
#include <optional>

#include "oci/digest.h"
#include "oci/names.h"

namespace berth::store {

class DescriptorCache {
  public:
    virtual ~DescriptorCache() = default;

    // The blob's size; nullopt: not known here (also while the cache cannot be reached).
    virtual std::optional<std::uint64_t> find(const oci::RepositoryName& repository,
                                              const oci::Digest& digest) = 0;
    // Best effort.
    virtual void put(const oci::RepositoryName& repository, const oci::Digest& digest,
                     std::uint64_t size) = 0;
    // When it returns, find() does not find what was put before.
    virtual void forget(const oci::RepositoryName& repository, const oci::Digest& digest) = 0;
};

}  // namespace berth::store
