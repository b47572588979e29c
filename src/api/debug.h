// The debug address (configuration: http.debug): /debug/health, /debug/vars, and the metrics where
// they are enabled. Nobody logs in here: it belongs on an address that only operators reach.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/pool.h"
#include "http/handler.h"

namespace berth::api {

struct DebugServices {
    Pool& pool;  // where what takes its time is asked; not one that the registry can fill
    std::function<std::map<std::string, std::string>()> failures;  // of health checks, by name
    std::function<std::string()> vars;                             // a JSON object
    std::function<std::string()> metrics;                          // none: not enabled
    std::string metrics_path = "/metrics";
};

std::unique_ptr<http::Handler> make_debug_handler(DebugServices services);

}  // namespace berth::api
