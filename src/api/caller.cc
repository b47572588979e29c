#include "api/caller.h"

#include "api/exchange.h"
#include "base/text.h"
#include "http/text.h"

namespace berth::api {
namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Some proxies add the port: `192.0.2.1:50000`, `[2001:db8::1]:50000`.
std::string_view without_port(std::string_view node) {
    if (node.starts_with('[')) return node.substr(1, node.find(']') - 1);
    const auto colon = node.find(':');
    return colon == node.rfind(':') ? node.substr(0, colon) : node;
}

}  // namespace

std::string_view caller_address(const http::Request& request, const ApiOptions& options,
                                const Networks& proxies) {
    std::string_view address = request.peer ? request.peer->address : std::string_view();
    if (options.trusted_proxies.empty() || !proxies.contains(address)) return address;
    for (std::size_t i = request.fields.size(); i > 0; --i) {
        const http::Field& field = request.fields[i - 1];
        if (!equal_ignoring_case(field.name, "X-Forwarded-For")) continue;
        std::string_view list = field.value;
        while (!list.empty()) {
            const auto comma = list.rfind(',');
            const std::size_t start = comma == list.npos ? 0 : comma + 1;
            const std::string_view node = without_port(trim(list.substr(start)));
            if (!Networks::is_address(node)) return address;
            address = node;
            if (!proxies.contains(node)) return address;
            list = list.substr(0, comma == list.npos ? 0 : comma);
        }
    }
    return address;
}

auth::Presented presented_by(const Context& context, const http::Request& request) {
    return {.authorization = request.field("Authorization"),
            .address = caller_address(request, context.options, context.proxies),
            .certificate = request.peer ? request.peer->certificate.get() : nullptr};
}

}  // namespace berth::api
