// Goal: a path means one thing, however it is written, and hostile ones mean nothing.
// Method: a table of paths.
#include "api/router.h"

#include <gtest/gtest.h>

namespace berth::api {
namespace {

struct Row {
    std::string_view path;
    Resource resource;
    std::string_view name = {}, rest = {};
};

void check(std::string_view prefix, std::initializer_list<Row> rows) {
    for (const Row& row : rows) {
        SCOPED_TRACE(row.path);
        const Route route = find_route(row.path, prefix);
        EXPECT_EQ(route.resource, row.resource);
        EXPECT_EQ(route.name, row.name);
        EXPECT_EQ(route.rest, row.rest);
    }
}

TEST(Router, FindsWhatAPathStandsFor) {
    check("/", {
                   {"/", Resource::front},
                   {"/healthz", Resource::health},
                   {"/v2", Resource::base},
                   {"/v2/", Resource::base},
                   {"/token", Resource::token},
                   {"/token/jwks.json", Resource::token_keys},
                   {"/v2/_catalog", Resource::catalog},
                   {"/v2/_catalog/", Resource::catalog},
                   {"/v2/a/b/tags/list", Resource::tags, "a/b"},
                   {"/v2/a/tags/list/", Resource::tags, "a"},
                   {"/v2/a/manifests/1.0", Resource::manifest, "a", "1.0"},
                   {"/v2/a/b/c/manifests/sha256:1", Resource::manifest, "a/b/c", "sha256:1"},
                   {"/v2/a/blobs/sha256:1", Resource::blob, "a", "sha256:1"},
                   {"/v2/a/blobs/uploads/", Resource::uploads, "a"},
                   {"/v2/a/blobs/uploads", Resource::uploads, "a"},
                   {"/v2/a/blobs/uploads/1-2", Resource::upload, "a", "1-2"},
                   {"/v2/a/referrers/sha256:1", Resource::referrers, "a", "sha256:1"},
               });
}

TEST(Router, ReadsFromTheEndBecauseRepositoriesMayBeCalledLikeResources) {
    check("/", {
                   {"/v2/a/manifests/b/manifests/c", Resource::manifest, "a/manifests/b", "c"},
                   {"/v2/a/blobs/uploads/manifests/c", Resource::manifest, "a/blobs/uploads", "c"},
                   {"/v2/blobs/blobs/sha256:1", Resource::blob, "blobs", "sha256:1"},
                   {"/v2/tags/tags/list", Resource::tags, "tags"},
                   {"/v2/a/tags/list/tags/list", Resource::tags, "a/tags/list"},
               });
}

TEST(Router, KnowsTheAdminApi) {
    check("/", {
                   {"/v2/_berth/tokens", Resource::access_tokens},
                   {"/v2/_berth/tokens/abcd2345", Resource::access_token, "", "abcd2345"},
                   {"/v2/_berth/tokens/revoke-issued", Resource::issued_tokens},
                   {"/v2/_berth/policy/explain", Resource::explanation},
                   {"/v2/_berth/me/tokens", Resource::own_access_tokens},
                   {"/v2/_berth/me/tokens/abcd2345", Resource::own_access_token, "", "abcd2345"},
                   {"/v2/_berth", Resource::unknown},
                   {"/v2/_berth/", Resource::unknown},
                   {"/v2/_berth/tokens/", Resource::unknown},
                   {"/v2/_berth/tokens/a/b", Resource::unknown},
                   {"/v2/_berth/me", Resource::unknown},
                   {"/v2/_berth/me/tokens/a/b", Resource::unknown},
                   {"/v2/_berth/manifests/x", Resource::unknown},
                   {"/v2/_berth/tags/list", Resource::unknown},
                   {"/v2/_Berth/tokens", Resource::unknown},
                   {"/v2//_berth/tokens", Resource::unknown},
                   {"/v2/a/_berth/tags/list", Resource::tags, "a/_berth"},
               });
    check("/registry/", {{"/registry/v2/_berth/tokens", Resource::access_tokens},
                         {"/v2/_berth/tokens", Resource::none}});
    EXPECT_TRUE(is_admin(Resource::own_access_token));
    EXPECT_TRUE(is_registry(Resource::access_tokens)) << "a login may be needed";
    EXPECT_FALSE(is_admin(Resource::catalog));
}

TEST(Router, LeavesNamesToWhoChecksThem) {
    check("/", {
                   {"/v2//manifests/x", Resource::manifest, "", "x"},
                   {"/v2/../manifests/x", Resource::manifest, "..", "x"},
                   {"/v2/A B/tags/list", Resource::tags, "A B"},
               });
}

TEST(Router, KnowsWhatIsNotThere) {
    check("/", {
                   {"", Resource::none},
                   {"/favicon.ico", Resource::none},
                   {"/v1/", Resource::none},
                   {"/v2x", Resource::none},
                   {"//v2/", Resource::none},
                   {"/v2/a", Resource::unknown},
                   {"/v2/manifests/x", Resource::unknown},
                   {"/v2/a/manifest/x", Resource::unknown},
                   {"/v2/a/tags", Resource::unknown},
                   {"/v2/_catalog/x", Resource::unknown},
               });
}

TEST(Router, StandsBehindAPrefix) {
    check("/registry/", {
                            {"/", Resource::front},
                            {"/registry/", Resource::front},
                            {"/healthz", Resource::health},
                            {"/registry/v2/", Resource::base},
                            {"/registry/v2/a/tags/list", Resource::tags, "a"},
                            {"/v2/", Resource::none},
                        });
}

TEST(Router, KnowsEachResourcesMethods) {
    using http::Method;
    EXPECT_TRUE(knows_method(Resource::uploads, Method::post));
    EXPECT_FALSE(knows_method(Resource::uploads, Method::get));
    EXPECT_TRUE(knows_method(Resource::upload, Method::patch));
    EXPECT_FALSE(knows_method(Resource::blob, Method::put));
    EXPECT_FALSE(knows_method(Resource::tags, Method::remove));
    EXPECT_FALSE(knows_method(Resource::manifest, Method::options));
    EXPECT_FALSE(knows_method(Resource::access_token, Method::get));
    EXPECT_TRUE(knows_method(Resource::access_token, Method::remove));
    EXPECT_TRUE(knows_method(Resource::own_access_tokens, Method::post));
    EXPECT_FALSE(knows_method(Resource::explanation, Method::post));
    EXPECT_FALSE(knows_method(Resource::front, Method::other));
    EXPECT_EQ(methods_of(Resource::manifest), "GET, HEAD, PUT, DELETE");
    EXPECT_EQ(reading_methods_of(Resource::manifest), "GET, HEAD");
    EXPECT_EQ(reading_methods_of(Resource::uploads), "");
}

}  // namespace
}  // namespace berth::api
