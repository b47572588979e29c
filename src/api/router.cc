#include "api/router.h"

#include <array>
#include <optional>

namespace berth::api {
namespace {

using http::Method;

// The part of `path` before `/word`, if that is its end.
std::optional<std::string_view> before(std::string_view path, std::string_view word) {
    if (!path.ends_with(word)) return std::nullopt;
    return path.substr(0, path.size() - word.size());
}

Route repository_route(std::string_view path) {
    if (const auto name = before(path, "/blobs/uploads/")) return {Resource::uploads, *name, {}};
    if (path.ends_with('/')) path.remove_suffix(1);
    if (const auto name = before(path, "/blobs/uploads")) return {Resource::uploads, *name, {}};
    if (const auto name = before(path, "/tags/list")) return {Resource::tags, *name, {}};

    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {Resource::unknown, {}, {}};
    const std::string_view rest = path.substr(slash + 1);
    path = path.substr(0, slash);
    if (const auto name = before(path, "/manifests")) return {Resource::manifest, *name, rest};
    if (const auto name = before(path, "/blobs")) return {Resource::blob, *name, rest};
    if (const auto name = before(path, "/blobs/uploads")) return {Resource::upload, *name, rest};
    if (const auto name = before(path, "/referrers")) return {Resource::referrers, *name, rest};
    return {Resource::unknown, {}, {}};
}

// An access token's id, or nothing.
Route token_route(Resource resource, std::string_view id) {
    const bool one = !id.empty() && id.find('/') == std::string_view::npos;
    return one ? Route{resource, {}, id} : Route{Resource::unknown, {}, {}};
}

// The extension's part of the API (distribution-spec, "Extensions").
Route admin_route(std::string_view path) {
    constexpr std::string_view kTokens = "tokens/", kOwnTokens = "me/tokens/";
    if (path == "tokens") return {Resource::access_tokens, {}, {}};
    if (path == "tokens/revoke-issued") return {Resource::issued_tokens, {}, {}};
    if (path == "policy/explain") return {Resource::explanation, {}, {}};
    if (path == "me/tokens") return {Resource::own_access_tokens, {}, {}};
    if (path.starts_with(kTokens)) {
        return token_route(Resource::access_token, path.substr(kTokens.size()));
    }
    if (path.starts_with(kOwnTokens)) {
        return token_route(Resource::own_access_token, path.substr(kOwnTokens.size()));
    }
    return {Resource::unknown, {}, {}};
}

std::string_view word_of(Method method) {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::remove:
            return "DELETE";
        case Method::options:
        case Method::other:
            break;
    }
    return {};
}

}  // namespace

Route find_route(std::string_view path, std::string_view prefix, std::string_view token) {
    if (path == "/" || path == prefix) return {Resource::front, {}, {}};
    if (path == "/healthz") return {Resource::health, {}, {}};
    if (!path.starts_with(prefix)) return {};
    path.remove_prefix(prefix.size());
    if (path == "v2" || path == "v2/") return {Resource::base, {}, {}};
    if (path.starts_with(token)) {
        const std::string_view rest = path.substr(token.size());
        if (rest.empty()) return {Resource::token, {}, {}};
        if (rest == "/jwks.json") return {Resource::token_keys, {}, {}};
    }
    if (!path.starts_with("v2/")) return {};
    path.remove_prefix(3);
    if (path == "_catalog" || path == "_catalog/") return {Resource::catalog, {}, {}};
    // No repository's name begins with `_`.
    if (constexpr std::string_view kOurs = "_berth/"; path.starts_with(kOurs)) {
        return admin_route(path.substr(kOurs.size()));
    }
    return repository_route(path);
}

std::string_view methods_of(Resource resource) {
    switch (resource) {
        case Resource::none:
        case Resource::unknown:
            return "";
        case Resource::front:
        case Resource::health:
        case Resource::base:
        case Resource::catalog:
        case Resource::tags:
        case Resource::referrers:
        case Resource::explanation:
        case Resource::token_keys:
            return "GET, HEAD";
        case Resource::token:
        case Resource::access_tokens:
        case Resource::own_access_tokens:
            return "GET, HEAD, POST";
        case Resource::access_token:
        case Resource::own_access_token:
            return "DELETE";
        case Resource::blob:
            return "GET, HEAD, DELETE";
        case Resource::uploads:
        case Resource::issued_tokens:
            return "POST";
        case Resource::upload:
            return "GET, HEAD, PATCH, PUT, DELETE";
        case Resource::manifest:
            return "GET, HEAD, PUT, DELETE";
    }
    return "";
}

std::string_view reading_methods_of(Resource resource) {
    const std::string_view all = methods_of(resource);
    return all.substr(0, all.starts_with("GET, HEAD") ? std::string_view("GET, HEAD").size() : 0);
}

bool knows_method(Resource resource, Method method) {
    const std::string_view word = word_of(method);
    return !word.empty() && methods_of(resource).find(word) != std::string_view::npos;
}

bool is_registry(Resource resource) {
    return resource != Resource::none && resource != Resource::front &&
           resource != Resource::health && !is_token(resource);
}

bool is_token(Resource resource) {
    return resource == Resource::token || resource == Resource::token_keys;
}

bool is_admin(Resource resource) {
    switch (resource) {
        case Resource::access_tokens:
        case Resource::access_token:
        case Resource::issued_tokens:
        case Resource::explanation:
        case Resource::own_access_tokens:
        case Resource::own_access_token:
            return true;
        default:
            return false;
    }
}

}  // namespace berth::api
