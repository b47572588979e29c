#include "http/server.h"

#include <mutex>
#include <unordered_map>

#include "http/connection.h"

namespace berth::http {

// Outlives the server while a connection is left.
struct Server::Shared {
    Shared(net::Loops& loops_, Handler& handler_, Pool& disk_, ServerOptions options_)
        : loops(loops_), handler(handler_), disk(disk_), options(std::move(options_)) {
        quota->connections_max = options.connections_max;
    }

    // Thread-safe; what it returns is its loop's alone.
    LoopState& state_of(net::Loop& loop) {
        std::lock_guard lock(mutex);
        auto& state = states[&loop];
        if (!state) state = std::make_unique<LoopState>(options.fields);
        return *state;
    }

    net::Loops& loops;
    Handler& handler;
    Pool& disk;
    const ServerOptions options;
    const std::shared_ptr<net::Listener::Quota> quota = std::make_shared<net::Listener::Quota>();
    std::mutex mutex;
    std::unordered_map<net::Loop*, std::unique_ptr<LoopState>> states;

    static Task<void> serve(std::shared_ptr<Shared> shared, std::unique_ptr<net::Stream> stream) {
        Connection connection(*stream, shared->handler, shared->disk, shared->options,
                              shared->state_of(stream->loop()));
        try {
            co_await connection.run();
        } catch (...) {  // NOLINT(bugprone-empty-catch)
            // Memory ran out, or a bug: this connection ends, the others live.
        }
    }
};

Server::Server(net::Loops& loops, Handler& handler, Pool& disk, ServerOptions options)
    : shared_(std::make_shared<Shared>(loops, handler, disk, std::move(options))) {}

Server::~Server() {
    stop_accepting();
}

void Server::add(std::unique_ptr<net::Listener> listener) {
    listener->start(shared_->loops, shared_->quota,
                    [shared = shared_](std::unique_ptr<net::Stream> stream) {
                        net::Loop& loop = stream->loop();
                        loop.spawn(Shared::serve(shared, std::move(stream)));
                    });
    listeners_.push_back(std::move(listener));
}

std::size_t Server::connections() const {
    return shared_->quota->connections.load();
}

void Server::stop_accepting() {
    for (auto& listener : listeners_)
        listener->stop();
}

}  // namespace berth::http
