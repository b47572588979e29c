#include "app/debug_server.h"

#include "api/debug.h"
#include "app/debug_vars.h"
#include "base/pool.h"
#include "http/server.h"
#include "net/listener.h"
#include "net/loop.h"

namespace berth::app {
namespace {

// Whoever reads here is one or two; the rest is an accident.
constexpr std::size_t kConnectionsMax = 100;
constexpr std::chrono::milliseconds kPatience{1'000};

http::ServerOptions options() {
    http::ServerOptions options;
    options.connections_max = kConnectionsMax;
    return options;
}

}  // namespace

struct DebugServer::State {
    State(const DebugConfig& config, const jobs::Health& health, const metrics::Metrics& numbers)
        : handler(api::make_debug_handler({.pool = pool,
                                           .failures = [&health] { return health.failures(); },
                                           .vars = [&numbers] { return debug_vars(numbers); },
                                           .metrics = config.prometheus
                                                          ? [&numbers] { return numbers.text(); }
                                                          : std::function<std::string()>(),
                                           .metrics_path = config.prometheus_path})),
          server(loops, *handler, pool, options()) {}

    Pool pool{{"debug", 2, kConnectionsMax}};
    std::unique_ptr<http::Handler> handler;
    net::Loops loops{1};
    http::Server server;
};

Result<std::unique_ptr<DebugServer>> DebugServer::open(const DebugConfig& config,
                                                       const jobs::Health& health,
                                                       const metrics::Metrics& metrics) {
    auto listener =
        net::Listener::open({config.listener.network, config.listener.address, nullptr});
    if (!listener) {
        return std::unexpected(std::move(listener.error()).with_context("http.debug.addr"));
    }
    auto state = std::make_unique<State>(config, health, metrics);
    state->server.add(std::move(*listener));
    state->loops.start();
    return std::unique_ptr<DebugServer>(new DebugServer(std::move(state)));
}

DebugServer::DebugServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

DebugServer::~DebugServer() {
    state_->server.stop_accepting();
    state_->loops.stop(kPatience);
}

std::string DebugServer::address() const {
    return "http://" + state_->server.listeners().front()->address();
}

std::unique_ptr<metrics::Metrics> make_metrics(const Config& config) {
    if (!config.debug) return nullptr;
    return std::make_unique<metrics::Metrics>(driver_of(config.storage));
}

Result<std::unique_ptr<DebugServer>> open_debug_server(const Config& config,
                                                       metrics::Metrics* metrics,
                                                       const Gauged& server, Logger& log) {
    if (metrics == nullptr) return std::unique_ptr<DebugServer>();
    add_gauges(*metrics, server);
    BERTH_TRY(auto debug, DebugServer::open(*config.debug, server.health, *metrics));
    log.write(LogLevel::info, "the debug address is " + debug->address());
    return debug;
}

}  // namespace berth::app
