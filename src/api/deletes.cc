#include "api/deletes.h"

#include "api/access.h"

namespace berth::api {
namespace {

constexpr int kAccepted = 202;

Reply<> delete_revision(Exchange& exchange, const oci::Digest& digest) {
    registry::Registry& registry = exchange.registry();
    BERTH_TRY(const std::vector<oci::Tag> tags,
              reply(registry.tags_of(*exchange.repository, digest), About::manifest));
    for (const oci::Tag& tag : tags) {
        BERTH_CHECK(authorize(exchange, auth::Action::remove, tag.text()));
    }
    return reply(registry.delete_manifest(*exchange.repository, digest, exchange.actor()),
                 About::manifest);
}

}  // namespace

Reply<> delete_manifest(Exchange& exchange) {
    const std::string_view text = exchange.route.rest;
    if (text.find(':') != std::string_view::npos) {
        BERTH_TRY(const oci::Digest digest, parse_digest(text));
        BERTH_CHECK(delete_revision(exchange, digest));
    } else {
        const auto tag = oci::Tag::parse(text);
        if (!tag) return refuse(Code::manifest_unknown);
        BERTH_CHECK(
            reply(exchange.registry().delete_tag(*exchange.repository, *tag, exchange.actor()),
                  About::manifest));
    }
    exchange.response.status = kAccepted;
    return {};
}

Reply<> delete_blob(Exchange& exchange) {
    BERTH_TRY(const oci::Digest digest, parse_digest(exchange.route.rest));
    BERTH_CHECK(
        reply(exchange.registry().delete_blob(*exchange.repository, digest, exchange.actor()),
              About::blob));
    exchange.response.status = kAccepted;
    return {};
}

}  // namespace berth::api
