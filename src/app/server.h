// The server: wires the layers together from a Config, serves until it is told to stop, and takes
// everything down in the reverse order.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/result.h"

namespace berth::app {

// Called once the server answers, with the addresses it listens on (`http://127.0.0.1:5000`).
using OnReady = std::function<void(const std::vector<std::string>& addresses)>;

// Reads the configuration once more; none: there is no file.
using ReadAgain = std::function<Result<Config>()>;

// Serves until SIGTERM or SIGINT, then drains. SIGUSR1 opens the logs anew; SIGHUP also takes up
// new certificates, and the policy of the configuration as it is then. Errors are
// those of starting: an address in use, a bad certificate, a data directory that another server
// holds. Takes the process's signals and limits as its own: called from main's thread, once.
Result<void> serve(const Config& config, const ReadAgain& read_again, const OnReady& on_ready);

}  // namespace berth::app
