#include "api/request_count.h"

namespace berth::api {

using metrics::HandlerName;

metrics::HandlerName handler_name_of(Resource resource) {
    switch (resource) {
        case Resource::base:
            return HandlerName::base;
        case Resource::catalog:
            return HandlerName::catalog;
        case Resource::blob:
            return HandlerName::blob;
        case Resource::uploads:
            return HandlerName::blob_upload;
        case Resource::upload:
            return HandlerName::blob_upload_chunk;
        case Resource::manifest:
            return HandlerName::manifest;
        case Resource::tags:
            return HandlerName::tags;
        case Resource::referrers:
            return HandlerName::referrers;
        default:
            break;
    }
    if (is_token(resource)) return HandlerName::token;
    return is_admin(resource) ? HandlerName::admin : HandlerName::other;
}

void count_began(const Services& services, Resource resource, http::Response& response) {
    if (services.metrics == nullptr || response.mark != 0) return;
    const HandlerName handler = handler_name_of(resource);
    response.mark = static_cast<std::uint8_t>(static_cast<unsigned>(handler) + 1);
    services.metrics->request_began(handler);
}

void count_cache_request(const Services& services, bool hit) {
    if (services.metrics != nullptr) services.metrics->cache_request(hit);
}

void count_ended(const Services& services, const http::Request& request,
                 const http::Response& response, const http::Outcome& outcome) {
    if (services.metrics == nullptr || response.mark == 0) return;
    services.metrics->request_ended({.handler = static_cast<HandlerName>(response.mark - 1),
                                     .method = request.method_text,
                                     .status = response.status,
                                     .duration = outcome.duration,
                                     .request_bytes = outcome.request_bytes,
                                     .response_bytes = outcome.body_bytes});
}

}  // namespace berth::api
