// Where syslog messages go: a unix socket, UDP, TCP or TLS.
#pragma once

#include <functional>
#include <memory>

#include "logging/forwarder.h"
#include "logging/syslog.h"
#include "net/dial.h"

namespace berth::logging {

// net::dial, or what a test has in its place.
using Dial = std::function<Result<std::unique_ptr<net::Connection>>(const net::DialOptions&)>;

// How long a message may be there: what RFC 5425 and RFC 5426 want collectors to take.
std::size_t syslog_bytes_max(SyslogOptions::Transport transport);

std::unique_ptr<Destination> make_syslog_collector(const SyslogOptions& options, Dial dial);

}  // namespace berth::logging
