// The server: wires the layers together from a Config, serves until it is told to stop, and takes
// everything down in the reverse order.
#pragma once

#include "app/config.h"
#include "base/result.h"

namespace berth::app {

// Where Berth keeps its own files under the storage root.
inline constexpr const char* kIndexPath = "berth/index.db";
inline constexpr const char* kLockPath = "berth/lock";

// Serves until SIGTERM or SIGINT, then drains. SIGHUP and SIGUSR1 open the logs anew. Errors are
// those of starting: an address in use, a bad certificate, a data directory that another server
// holds.
Result<void> serve(const Config& config);

}  // namespace berth::app
