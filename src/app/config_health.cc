// The sections `health` and `http.debug`: how others see whether the server is well.

#include "app/config_network.h"
#include "app/config_read.h"

namespace berth::app {
namespace {

constexpr std::uint32_t kThresholdMost = 1'000'000;
constexpr int kStatusLeast = 100;
constexpr int kStatusMost = 599;

jobs::FileCheck read_file_check(const ConfigValue& item) {
    jobs::FileCheck check;
    item.at("file").read(check.file);
    if (check.file.empty()) item.wrong("file is missing: while it is there, the server is unwell");
    item.at("interval").read_unless_zero(check.interval);
    return check;
}

// What checks of other servers have in common.
template <class Check>
void read_timing(const ConfigValue& item, Check& check) {
    item.at("timeout").read_unless_zero(check.timeout);
    item.at("interval").read_unless_zero(check.interval);
    item.at("threshold").read_unless_zero(check.threshold, kThresholdMost);
}

jobs::HttpCheck read_http_check(const ConfigValue& item) {
    jobs::HttpCheck check;
    read_http_url(item.at("uri"), check.uri);
    if (check.uri.empty()) item.wrong("uri is missing: the address that must answer");
    read_secret_headers(item.at("headers"), check.headers);
    item.at("statuscode").read_count(check.status_code, kStatusLeast, kStatusMost);
    read_timing(item, check);
    return check;
}

jobs::TcpCheck read_tcp_check(const ConfigValue& item) {
    jobs::TcpCheck check;
    item.at("addr").read(check.address);
    if (check.address.empty()) {
        item.wrong("addr is missing: host:port that must answer");
    } else {
        check_peer(item.at("addr"), check.address);
    }
    read_timing(item, check);
    return check;
}

}  // namespace

jobs::HealthOptions read_health(const ConfigValue& health) {
    jobs::HealthOptions options;
    if (const auto storage = health.at("storagedriver"); storage.present()) {
        storage.at("enabled").read(options.storage);
        storage.at("interval").read_unless_zero(options.storage_interval);
        storage.at("threshold").read_unless_zero(options.storage_threshold, kThresholdMost);
    }
    for (const auto& item : health.at("file").items())
        options.files.push_back(read_file_check(item));
    for (const auto& item : health.at("http").items())
        options.https.push_back(read_http_check(item));
    for (const auto& item : health.at("tcp").items())
        options.tcps.push_back(read_tcp_check(item));
    return options;
}

std::optional<DebugConfig> read_debug(const ConfigValue& debug) {
    if (!debug.present()) return std::nullopt;
    DebugConfig config;
    auto& address = config.listener.address;
    debug.at("addr").read(address);
    if (!address.empty()) check_tcp_address(debug.at("addr"), address);
    const auto prometheus = debug.at("prometheus");
    prometheus.at("enabled").read(config.prometheus);
    prometheus.at("path").read(config.prometheus_path);
    if (!config.prometheus_path.starts_with('/')) config.prometheus_path.insert(0, 1, '/');
    if (!address.empty()) return config;
    if (config.prometheus) debug.warn("addr is missing: nothing listens for metrics");
    return std::nullopt;
}

}  // namespace berth::app
