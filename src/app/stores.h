// The stores of a data directory, opened as a Config says: for the server, and for the commands
// that look into it from beside.
#pragma once

#include <memory>

#include "app/config.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "io/directory.h"
#include "metrics/metrics.h"
#include "registry/adoption.h"
#include "registry/registry.h"
#include "store/blob/blob_store.h"
#include "store/cache/descriptor_cache.h"
#include "store/index/index.h"

namespace berth::app {

// Where Berth keeps its own files under the storage root.
inline constexpr const char* kIndexPath = "berth/index.db";
inline constexpr const char* kLockPath = "berth/lock";

// Destroyed in the reverse order.
struct Stores {
    std::unique_ptr<io::Directory> directory;
    std::unique_ptr<store::BlobStore> blobs;
    std::unique_ptr<store::Index> index;
    std::unique_ptr<registry::Adoption> adoption;  // of what registry:2 has left; not started
    std::unique_ptr<registry::Registry> registry;
};

// Opens, and makes what is missing. `clock` outlives the stores, and so do the metrics and the
// descriptors, which may be null. The server holds the directory's lock before it calls this.
Result<Stores> open_stores(const Config& config, const Clock& clock,
                           registry::AdoptionOptions adoption = {},
                           metrics::Metrics* metrics = nullptr,
                           store::DescriptorCache* descriptors = nullptr);

// The cache of descriptors that is configured; null: none is. All arguments but the configuration
// outlive it; the metrics may be null.
std::unique_ptr<store::DescriptorCache> open_descriptors(const Config& config, const Clock& clock,
                                                         Logger& log, metrics::Metrics* metrics);

// distribution's name for where the blobs are.
std::string driver_of(const StorageConfig& storage);

// The same for looking only: Errc::not_found when there is no registry in the directory yet,
// Errc::unavailable when not all is taken over that registry:2 has left in it, Errc::unsupported
// when the configuration keeps everything in a server's memory.
Result<Stores> open_existing_stores(const Config& config, const Clock& clock);

}  // namespace berth::app
