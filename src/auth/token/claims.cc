#include "auth/token/claims.h"

#include <cmath>

namespace berth::auth {
namespace {

using oci::Json;

constexpr std::size_t kAccessEntriesMax = 256;
constexpr double kLastSecond = 253402300799;  // of the year 9999

std::unexpected<Error> wrong(std::string_view claim) {
    return fail(Errc::unauthenticated,
                "the token's claim \"" + std::string(claim) + "\" is not of its form");
}

// Null where the claim is missing.
const Json& member(const Json& object, std::string_view name) {
    static const Json null;
    const auto found = object.find(name);
    return found == object.end() ? null : *found;
}

Result<std::string> text_claim(const Json& payload, std::string_view name) {
    const Json& value = member(payload, name);
    if (value.is_null()) return std::string();
    if (!value.is_string()) return wrong(name);
    return value.get<std::string>();
}

Result<std::vector<std::string>> texts_of(const Json& value, std::string_view claim) {
    std::vector<std::string> texts;
    if (value.is_null()) return texts;
    if (!value.is_array()) return wrong(claim);
    for (const Json& each : value) {
        if (!each.is_string()) return wrong(claim);
        texts.push_back(each.get<std::string>());
    }
    return texts;
}

Result<std::vector<std::string>> audience_claim(const Json& payload) {
    const Json& value = member(payload, "aud");
    if (value.is_string()) return std::vector{value.get<std::string>()};
    return texts_of(value, "aud");
}

// RFC 7519, 2: seconds, with or without a fraction.
Result<std::optional<Time>> time_claim(const Json& payload, std::string_view name) {
    const Json& value = member(payload, name);
    if (value.is_null()) return std::nullopt;
    if (!value.is_number()) return wrong(name);
    const double seconds = value.get<double>();
    if (!(seconds >= 0 && seconds <= kLastSecond)) return wrong(name);
    return Time(std::chrono::milliseconds(std::llround(std::floor(seconds * 1000))));
}

Result<std::vector<AccessEntry>> access_claim(const Json& payload) {
    const Json& list = member(payload, "access");
    std::vector<AccessEntry> entries;
    if (list.is_null()) return entries;
    if (!list.is_array() || list.size() > kAccessEntriesMax) return wrong("access");
    for (const Json& each : list) {
        if (!each.is_object()) return wrong("access");
        AccessEntry entry;
        const Json &type = member(each, "type"), &name = member(each, "name");
        if (!type.is_string() || !name.is_string()) return wrong("access");
        entry.type = type.get<std::string>();
        entry.name = name.get<std::string>();
        BERTH_TRY(entry.actions, texts_of(member(each, "actions"), "access"));
        entries.push_back(std::move(entry));
    }
    return entries;
}

bool is_registered(std::string_view name) {
    for (const std::string_view known :
         {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"}) {
        if (name == known) return true;
    }
    return false;
}

// Members of objects go by names with dots: `kubernetes.io.serviceaccount.name`.
void add_other(Claims& claims, const std::string& name, const Json& value) {
    if (value.is_string()) {
        claims.others.emplace(name, value.get<std::string>());
    } else if (value.is_number() || value.is_boolean()) {
        claims.others.emplace(name, value.dump());
    } else if (value.is_array()) {
        auto texts = texts_of(value, name);
        if (texts) claims.lists.emplace(name, std::move(*texts));
    } else if (value.is_object()) {
        for (const auto& [member_name, each] : value.items())
            add_other(claims, name + "." + member_name, each);
    }
}

}  // namespace

Result<Claims> parse_claims(const Json& payload) {
    Claims claims;
    BERTH_TRY(claims.issuer, text_claim(payload, "iss"));
    BERTH_TRY(claims.subject, text_claim(payload, "sub"));
    BERTH_TRY(claims.id, text_claim(payload, "jti"));
    BERTH_TRY(claims.audience, audience_claim(payload));
    BERTH_TRY(claims.expires, time_claim(payload, "exp"));
    BERTH_TRY(claims.not_before, time_claim(payload, "nbf"));
    BERTH_TRY(claims.issued_at, time_claim(payload, "iat"));
    BERTH_TRY(claims.access, access_claim(payload));
    for (const auto& [name, value] : payload.items()) {
        if (!is_registered(name)) add_other(claims, name, value);
    }
    return claims;
}

std::shared_ptr<const Grants> grants_of(const Claims& claims) {
    auto grants = std::make_shared<Grants>();
    for (const AccessEntry& entry : claims.access)
        grants->add(entry.type, entry.name, entry.actions);
    return grants;
}

}  // namespace berth::auth
