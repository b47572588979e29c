#include "auth/token/access_token_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/control.h"
#include "base/encoding.h"
#include "base/utf8.h"
#include "oci/json_fields.h"

namespace berth::auth {
namespace {

using oci::Json;
using oci::JsonFields;

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kTextBytesMax = 1024;  // of a description, and of who made it
constexpr std::size_t kGrantsMax = 64;
constexpr std::size_t kGrantBytesMax = 512;
constexpr std::size_t kJsonDepthMax = 2;

// Lists are shown on terminals.
Result<void> check_text(std::string_view what, std::string_view text, std::size_t bytes_max) {
    const std::string subject(what);
    if (text.size() > bytes_max) {
        return fail(Errc::invalid,
                    subject + " has more than " + std::to_string(bytes_max) + " bytes");
    }
    if (!is_utf8(text)) return fail(Errc::invalid, subject + " is not UTF-8");
    if (has_terminal_control(text)) return fail(Errc::invalid, subject + " has control characters");
    return {};
}

// As for the password file, whose users these are.
Result<void> check_name(std::string_view name) {
    if (name.empty()) return fail(Errc::invalid, "the name is empty");
    if (name.find(':') != name.npos) return fail(Errc::invalid, "the name has a colon (:)");
    if (name.starts_with('#') || name.starts_with(' ')) {
        return fail(Errc::invalid, "the name starts with # or a space");
    }
    return check_text("the name", name, kNameBytesMax);
}

Result<SecretHash> parse_hash(std::string_view text) {
    const auto bytes = hex_decode(text);
    SecretHash hash;
    if (!bytes || bytes->size() != hash.size()) {
        return fail(Errc::invalid, "hash must be a SHA-256 in hexadecimal");
    }
    std::memcpy(hash.data(), bytes->data(), hash.size());
    return hash;
}

Result<Identity::Kind> parse_kind(std::string_view text) {
    for (const auto kind : {Identity::Kind::user, Identity::Kind::robot}) {
        if (text == name_of(kind)) return kind;
    }
    return fail(Errc::invalid, "kind must be user or robot");
}

Result<StoredToken> parse_token(JsonFields& line) {
    StoredToken stored;
    AccessToken& token = stored.token;
    BERTH_TRY(token.id, line.text("id"));
    BERTH_TRY(token.name, line.text("name"));
    BERTH_TRY(const std::string kind, line.text("kind"));
    BERTH_TRY(token.kind, parse_kind(kind));
    BERTH_TRY(const std::string hash, line.text("hash"));
    BERTH_TRY(stored.hash, parse_hash(hash));
    BERTH_TRY(token.allow, line.texts("allow"));
    BERTH_TRY(token.description, line.text("description"));
    BERTH_TRY(token.created, line.time("created"));
    if (line.has("expires")) {
        BERTH_TRY(token.expires, line.time("expires"));
    }
    BERTH_TRY(token.created_by, line.text("created_by"));
    BERTH_TRY(stored.grants, check_access_token(token));
    return stored;
}

Result<void> add_line(std::string_view text, AccessTokenTable& table) {
    BERTH_TRY(JsonFields line, JsonFields::parse(text, kJsonDepthMax));
    if (line.has("revoked")) {
        BERTH_TRY(const std::string user, line.text("revoked"));
        BERTH_TRY(const Time at, line.time("at"));
        BERTH_CHECK(line.end());
        Time& last = table.revoked.try_emplace(user, at).first->second;
        last = std::max(last, at);
        return {};
    }
    BERTH_TRY(StoredToken stored, parse_token(line));
    BERTH_CHECK(line.end());
    std::string id = stored.token.id;
    if (table.tokens.try_emplace(id, std::move(stored)).second) return {};
    return fail(Errc::invalid, "the id " + id + " stands twice");
}

Json to_json(const StoredToken& stored) {
    const AccessToken& token = stored.token;
    Json json = {{"id", token.id},
                 {"name", token.name},
                 {"kind", std::string(name_of(token.kind))},
                 {"hash", hex_encode(stored.hash)},
                 {"allow", token.allow},
                 {"description", token.description},
                 {"created", format_rfc3339(token.created)},
                 {"created_by", token.created_by}};
    if (token.expires) json["expires"] = format_rfc3339(*token.expires);
    return json;
}

}  // namespace

std::string_view name_of(Identity::Kind kind) {
    switch (kind) {
        case Identity::Kind::user:
            return "user";
        case Identity::Kind::robot:
            return "robot";
        case Identity::Kind::oidc:
            return "oidc";
    }
    return {};
}

Result<std::shared_ptr<const Grants>> check_access_token(const AccessToken& token) {
    if (token.kind == Identity::Kind::oidc) {
        return fail(Errc::invalid, "only users and robots have access tokens");
    }
    BERTH_CHECK(check_name(token.name));
    BERTH_CHECK(check_text("the description", token.description, kTextBytesMax));
    BERTH_CHECK(check_text("created_by", token.created_by, kTextBytesMax));
    if (token.allow.size() > kGrantsMax) {
        return fail(Errc::invalid,
                    "allow has more than " + std::to_string(kGrantsMax) + " entries");
    }
    for (const std::string& grant : token.allow) {
        BERTH_CHECK(check_text("an entry of allow", grant, kGrantBytesMax));
    }
    if (token.allow.empty()) return nullptr;
    auto grants = Grants::parse(token.allow);
    if (!grants) return std::unexpected(std::move(grants.error()).with_context("allow"));
    return std::make_shared<const Grants>(std::move(*grants));
}

Result<AccessTokenTable> parse_access_tokens(std::string_view text) {
    AccessTokenTable table;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        auto added = add_line(line, table);
        if (!added) {
            return std::unexpected(
                std::move(added.error()).with_context("line " + std::to_string(number)));
        }
    }
    return table;
}

std::string format_access_tokens(const AccessTokenTable& table) {
    std::string text;
    for (const auto& [id, stored] : table.tokens) {
        text += to_json(stored).dump();
        text += '\n';
    }
    for (const auto& [user, at] : table.revoked) {
        text += Json{{"revoked", user}, {"at", format_rfc3339(at)}}.dump();
        text += '\n';
    }
    return text;
}

}  // namespace berth::auth
