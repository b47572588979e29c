#include "http/target.h"

#include <algorithm>

#include "base/encoding.h"

namespace berth::http {

namespace {

Result<std::string> decode(std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    auto decoded = percent_decode(spaced);
    if (!decoded) {
        return fail(Errc::invalid, "the query has a malformed escape in \"" + spaced + "\"");
    }
    return *std::move(decoded);
}

}  // namespace

Result<Query> Query::parse(std::string_view query) {
    Query parsed;
    while (!query.empty()) {
        const auto piece = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(piece.size() + 1, query.size()));
        if (piece.empty()) continue;
        const auto equals = std::min(piece.find('='), piece.size());
        BERTH_TRY(std::string name, decode(piece.substr(0, equals)));
        BERTH_TRY(std::string value, decode(piece.substr(std::min(equals + 1, piece.size()))));
        parsed.parameters_.emplace_back(std::move(name), std::move(value));
    }
    return parsed;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
    for (const auto& [key, value] : parameters_) {
        if (key == name) return value;
    }
    return std::nullopt;
}

std::vector<std::string_view> Query::all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [key, value] : parameters_) {
        if (key == name) values.push_back(value);
    }
    return values;
}

}  // namespace berth::http
