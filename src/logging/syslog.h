// Syslog, RFC 5424: over a unix socket, UDP, TCP or TLS (RFC 5425; octet counting, RFC 6587). Lines
// wait in a bounded queue for a thread of their own: a collector that is slow or away costs lines
// (counted and reported), never a request.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "net/dial.h"

namespace berth::logging {

struct SyslogOptions {
    enum class Transport { unix_socket, udp, tcp, tls } transport = Transport::unix_socket;
    std::string address = "/dev/log";  // a path, or host:port
    std::string facility = "daemon";   // RFC 5424 §6.2.1, by the names of syslog.conf
    std::string app_name = "berth";
    bool access = false;  // the access log too
    net::DialTls tls;     // of Transport::tls
};

// Errc::invalid for what can never work; a collector that is away is not that. `clock` outlives the
// sink.
Result<std::unique_ptr<LogSink>> make_syslog_sink(const SyslogOptions& options, const Clock& clock);

}  // namespace berth::logging
