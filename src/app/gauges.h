// What the parts of a running server know of themselves, for the metrics: docs/operate.md lists it.
#pragma once

#include "app/stores.h"
#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/pool.h"
#include "http/server.h"
#include "jobs/health.h"
#include "metrics/metrics.h"
#include "net/tls_source.h"

namespace berth::app {

// All outlive the last text of the metrics.
struct Gauged {
    const Stores& stores;
    const http::Server& server;
    std::size_t connections_max;
    const auth::Authenticator& authenticator;
    const Pool& disk;
    const Pool& logins;
    const jobs::Health& health;
    const net::TlsSource* tls;  // null: plain
    const Clock& clock;
};

void add_gauges(metrics::Metrics& metrics, const Gauged& server);

}  // namespace berth::app
