#include "api/token_json.h"

#include "base/encoding.h"

namespace berth::api {
namespace {

using nlohmann::ordered_json;

ordered_json time_json(const std::optional<Time>& time) {
    return time ? ordered_json(format_rfc3339(*time)) : ordered_json(nullptr);
}

}  // namespace

ordered_json token_json(const auth::AccessToken& token, Time now) {
    return {{"id", token.id},
            {"kind", std::string(auth::name_of(token.kind))},
            {"name", token.name},
            {"allow", token.allow},
            {"description", token.description},
            {"created", format_rfc3339(token.created)},
            {"created_by", token.created_by},
            {"expires", time_json(token.expires)},
            {"expired", token.expired(now)},
            {"last_used", time_json(token.last_used)}};
}

ordered_json token_json(const auth::AccessTokens::Created& created) {
    ordered_json json = token_json(created.token, created.token.created);
    json["secret"] = created.secret;
    return json;
}

}  // namespace berth::api
