// Listener: takes connections on one address and gives each to a loop.
//
// The addresses of the configuration (TCP over IPv4 and IPv6, unix sockets), and sockets that the
// service manager opened before the start (sd_listen_fds(3)).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls_source.h"

namespace berth::net {

struct ListenOptions {
    std::string network = "tcp";  // tcp, unix
    // host:port, [v6]:port, :port (all addresses, both families) or a path. Port 0: a free one.
    std::string address;
    std::shared_ptr<const TlsSource> tls;  // null: plain
};

class Listener {
  public:
    // Called on the loop the connection belongs to; it owns the stream from then on.
    using OnConnection = std::function<void(std::unique_ptr<Stream>)>;

    // Binds and listens; does not accept yet. Errors name the address and what is wrong with it. A
    // unix socket that a killed server left behind is replaced; one that is served is
    // Errc::conflict.
    static Result<std::unique_ptr<Listener>> open(const ListenOptions& options);
    // Takes over a socket that already listens.
    static Result<std::unique_ptr<Listener>> adopt(UniqueFd fd,
                                                   std::shared_ptr<const TlsSource> tls);
    virtual ~Listener() = default;  // removes a unix socket's path that it made

    // As bound, for people: 127.0.0.1:5000, [::1]:5000, unix:/run/berth.sock
    virtual const std::string& address() const = 0;
    virtual bool tls() const = 0;

    // Accepts until stop(). `connections_max`: most at once over all listeners that share the
    // counter; beyond it accepting pauses until one ends. Call before Loops::start(); `loops` and
    // the listener outlive the loops' threads.
    struct Quota {
        std::size_t connections_max = 10'000;
        std::atomic<std::size_t> connections{0};
    };
    virtual void start(Loops& loops, std::shared_ptr<Quota> quota, OnConnection on_connection) = 0;
    // No connection is taken any more, and the port refuses. Thread-safe.
    virtual void stop() = 0;
};

// The sockets that LISTEN_FDS and LISTEN_PID of the environment promise (sd_listen_fds(3)); none if
// they are not meant for this process. Each can be taken once.
std::vector<UniqueFd> inherited_sockets();

}  // namespace berth::net
