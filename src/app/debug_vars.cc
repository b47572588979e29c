#include "app/debug_vars.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/process_usage.h"

namespace berth::app {
namespace {

using Json = nlohmann::ordered_json;
using Families = std::vector<metrics::Family>;

// As many of Go's numbers as have a meaning here.
Json memory_statistics() {
    const HeapUsage heap = heap_usage();
    const std::uint64_t all = heap.used_bytes + heap.unused_bytes;
    Json statistics = Json::object();
    statistics["Alloc"] = heap.used_bytes;
    statistics["Sys"] = all;
    statistics["HeapAlloc"] = heap.used_bytes;
    statistics["HeapSys"] = all;
    statistics["HeapIdle"] = heap.unused_bytes;
    statistics["HeapInuse"] = heap.used_bytes;
    return statistics;
}

// `{pool="disk"}`; empty without labels.
std::string series_of(const metrics::Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels)
        text.append(text.empty() ? "{" : ",").append(name).append("=\"").append(value).append("\"");
    return text.empty() ? text : text + "}";
}

Json numbers_of(const Families& families) {
    Json numbers = Json::object();
    for (const metrics::Family& family : families) {
        if (family.kind == metrics::Kind::histogram) continue;
        for (const metrics::Sample& sample : family.samples) {
            if (std::isfinite(sample.value))
                numbers[family.name + series_of(sample.labels)] = sample.value;
        }
    }
    return numbers;
}

std::string label_of(const metrics::Sample& sample, std::string_view name) {
    for (const auto& [label, value] : sample.labels) {
        if (label == name) return value;
    }
    return {};
}

// Each endpoint as distribution shows it, without its URL, which may hold a password.
Json endpoints_of(const Families& families) {
    Json endpoints = Json::object();
    const auto counts_of = [&endpoints](const metrics::Sample& sample) -> Json& {
        Json& counts = endpoints[label_of(sample, "endpoint")];
        if (counts.is_null()) {
            counts = {{"Pending", 0},  {"Events", 0}, {"Successes", 0},
                      {"Failures", 0}, {"Errors", 0}, {"Statuses", Json::object()}};
        }
        return counts;
    };
    for (const metrics::Family& family : families) {
        for (const metrics::Sample& sample : family.samples) {
            const auto count = static_cast<std::uint64_t>(sample.value);
            if (family.name == "registry_notifications_pending_total") {
                counts_of(sample)["Pending"] = count;
            } else if (family.name == "registry_notifications_events_total") {
                counts_of(sample)[label_of(sample, "type")] = count;
            } else if (family.name == "registry_notifications_status_total") {
                counts_of(sample)["Statuses"][label_of(sample, "code")] = count;
            }
        }
    }
    Json list = Json::array();
    for (auto& [name, counts] : endpoints.items())
        list.push_back({{"name", name}, {"Metrics", std::move(counts)}});
    return list;
}

}  // namespace

std::string debug_vars(const metrics::Metrics& metrics) {
    const Families families = metrics.families();
    Json vars = Json::object();
    vars["cmdline"] = command_line();
    vars["memstats"] = memory_statistics();
    vars["registry"]["notifications"]["endpoints"] = endpoints_of(families);
    vars["berth"] = numbers_of(families);
    return vars.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace berth::app
