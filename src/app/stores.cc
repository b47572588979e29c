#include "app/stores.h"

#include <filesystem>
#include <utility>

#include "io/measured_directory.h"
#include "store/index/sqlite_index.h"

namespace berth::app {

namespace {

registry::RegistryOptions registry_options(const Config& config) {
    const ValidationConfig& validation = config.validation;
    registry::RegistryOptions options;
    options.references = config.notifications.include_references;
    options.manifests.enabled = validation.enabled;
    options.manifests.url_allow = validation.url_allow;
    options.manifests.url_deny = validation.url_deny;
    using From = ValidationConfig::Platforms;
    using To = registry::ManifestRules::Platforms;
    options.manifests.platforms = validation.platforms == From::all    ? To::all
                                  : validation.platforms == From::none ? To::none
                                                                       : To::list;
    options.manifests.platform_list = validation.platform_list;
    return options;
}

// The kernel that runs now; empty where it does not say.
std::string boot_id() {
    auto proc = io::open_directory("/proc/sys/kernel/random");
    if (!proc) return {};
    return io::read_file(**proc, "boot_id", 64).value_or("");
}

std::unique_ptr<io::Directory> measured(std::unique_ptr<io::Directory> directory,
                                        metrics::Metrics& metrics) {
    return io::measure(std::move(directory),
                       [&metrics](std::string_view action, std::chrono::nanoseconds duration) {
                           metrics.storage_action(action, duration);
                       });
}

}  // namespace

std::string driver_of(const StorageConfig& storage) {
    return storage.in_memory ? "inmemory" : "filesystem";
}

Result<Stores> open_stores(const Config& config, const Clock& clock,
                           registry::AdoptionOptions adoption, metrics::Metrics* metrics,
                           store::DescriptorCache* descriptors) {
    const auto& storage = config.storage;
    Stores stores;
    store::SqliteIndexOptions index;
    index.events = jobs::recorded_events(config.notifications);
    if (storage.in_memory) {
        stores.directory = io::make_memory_directory();
        index.path = ":memory:";
    } else {
        BERTH_TRY(stores.directory, io::open_directory(storage.root));
        BERTH_TRY(auto owed, stores.directory->make_directories("berth"));
        for (const auto& folder : owed)
            BERTH_CHECK(stores.directory->sync_directory(folder));
        index.path = storage.root + "/" + kIndexPath;
    }
    if (metrics != nullptr) stores.directory = measured(std::move(stores.directory), *metrics);
    store::FileBlobStoreOptions blobs;
    blobs.reserve_bytes = storage.in_memory ? 0 : storage.reserve_bytes;
    blobs.boot_id = boot_id();
    stores.blobs = store::make_file_blob_store(*stores.directory, clock, blobs);
    BERTH_TRY(stores.index, store::open_sqlite_index(index, clock));
    BERTH_TRY(stores.adoption, registry::Adoption::open(*stores.directory, *stores.blobs,
                                                        *stores.index, std::move(adoption)));
    auto options = registry_options(config);
    options.adoption = stores.adoption.get();
    options.descriptors = descriptors;
    stores.registry =
        std::make_unique<registry::Registry>(*stores.blobs, *stores.index, std::move(options));
    return stores;
}

std::unique_ptr<store::DescriptorCache> open_descriptors(const Config& config, const Clock& clock,
                                                         Logger& log, metrics::Metrics* metrics) {
    if (!config.redis) return nullptr;
    store::OnRedisAction on_action;
    if (metrics != nullptr) {
        on_action = [metrics](std::string_view action, std::chrono::nanoseconds duration) {
            metrics->redis_action(action, duration);
        };
    }
    return store::make_redis_cache(*config.redis, clock, log, std::move(on_action));
}

Result<Stores> open_existing_stores(const Config& config, const Clock& clock) {
    const auto& storage = config.storage;
    if (storage.in_memory) {
        return fail(Errc::unsupported,
                    "this configuration keeps everything in the server's memory: ask the server");
    }
    std::error_code error;
    if (!std::filesystem::exists(storage.root + "/" + kIndexPath, error)) {
        return fail(Errc::not_found, "there is no registry in " + storage.root);
    }
    BERTH_TRY(auto stores, open_stores(config, clock));
    if (!stores.adoption->done()) {
        return fail(Errc::unavailable,
                    "registry:2's data in " + storage.root +
                        " is not all taken over yet: `berth serve` does that, and says in its log "
                        "when it is done");
    }
    return stores;
}

}  // namespace berth::app
