// DialSocket: a connected socket that waits for its peer, but never past a deadline. What dialed
// connections, plain and TLS, stand on.
#pragma once

#include <chrono>

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/address.h"

namespace berth::net {

using Deadline = std::chrono::steady_clock::time_point;

class DialSocket {
  public:
    static Result<DialSocket> connect(const SocketAddress& address, Deadline deadline);

    // As recv() and send() do, without waiting and without SIGPIPE: -1 and errno.
    ssize_t receive(MutableBytes out);
    ssize_t send(Bytes bytes);
    // Errc::unavailable when the deadline passes first.
    enum class Until { readable, writable };
    Result<void> wait(Until until, Deadline deadline) const;
    // Is the peer known to have closed? Unread bytes do not hide it.
    bool is_closed() const;

  private:
    explicit DialSocket(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace berth::net
