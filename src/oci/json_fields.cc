#include "oci/json_fields.h"

#include <utility>

#include "base/encoding.h"

namespace berth::oci {
namespace {

std::unexpected<Error> must_be(const char* key, const char* what) {
    return fail(Errc::invalid, std::string(key) + " must be " + what);
}

}  // namespace

Result<JsonFields> JsonFields::parse(std::string_view text, std::size_t depth_max) {
    BERTH_TRY(Json json, parse_json(text, depth_max));
    if (!json.is_object()) return fail(Errc::invalid, "it must be a JSON object");
    return JsonFields(std::move(json));
}

std::optional<Json> JsonFields::take(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) return std::nullopt;
    Json value = std::move(*found);
    object_.erase(found);
    return value;
}

Result<std::string> JsonFields::text(const char* key) {
    auto value = take(key);
    if (!value || !value->is_string()) return must_be(key, "a text");
    return std::move(value->get_ref<std::string&>());
}

Result<std::vector<std::string>> JsonFields::texts(const char* key) {
    auto value = take(key);
    if (!value || !value->is_array()) return must_be(key, "a list of texts");
    std::vector<std::string> all;
    for (Json& item : *value) {
        if (!item.is_string()) return must_be(key, "a list of texts");
        all.push_back(std::move(item.get_ref<std::string&>()));
    }
    return all;
}

Result<Time> JsonFields::time(const char* key) {
    BERTH_TRY(const std::string written, text(key));
    const auto time = parse_rfc3339(written);
    if (!time) return must_be(key, "a time like 2027-01-31T12:00:00Z (RFC 3339)");
    return *time;
}

Result<void> JsonFields::end() const {
    if (object_.empty()) return {};
    return fail(Errc::invalid, "unknown field '" + object_.begin().key() + "'");
}

}  // namespace berth::oci
