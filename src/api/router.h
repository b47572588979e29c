// The router: what a path stands for. Pure, and without allocating: the hot path asks it too.
#pragma once

#include <string_view>

#include "http/message.h"

namespace berth::api {

enum class Resource {
    none,        // nothing of ours
    unknown,     // below /v2/, but nothing there
    front,       // the page for people
    health,      // for probes
    token,       // the token service
    token_keys,  // its public keys
    base,        // /v2/
    catalog,
    blob,
    uploads,  // where an upload begins
    upload,
    manifest,
    tags,
    referrers,
    // The admin API, below /v2/_berth/.
    access_tokens,
    access_token,
    issued_tokens,  // to revoke
    explanation,    // of what the policy says
    own_access_tokens,
    own_access_token,
};

struct Route {
    Resource resource = Resource::none;
    std::string_view name;  // of the repository, not checked
    std::string_view rest;  // the reference, digest or id, not checked
};

// `path` is decoded, `prefix` has a leading and a trailing slash; `token` is the token service's
// path behind it. Read from the end, because a repository may be called `a/manifests/b`.
Route find_route(std::string_view path, std::string_view prefix, std::string_view token = "token");

// For the Allow field: the methods that a resource knows, and of them those that change nothing.
std::string_view methods_of(Resource resource);
std::string_view reading_methods_of(Resource resource);

bool knows_method(Resource resource, http::Method method);

// Is it of the registry's API, where a login may be needed?
bool is_registry(Resource resource);
// Is it of the token service?
bool is_token(Resource resource);
// Is it of the admin API?
bool is_admin(Resource resource);

}  // namespace berth::api
