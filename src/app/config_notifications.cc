// The section `notifications`.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "app/config_network.h"
#include "app/config_read.h"

namespace berth::app {
namespace {

constexpr std::uint32_t kThresholdMost = 1'000'000;
constexpr std::uint64_t kEventsLeast = 1'000;
constexpr std::uint64_t kEventsMost = 1'000'000'000;

jobs::NotificationEndpoint read_endpoint(const ConfigValue& item) {
    jobs::NotificationEndpoint to;
    item.at("name").read(to.name);
    if (to.name.empty()) item.wrong("name is missing: what is not sent yet is kept under it");
    item.at("disabled").read(to.disabled);
    read_http_url(item.at("url"), to.url);
    if (to.url.empty()) item.wrong("url is missing: where the events are sent");
    read_secret_headers(item.at("headers"), to.headers);
    item.at("timeout").read_unless_zero(to.timeout);
    item.at("threshold").read_unless_zero(to.threshold, kThresholdMost);
    item.at("backoff").read_unless_zero(to.backoff);
    item.at("ignoredmediatypes").read(to.ignored_media_types);
    const auto ignore = item.at("ignore");
    std::vector<std::string> media_types;
    ignore.at("mediatypes").read(media_types);
    to.ignored_media_types.insert(to.ignored_media_types.end(), media_types.begin(),
                                  media_types.end());
    for (const auto& action : ignore.at("actions").items())
        action.read_word(to.ignored_actions.emplace_back(), {"push", "pull", "mount", "delete"});
    return to;
}

// As the original's: the host's name, and the port where there is one.
std::string instance_name(const HttpConfig& http) {
    std::array<char, HOST_NAME_MAX + 1> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) return http.listeners.front().address;
    const auto& listener = http.listeners.front();
    const auto port = listener.network == "tcp" ? listener.address.rfind(':') : std::string::npos;
    return host.data() + (port == std::string::npos ? "" : listener.address.substr(port));
}

}  // namespace

jobs::NotificationOptions read_notifications(const ConfigValue& notifications,
                                             const HttpConfig& http) {
    jobs::NotificationOptions options;
    options.instance = instance_name(http);
    if (!notifications.present()) return options;
    const auto events = notifications.at("events");
    events.at("includereferences").read(options.include_references);
    events.at("keep").read(options.keep);
    events.at("max").read_count(options.events_max, kEventsLeast, kEventsMost);
    for (const auto& item : notifications.at("endpoints").items()) {
        auto endpoint = read_endpoint(item);
        const auto& name = endpoint.name;
        if (std::ranges::count(options.endpoints, name, &jobs::NotificationEndpoint::name) > 0) {
            item.wrong("another endpoint is named " + name + ", too");
        }
        options.endpoints.push_back(std::move(endpoint));
    }
    return options;
}

}  // namespace berth::app
