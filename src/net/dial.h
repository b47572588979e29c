// Dial: a connection to another server, for code that may wait: Redis, syslog, health checks.
// Blocking, each call within its own time; used by one thread at a time, never on a loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace berth::net {

struct DialTls {
    std::string ca;           // PEM file; empty: the system's authorities
    std::string certificate;  // PEM file of our own; empty: none is shown
    std::string key;          // PEM file
    bool verify = true;  // the peer's chain, and its name against the host dialed, if it is one
};

struct DialOptions {
    std::string address;  // host:port, [v6]:port, :port (this machine), or unix:/path
    std::optional<DialTls> tls = std::nullopt;
    // Looking up the name, all its addresses in turn, and the TLS handshake.
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds read_timeout{10'000};   // of one read_some()
    std::chrono::milliseconds write_timeout{10'000};  // of one write_all()
};

// Closed by its destructor. After an error only destruction is allowed.
class Connection {
  public:
    virtual ~Connection() = default;
    // At least one byte; 0: the peer has closed.
    virtual Result<std::size_t> read_some(MutableBytes out) = 0;
    virtual Result<void> write_all(Bytes bytes) = 0;
    // Is the peer known to have closed, so that what is written would be lost? Waits for nothing.
    virtual bool is_closed() const = 0;
};

// Errc::unavailable (refused, no such host, a time that has passed), Errc::invalid (an address that
// is none, a file of `tls` that cannot be used), Errc::denied (the peer's certificate). The detail
// begins with the address. Errors of a connection are Errc::unavailable. A peer that has gone
// raises no SIGPIPE.
Result<std::unique_ptr<Connection>> dial(const DialOptions& options);

}  // namespace berth::net
