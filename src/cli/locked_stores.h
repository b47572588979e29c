// The stores of a registry that no server has open, for the commands that change it.
#pragma once

#include <string>

#include "app/stores.h"
#include "cli/progress.h"
#include "io/directory.h"

namespace berth::cli {

struct LockedStores {
    io::DirectoryLock lock;
    app::Stores stores;
};

// Takes the directory's lock, and takes over what registry:2 has left in it. Errc::conflict: a
// server has it, which is to be stopped first.
Result<LockedStores> open_locked_stores(const app::Config& config, const Clock& clock,
                                        Progress& progress);

}  // namespace berth::cli
