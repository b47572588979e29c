#include "api/events.h"

#include "api/caller.h"
#include "api/exchange.h"
#include "api/location.h"
#include "base/log_format.h"

namespace berth::api {
namespace {

// Clients choose these freely, and every event keeps them.
constexpr std::size_t kUserAgentBytesMax = 1024;
constexpr std::size_t kHostBytesMax = 300;

// host:port of who is connected; behind a trusted proxy the address that it gives, without a port.
std::string address_of(const Context& context, const http::Request& request) {
    const std::string_view address = caller_address(request, context.options, context.proxies);
    const bool is_peer = request.peer && address == request.peer->address;
    return is_peer ? request.peer->endpoint() : std::string(address);
}

void append_member(std::string& json, std::string_view name, std::string_view value) {
    json += json.empty() ? '{' : ',';
    append_json_string(json, name);
    json += ':';
    append_json_string(json, value);
}

}  // namespace

std::string describe_request(const Context& context, const http::Request& request) {
    std::string json;
    append_member(json, "id", request.id);
    append_member(json, "addr", address_of(context, request));
    append_member(json, "host", request.host.substr(0, kHostBytesMax));
    append_member(json, "method", request.method_text);
    append_member(json, "useragent", request.field("User-Agent").substr(0, kUserAgentBytesMax));
    append_member(json, "base", locate(request, context.options, context.proxies, ""));
    return json + "}";
}

void tell_pull(const Context& context, const http::Request& request, const auth::Identity& who,
               std::string_view repository, std::string_view tag,
               const registry::Content& content) {
    registry::Event event;
    event.at = context.services.clock.now();
    event.action = store::EventAction::pull;
    event.repository = repository;
    event.digest = content.digest.text();
    event.media_type = content.media_type.empty() ? "application/octet-stream" : content.media_type;
    event.size = content.size;
    event.tag = tag;
    event.references = content.references;
    event.actor = who.name;
    event.request = describe_request(context, request);
    context.services.on_pull(std::move(event));
}

void tell_pull(const Exchange& exchange, const registry::Content& content) {
    if (!exchange.context.services.on_pull) return;
    const bool by_tag = exchange.route.resource == Resource::manifest &&
                        exchange.route.rest.find(':') == std::string_view::npos;
    tell_pull(exchange.context, exchange.request, *exchange.who, exchange.route.name,
              by_tag ? exchange.route.rest : std::string_view(), content);
}

}  // namespace berth::api
