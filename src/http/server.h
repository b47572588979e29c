// Server: HTTP/1.1 on listeners and loops (RFC 9112).
//
// Keep-alive, pipelined requests answered in order (those already received leave in one write),
// chunked bodies both ways of framing refused together (smuggling), Expect, HEAD, HTTP/1.0, and a
// limit and a time for each phase.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/pool.h"
#include "base/result.h"
#include "http/handler.h"
#include "net/listener.h"
#include "net/loop.h"

namespace berth::http {

struct ServerOptions {
    std::size_t connections_max = 10'000;
    std::size_t header_bytes_max = 64 << 10;           // beyond: 431
    std::chrono::milliseconds header_timeout{30'000};  // for the whole head, and a TLS handshake
    std::chrono::milliseconds idle_timeout{120'000};   // between requests
    std::chrono::milliseconds body_timeout{60'000};    // for 16 KiB of a body, either way
    // Lines that stand on every answer, each ended by CRLF.
    std::string fields;
    // Where given, told of each connection whose TLS failed: thread-safe, for the log.
    std::function<void(const net::Peer& peer, const Error& why)> on_tls_failure = nullptr;
};

class Server {
  public:
    // All references outlive the server. `disk` reads cold files.
    Server(net::Loops& loops, Handler& handler, Pool& disk, ServerOptions options);
    ~Server();

    // Starts accepting. Before Loops::start().
    void add(std::unique_ptr<net::Listener> listener);
    const std::vector<std::unique_ptr<net::Listener>>& listeners() const { return listeners_; }
    // How many are open now. Thread-safe.
    std::size_t connections() const;
    // Stops accepting. The loops' stop() then ends idle connections at once, and the others after
    // the exchange under way (with `Connection: close`).
    void stop_accepting();

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
};

}  // namespace berth::http
