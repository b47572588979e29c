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

}  // namespace

Route find_route(std::string_view path, std::string_view prefix) {
    if (path == "/" || path == prefix) return {Resource::front, {}, {}};
    if (path == "/healthz") return {Resource::health, {}, {}};
    if (!path.starts_with(prefix)) return {};
    path.remove_prefix(prefix.size());
    if (path == "v2" || path == "v2/") return {Resource::base, {}, {}};
    if (!path.starts_with("v2/")) return {};
    path.remove_prefix(3);
    if (path == "_catalog" || path == "_catalog/") return {Resource::catalog, {}, {}};
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
            return "GET, HEAD";
        case Resource::blob:
            return "GET, HEAD, DELETE";
        case Resource::uploads:
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
    switch (method) {
        case Method::get:
        case Method::head:
            return resource != Resource::uploads;
        case Method::post:
            return resource == Resource::uploads;
        case Method::put:
            return resource == Resource::upload || resource == Resource::manifest;
        case Method::patch:
            return resource == Resource::upload;
        case Method::remove:
            return resource == Resource::upload || resource == Resource::manifest ||
                   resource == Resource::blob;
        case Method::options:
        case Method::other:
            break;
    }
    return false;
}

bool is_registry(Resource resource) {
    return resource != Resource::none && resource != Resource::front &&
           resource != Resource::health;
}

}  // namespace berth::api
