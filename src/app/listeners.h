// The sockets of a server, opened as a Config says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "http/server.h"
#include "net/listener.h"
#include "net/tls_source.h"

namespace berth::app {

using TlsSourcePtr = std::shared_ptr<net::TlsSource>;
using Listeners = std::vector<std::unique_ptr<net::Listener>>;

// Null without TLS. `clock` and `log` outlive it.
Result<TlsSourcePtr> open_tls(const std::optional<TlsConfig>& tls, const Clock& clock, Logger& log);

// Sockets that the service manager opened stand in for the configured addresses, in their order.
Result<Listeners> open_listeners(const HttpConfig& http, const TlsSourcePtr& tls);

// As URLs, for people.
std::vector<std::string> addresses_of(const http::Server& server);

}  // namespace berth::app
