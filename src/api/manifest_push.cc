#include "api/manifest_push.h"

#include "api/access.h"
#include "api/body_reader.h"
#include "oci/hasher.h"

namespace berth::api {
namespace {

constexpr int kCreated = 201;

using Overwrite = registry::ManifestPush::Overwrite;

struct Push {
    registry::ManifestPush content;
    std::vector<oci::Tag> tags;  // all of them, that of the reference too
};

Reply<Push> parse_push(const Exchange& exchange) {
    BERTH_TRY(const http::Query query, query_of(exchange));
    auto reference = oci::parse_reference(exchange.route.rest);
    if (!reference) {
        const bool is_digest = exchange.route.rest.find(':') != std::string_view::npos;
        return refuse(is_digest ? Code::digest_invalid : Code::manifest_invalid,
                      std::move(reference.error().detail));
    }
    std::vector<oci::Tag> more;
    for (const std::string_view text : query.all("tag")) {
        auto tag = oci::Tag::parse(text);
        if (!tag) return refuse(Code::manifest_invalid, std::move(tag.error().detail));
        more.push_back(std::move(*tag));
    }
    std::vector<oci::Tag> all = more;
    if (const auto* tag = std::get_if<oci::Tag>(&*reference)) all.push_back(*tag);
    return Push{.content = {.repository = *exchange.repository,
                            .reference = std::move(*reference),
                            .tags = std::move(more),
                            .content_type = std::string(exchange.request.field("Content-Type")),
                            .bytes = {},
                            .actor = exchange.actor(),
                            .overwrite = Overwrite::no},
                .tags = std::move(all)};
}

// Each tag must be one that the caller may push to.
Reply<> authorize_tags(Exchange& exchange, auth::Action action, const Push& push) {
    for (const oci::Tag& tag : push.tags) {
        BERTH_CHECK(authorize(exchange, action, tag.text()));
    }
    return {};
}

Reply<registry::PushedManifest> store(Exchange& exchange, Push& push) {
    // The registry checks this too; here is where it gets its own code.
    if (const auto* digest = std::get_if<oci::Digest>(&push.content.reference)) {
        const oci::Digest actual = oci::digest_of(digest->algorithm(), push.content.bytes);
        if (actual != *digest) {
            return refuse(Code::digest_invalid, "the manifest's digest is " + actual.text());
        }
    }
    auto pushed = exchange.registry().put_manifest(push.content);
    if (!pushed && pushed.error().code == Errc::already_exists) {
        // A tag is there, so this push moves it.
        BERTH_CHECK(authorize_tags(exchange, auth::Action::overwrite, push));
        push.content.overwrite = Overwrite::yes;
        pushed = exchange.registry().put_manifest(push.content);
    }
    return reply(std::move(pushed), About::manifest_push);
}

void answer_push(Exchange& exchange, const Push& push, const registry::PushedManifest& pushed) {
    add_content_location(exchange, "/manifests/", pushed.digest);
    if (pushed.subject) exchange.response.add("OCI-Subject", pushed.subject->text());
    for (const oci::Tag& tag : push.content.tags)
        exchange.response.add("OCI-Tag", tag.text());
    exchange.response.status = kCreated;
}

}  // namespace

Task<Reply<>> put_manifest(Exchange& exchange) {
    Reply<Push> push = parse_push(exchange);
    if (!push) co_return std::unexpected(std::move(push.error()));
    Reply<> allowed = push->tags.empty() ? authorize(exchange, auth::Action::create)
                                         : authorize_tags(exchange, auth::Action::create, *push);
    if (!allowed) co_return allowed;

    Result<std::string> bytes =
        co_await read_whole(exchange.request, exchange.body, oci::kManifestBytesMax);
    if (!bytes) {
        exchange.response.close = true;
        if (bytes.error().code == Errc::too_large) {
            bytes.error().detail = "a manifest may have 4 MiB at most";
        }
        co_return refuse(std::move(bytes.error()), About::manifest_push);
    }
    push->content.bytes = as_bytes(*bytes);
    auto work = [&exchange, &push] { return store(exchange, *push); };
    Reply<registry::PushedManifest> pushed = co_await run_on(exchange.context.services.disk, work);
    if (!pushed) co_return std::unexpected(std::move(pushed.error()));
    answer_push(exchange, *push, *pushed);
    co_return Reply<>();
}

}  // namespace berth::api
