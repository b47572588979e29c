#include "api/exchange.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/events.h"
#include "api/location.h"
#include "base/encoding.h"

namespace berth::api {

store::Actor Exchange::actor() const {
    return {who->name, context.options.events ? describe_request(context, request) : ""};
}

Reply<http::Query> query_of(const Exchange& exchange) {
    auto query = http::Query::parse(exchange.request.query);
    if (!query) return refuse(Code::name_invalid, query.error().detail);
    return std::move(*query);
}

Reply<oci::Digest> parse_digest(std::string_view text) {
    return reply(oci::Digest::parse(text), About::digest);
}

void add_location(Exchange& exchange, std::string_view path) {
    const Context& context = exchange.context;
    exchange.response.add("Location",
                          locate(exchange.request, context.options, context.proxies, path));
}

void add_content_location(Exchange& exchange, std::string_view folder, const oci::Digest& digest) {
    std::string path = "v2/" + exchange.repository->text();
    path += folder;
    path += digest.text();
    add_location(exchange, path);
    exchange.response.add("Docker-Content-Digest", digest.text());
}

void answer_text(const http::Request& request, http::Response& response,
                 std::string_view content_type, std::string text) {
    response.add("Content-Type", content_type);
    if (request.method == http::Method::head) {
        response.body_length(text.size());
    } else {
        response.body_text(std::move(text));
    }
}

void answer_refusal(const http::Request& request, http::Response& response,
                    const Refusal& refusal) {
    const CodeRow& row = row_of(refusal.code);
    nlohmann::ordered_json detail = nlohmann::ordered_json::object();
    for (const auto& [key, value] : refusal.detail)
        detail[std::string(key)] = value;
    detail["requestId"] = request.id;
    nlohmann::ordered_json error = nlohmann::ordered_json::object();
    error["code"] = row.name;
    error["message"] = refusal.message;
    error["detail"] = std::move(detail);
    nlohmann::ordered_json body = nlohmann::ordered_json::object();
    body["errors"] = nlohmann::ordered_json::array({std::move(error)});
    if (!refusal.oauth_error.empty()) {
        body["error"] = refusal.oauth_error;
        body["error_description"] = refusal.message;
    }

    response.status = refusal.status;
    response.add("X-Request-Id", request.id);
    if (row.retry_after_seconds > 0 && refusal.status == row.status) {
        response.add("Retry-After", static_cast<std::uint64_t>(row.retry_after_seconds));
    }
    // Messages quote what a client sent, which need not be UTF-8.
    answer_text(request, response, "application/json",
                body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

Reply<Paging> parse_paging(const http::Query& query, std::size_t limit_max) {
    Paging paging{limit_max, std::string(query.find("last").value_or(""))};
    const auto n = query.find("n");
    if (!n) return paging;
    const bool is_number =
        !n->empty() && std::ranges::all_of(*n, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number) {
        return refuse(Code::pagination_number_invalid,
                      "n is the number of results wanted, zero or more");
    }
    std::size_t wanted = 0;
    const auto [end, error] = std::from_chars(n->data(), n->data() + n->size(), wanted);
    // A number beyond all numbers is more than the cap, too.
    if (error == std::errc()) paging.limit = std::min(wanted, limit_max);
    return paging;
}

void add_next_link(
    Exchange& exchange,
    std::initializer_list<std::pair<std::string_view, std::string_view>> parameters) {
    std::string link = "<" + std::string(exchange.request.path);
    char separator = '?';
    for (const auto& [name, value] : parameters) {
        if (value.empty()) continue;
        link += separator;
        link.append(name).append("=").append(percent_encode(value));
        separator = '&';
    }
    link += ">; rel=\"next\"";
    exchange.response.add("Link", link);
}

}  // namespace berth::api
