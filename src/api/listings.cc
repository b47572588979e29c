#include "api/listings.h"

#include <nlohmann/json.hpp>

#include "oci/media_type.h"

namespace berth::api {
namespace {

// A page's JSON stays under what clients take for a manifest.
constexpr std::size_t kReferrersBytesMax = oci::kManifestBytesMax;

// `n=0` asks for nothing but whether it is there.
std::size_t read_limit(const Paging& paging) {
    return std::max<std::size_t>(paging.limit, 1);
}

void answer_page(Exchange& exchange, const Paging& paging, store::Page page,
                 nlohmann::ordered_json body, const char* key) {
    if (paging.limit == 0) page = {};
    if (page.more) {
        add_next_link(exchange, {{"n", std::to_string(paging.limit)}, {"last", page.names.back()}});
    }
    body[key] = std::move(page.names);
    answer_text(exchange.request, exchange.response, "application/json", body.dump() + "\n");
}

}  // namespace

Reply<> list_tags(Exchange& exchange) {
    BERTH_TRY(const http::Query query, query_of(exchange));
    BERTH_TRY(const Paging paging, parse_paging(query, exchange.context.options.tags_max));
    const auto may_see = [&exchange](std::string_view tag) {
        return exchange.may_pull(exchange.route.name, tag);
    };
    BERTH_TRY(store::Page page, reply(exchange.registry().tags(*exchange.repository, paging.last,
                                                               read_limit(paging), may_see),
                                      About::repository));
    answer_page(exchange, paging, std::move(page), {{"name", exchange.repository->text()}}, "tags");
    return {};
}

Reply<> list_repositories(Exchange& exchange) {
    BERTH_TRY(const http::Query query, query_of(exchange));
    BERTH_TRY(const Paging paging,
              parse_paging(query, exchange.context.options.catalog_entries_max));
    const auto may_see = [&exchange](std::string_view repository) {
        return exchange.may_pull(repository);
    };
    BERTH_TRY(store::Page page,
              reply(exchange.registry().repositories(paging.last, read_limit(paging), may_see),
                    About::catalog));
    answer_page(exchange, paging, std::move(page), nlohmann::ordered_json::object(),
                "repositories");
    return {};
}

Reply<> list_referrers(Exchange& exchange) {
    BERTH_TRY(const oci::Digest subject, parse_digest(exchange.route.rest));
    BERTH_TRY(const http::Query query, query_of(exchange));
    const std::string artifact_type(query.find("artifactType").value_or(""));
    std::optional<oci::Digest> after;
    if (const auto last = query.find("last")) {
        BERTH_TRY(after, parse_digest(*last));
    }
    BERTH_TRY(const registry::ReferrersPage page,
              reply(exchange.registry().referrers(*exchange.repository, subject, artifact_type,
                                                  after, kReferrersBytesMax),
                    About::repository));
    if (!artifact_type.empty()) exchange.response.add("OCI-Filters-Applied", "artifactType");
    if (page.next) {
        add_next_link(exchange, {{"artifactType", artifact_type}, {"last", page.next->text()}});
    }
    answer_text(exchange.request, exchange.response, oci::kOciIndex,
                oci::format_referrers(page.referrers));
    return {};
}

}  // namespace berth::api
