// The server of the debug address: a listener, a loop and a thread of its own, so that it answers
// when the registry has its hands full.
#pragma once

#include <memory>
#include <string>

#include "app/config.h"
#include "app/gauges.h"
#include "base/log.h"
#include "base/result.h"
#include "jobs/health.h"
#include "metrics/metrics.h"

namespace berth::app {

class DebugServer {
  public:
    // Serves from now on, until destroyed. All outlive it. An address in use is an error.
    static Result<std::unique_ptr<DebugServer>> open(const DebugConfig& config,
                                                     const jobs::Health& health,
                                                     const metrics::Metrics& metrics);
    ~DebugServer();
    DebugServer(const DebugServer&) = delete;
    DebugServer& operator=(const DebugServer&) = delete;

    std::string address() const;  // as a URL

  private:
    struct State;
    explicit DebugServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Null where there is nobody to read them: no debug address.
std::unique_ptr<metrics::Metrics> make_metrics(const Config& config);

// Null without a debug address; `metrics` get the gauges of what there is. Said in the log.
Result<std::unique_ptr<DebugServer>> open_debug_server(const Config& config,
                                                       metrics::Metrics* metrics,
                                                       const Gauged& server, Logger& log);

}  // namespace berth::app
