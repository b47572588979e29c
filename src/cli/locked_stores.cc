#include "cli/locked_stores.h"

#include <unistd.h>

namespace berth::cli {
namespace {

registry::AdoptionOptions adoption_options(Progress& progress) {
    registry::AdoptionOptions options;
    options.on_progress = [&progress](const registry::AdoptionProgress& now) {
        if (!progress.due()) return;
        progress.say("taking over what registry:2 has left: " + std::to_string(now.repositories) +
                     " of " + std::to_string(now.repositories_total) + " repositories");
    };
    options.on_finding = [&progress](const store::Finding& finding) {
        progress.note("warning: " + finding.path + ": " + finding.detail);
    };
    return options;
}

}  // namespace

Result<LockedStores> open_locked_stores(const app::Config& config, const Clock& clock,
                                        Progress& progress) {
    const auto& storage = config.storage;
    if (storage.in_memory) {
        return fail(Errc::unsupported,
                    "this configuration keeps everything in the server's memory: nothing of it "
                    "would last");
    }
    auto lock = io::DirectoryLock::acquire(storage.root, app::kLockPath,
                                           "process " + std::to_string(getpid()));
    if (!lock && lock.error().code == Errc::conflict) {
        return fail(Errc::conflict, "a server uses " + storage.root + " (" + lock.error().detail +
                                        "): stop it first");
    }
    if (!lock) return std::unexpected(std::move(lock.error()));
    BERTH_TRY(auto stores, app::open_stores(config, clock, adoption_options(progress)));
    if (!stores.adoption->done()) {
        stores.adoption->start();
        BERTH_CHECK(stores.adoption->wait());
    }
    return LockedStores{std::move(*lock), std::move(stores)};
}

}  // namespace berth::cli
