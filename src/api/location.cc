#include "api/location.h"

#include <algorithm>
#include <cctype>

#include "api/api.h"
#include "base/text.h"
#include "http/text.h"

namespace berth::api {
namespace {

struct Origin {
    std::string_view scheme, host, port;
};

// Each proxy appends its own: the first value is what the client's side said.
std::string_view first_value(std::string_view field) {
    return http::next_element(field);
}

// `for=192.0.2.60;proto=https;host="registry.example.org:8443"`
void apply_forwarded(std::string_view field, Origin& origin) {
    field = first_value(field);
    while (!field.empty()) {
        const std::string_view pair = http::trim(field.substr(0, field.find(';')));
        field.remove_prefix(std::min(field.size(), field.find(';')));
        if (!field.empty()) field.remove_prefix(1);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        std::string_view value = pair.substr(equals + 1);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        const std::string_view key = pair.substr(0, equals);
        if (equal_ignoring_case(key, "proto")) origin.scheme = value;
        if (equal_ignoring_case(key, "host")) origin.host = value;
    }
}

void apply_x_forwarded(const http::Request& request, Origin& origin) {
    const std::string_view scheme = first_value(request.field("X-Forwarded-Proto"));
    const std::string_view host = first_value(request.field("X-Forwarded-Host"));
    if (!scheme.empty()) origin.scheme = scheme;
    if (!host.empty()) origin.host = host;
    origin.port = first_value(request.field("X-Forwarded-Port"));
}

// A host name or address, with or without a port: nothing that could end the URL or start another.
bool is_host(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view(".-_:[]").find(static_cast<char>(c)) != std::string_view::npos;
    });
}

bool has_port(std::string_view host) {
    const std::size_t colon = host.rfind(':');
    return colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_trusted(const http::Request& request, const Networks& proxies) {
    // Who reaches a unix socket is on this machine and was let in by its mode.
    return request.peer != nullptr &&
           (request.peer->address.empty() || proxies.contains(request.peer->address));
}

}  // namespace

std::string origin_of(const http::Request& request, const ApiOptions& options,
                      const Networks& proxies) {
    if (!options.host.empty()) {
        std::string_view host = options.host;
        while (host.ends_with('/'))
            host.remove_suffix(1);
        return std::string(host);
    }
    Origin origin{.scheme = request.peer && request.peer->tls ? "https" : "http",
                  .host = request.host,
                  .port = {}};
    if (is_trusted(request, proxies)) {
        apply_x_forwarded(request, origin);
        apply_forwarded(request.field("Forwarded"), origin);
    }
    const bool secure = equal_ignoring_case(origin.scheme, "https");
    if ((!secure && !equal_ignoring_case(origin.scheme, "http")) || !is_host(origin.host))
        return {};
    std::string url = secure ? "https://" : "http://";
    url += origin.host;
    const std::string_view usual = secure ? "443" : "80";
    if (is_number(origin.port) && origin.port != usual && !has_port(origin.host)) {
        url += ':';
        url += origin.port;
    }
    return url;
}

std::string locate(const http::Request& request, const ApiOptions& options, const Networks& proxies,
                   std::string_view path) {
    std::string url;
    if (!options.relative_urls) url = origin_of(request, options, proxies);
    url += options.prefix;
    url += path;
    return url;
}

}  // namespace berth::api
