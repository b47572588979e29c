// What /debug/vars shows, as Go's expvar does it.
#pragma once

#include <string>

#include "metrics/metrics.h"

namespace berth::app {

// A JSON object: `cmdline`, `memstats`, what distribution has under `registry` (notifications by
// endpoint), and under `berth` the numbers of all metrics but histograms, by their series.
std::string debug_vars(const metrics::Metrics& metrics);

}  // namespace berth::app
