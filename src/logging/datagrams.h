// Datagrams: a connected datagram socket, for log lines to this machine's daemons or by UDP.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "net/address.h"

namespace berth::logging {

class Datagrams {
  public:
    // The error has no context. Its os_errno is EPROTOTYPE when a unix socket wants a stream.
    static Result<Datagrams> connect(const net::SocketAddress& address);

    // Errc::too_large: no datagram of this socket can be so long. Waits a moment while the receiver
    // has no room.
    Result<void> send(std::string_view text) const;
    // An empty datagram to a unix socket, with a file.
    Result<void> send_file(const UniqueFd& file) const;

  private:
    explicit Datagrams(UniqueFd socket) : socket_(std::move(socket)) {}
    UniqueFd socket_;
};

}  // namespace berth::logging
