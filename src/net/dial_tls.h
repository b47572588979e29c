// TLS for dialed connections.
#pragma once

#include <memory>
#include <string>

#include "net/dial.h"
#include "net/dial_socket.h"

namespace berth::net {

// Shakes hands with the peer, which is verified as `host` (a name or an address; empty: its chain
// alone) where options.tls says so.
Result<std::unique_ptr<Connection>> secure(DialSocket socket, const DialOptions& options,
                                           const std::string& host, Deadline deadline);

}  // namespace berth::net
