// Goal: lists come in order, in pages that follow each other, and referrers as the spec says.
// Method: exchanges with the real server; pages are followed by their Link.
#include <nlohmann/json.hpp>

#include "support/api_fixture.h"

namespace berth::api {
namespace {

using Names = std::vector<std::string>;
using Pages = std::vector<Names>;

class ApiListing : public ApiFixture {
  protected:
    static Names names_in(const HttpAnswer& answer, const char* key) {
        EXPECT_EQ(answer.status, 200) << answer.body;
        EXPECT_EQ(answer.field("Content-Type"), "application/json");
        return nlohmann::json::parse(answer.body).at(key).get<Names>();
    }
    // The target in a Link; empty: none.
    static std::string next_of(const HttpAnswer& answer) {
        const std::string link = answer.field("Link");
        if (link.empty()) return {};
        EXPECT_TRUE(link.starts_with("<") && link.ends_with(">; rel=\"next\"")) << link;
        return link.substr(1, link.find('>') - 1);
    }
    // All pages from `target` on, each with what it has.
    std::vector<Names> pages(std::string target, const char* key) {
        std::vector<Names> found;
        while (!target.empty()) {
            const HttpAnswer answer = ask("GET", target);
            found.push_back(names_in(answer, key));
            target = next_of(answer);
        }
        return found;
    }
    void push_tags(const std::string& repository, const Names& tags) {
        const std::string json = push_image(repository, tags.front());
        for (const std::string& tag : tags)
            EXPECT_EQ(put_manifest(repository, tag, json).status, 201);
    }
    nlohmann::json referrers(const std::string& target) {
        const HttpAnswer answer = ask("GET", target);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.field("Content-Type"), registry::kOciIndex);
        auto json = nlohmann::json::parse(answer.body);
        EXPECT_EQ(json.at("schemaVersion"), 2);
        EXPECT_EQ(json.at("mediaType"), registry::kOciIndex);
        return json.at("manifests");
    }
    std::string push_referrer(const std::string& repository, const std::string& subject,
                              const std::string& type) {
        const std::string json = registry::image_json(
            {}, R"(,"artifactType":")" + type + R"(","annotations":{"k":"v"},"subject":)" +
                    registry::descriptor_of(subject, registry::kOciManifest));
        EXPECT_EQ(put_manifest(repository, digest(json), json).status, 201);
        return digest(json);
    }
};

TEST_F(ApiListing, TagsComeInTheOrderOfTheirBytes) {
    push_tags("a/b", {"b", "a", "Z", "_x", "1.0", "1.0-rc", "A"});
    const HttpAnswer answer = ask("GET", "/v2/a/b/tags/list");
    EXPECT_EQ(names_in(answer, "tags"), (Names{"1.0", "1.0-rc", "A", "Z", "_x", "a", "b"}));
    EXPECT_EQ(nlohmann::json::parse(answer.body).at("name"), "a/b");
    EXPECT_EQ(answer.field("Link"), "");
    EXPECT_EQ(ask("HEAD", "/v2/a/b/tags/list").field("Content-Length"),
              std::to_string(answer.body.size()));
}

TEST_F(ApiListing, TagsComeInPages) {
    push_tags("a", {"a", "b", "c", "d", "e"});
    EXPECT_EQ(pages("/v2/a/tags/list?n=2", "tags"), (Pages{{"a", "b"}, {"c", "d"}, {"e"}}));
    EXPECT_EQ(pages("/v2/a/tags/list?n=5", "tags"), (Pages{{"a", "b", "c", "d", "e"}}));
    EXPECT_EQ(pages("/v2/a/tags/list?last=bb", "tags"), (Pages{{"c", "d", "e"}}));
    EXPECT_EQ(pages("/v2/a/tags/list?n=1&last=d", "tags"), (Pages{{"e"}}));
    EXPECT_EQ(pages("/v2/a/tags/list?last=z", "tags"), (Pages{{}}));
    EXPECT_EQ(pages("/v2/a/tags/list?n=0", "tags"), (Pages{{}}));
}

TEST_F(ApiListing, PagesHaveALargestSize) {
    ApiSetup setup;
    setup.options.tags_max = 2;
    setup.options.catalog_entries_max = 2;
    start(setup);
    push_tags("a", {"a", "b", "c"});
    for (const char* query : {"", "?n=3", "?n=99999999999999999999999"}) {
        EXPECT_EQ(pages(std::string("/v2/a/tags/list") + query, "tags"),
                  (std::vector<Names>{{"a", "b"}, {"c"}}));
    }
    push_image("b", "1");
    push_image("c", "1");
    EXPECT_EQ(pages("/v2/_catalog", "repositories"), (std::vector<Names>{{"a", "b"}, {"c"}}));
}

TEST_F(ApiListing, BadNumbersAndNamesAreRefused) {
    push_image("a", "1");
    for (const char* n : {"-1", "x", "", "1.5"}) {
        EXPECT_EQ(error_of(ask("GET", std::string("/v2/a/tags/list?n=") + n)),
                  "400 PAGINATION_NUMBER_INVALID");
        EXPECT_EQ(error_of(ask("GET", std::string("/v2/_catalog?n=") + n)),
                  "400 PAGINATION_NUMBER_INVALID");
    }
    EXPECT_EQ(error_of(ask("GET", "/v2/none/tags/list")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(ask("GET", "/v2/none/tags/list?n=0")), "404 NAME_UNKNOWN");
    EXPECT_EQ(error_of(ask("GET", "/v2/NO/tags/list")), "400 NAME_INVALID");
}

TEST_F(ApiListing, ARepositoryWithoutTagsHasAnEmptyList) {
    push_blob("a", "a blob");
    EXPECT_EQ(names_in(ask("GET", "/v2/a/tags/list"), "tags"), Names{});
}

TEST_F(ApiListing, TagsAreThoseThatTheCallerMayPull) {
    start(
        {.rules =
             {{{.name = "releases", .subjects = {"user:bob"}, .actions = {"pull"}, .tags = {"v*"}},
               {.name = "all", .subjects = {"user:alice"}, .actions = {"pull", "push"}}}},
         .users = {{"alice", "pass"}, {"bob", "pass"}}});
    log_in("alice", "pass");
    push_tags("a", {"nightly", "v1", "v2"});
    EXPECT_EQ(pages("/v2/a/tags/list", "tags"), (Pages{{"nightly", "v1", "v2"}}));
    log_in("bob", "pass");
    EXPECT_EQ(pages("/v2/a/tags/list?n=1", "tags"), (Pages{{"v1"}, {"v2"}}));
}

TEST_F(ApiListing, RepositoriesComeInPagesThatEscapeTheirNames) {
    EXPECT_EQ(names_in(ask("GET", "/v2/_catalog"), "repositories"), Names{});
    for (const char* name : {"b", "a/b", "a"})
        push_image(name, "1");
    EXPECT_EQ(names_in(ask("GET", "/v2/_catalog"), "repositories"), (Names{"a", "a/b", "b"}));
    const HttpAnswer answer = ask("GET", "/v2/_catalog?n=2");
    EXPECT_EQ(answer.field("Link"), "</v2/_catalog?n=2&last=a%2Fb>; rel=\"next\"");
    EXPECT_EQ(names_in(ask("GET", next_of(answer)), "repositories"), Names{"b"});
}

TEST_F(ApiListing, ReferrersOfWhatIsNotThereAreNone) {
    EXPECT_EQ(referrers("/v2/none/referrers/" + digest("x")).size(), 0U);
    EXPECT_EQ(error_of(ask("GET", "/v2/a/referrers/sha256:x")), "400 DIGEST_INVALID");
    EXPECT_EQ(error_of(ask("GET", "/v2/a/referrers/latest")), "400 DIGEST_INVALID");
}

TEST_F(ApiListing, ReferrersCarryWhatTheSpecSays) {
    push_blob("a", "{}");
    // Before its subject is there.
    const std::string first = push_referrer("a", "subject", "application/x.sbom+json");
    const auto list = referrers("/v2/a/referrers/" + digest("subject"));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].at("digest"), first);
    EXPECT_EQ(list[0].at("mediaType"), registry::kOciManifest);
    EXPECT_EQ(list[0].at("artifactType"), "application/x.sbom+json");
    EXPECT_EQ(list[0].at("annotations").at("k"), "v");
    EXPECT_GT(list[0].at("size"), 0);
    EXPECT_EQ(ask("GET", "/v2/a/referrers/" + digest("subject")).field("OCI-Filters-Applied"), "");
}

TEST_F(ApiListing, ReferrersAreFilteredByType) {
    push_blob("a", "{}");
    const std::string plain = push_referrer("a", "subject", "application/x.sbom+json");
    push_referrer("a", "subject", "application/x.signature");
    const std::string target =
        "/v2/a/referrers/" + digest("subject") + "?artifactType=application%2Fx.sbom%2Bjson";
    const auto list = referrers(target);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].at("digest"), plain);
    EXPECT_EQ(ask("GET", target).field("OCI-Filters-Applied"), "artifactType");
    EXPECT_EQ(referrers("/v2/a/referrers/" + digest("subject") + "?artifactType=none").size(), 0U);
    EXPECT_EQ(referrers("/v2/a/referrers/" + digest("subject")).size(), 2U);
}

TEST_F(ApiListing, ADeletedReferrerIsGoneAtOnce) {
    ApiSetup setup;
    setup.options.delete_enabled = true;
    start(setup);
    push_blob("a", "{}");
    const std::string referrer = push_referrer("a", "subject", "t/x");
    EXPECT_EQ(referrers("/v2/a/referrers/" + digest("subject")).size(), 1U);
    EXPECT_EQ(ask("DELETE", "/v2/a/manifests/" + referrer).status, 202);
    EXPECT_EQ(referrers("/v2/a/referrers/" + digest("subject")).size(), 0U);
}

TEST_F(ApiListing, ReferrersThatDoNotFitOnePageGoOn) {
    push_blob("a", "{}");
    const std::string large(1'500'000, 'x');
    Names pushed;
    for (int i = 0; i < 4; ++i) {
        const std::string json = registry::image_json(
            {}, R"(,"artifactType":"t/x+y","annotations":{"n":")" + std::to_string(i) + large +
                    R"("},"subject":)" + registry::descriptor_of("subject"));
        EXPECT_EQ(put_manifest("a", digest(json), json).status, 201);
        pushed.push_back(digest(json));
    }
    Names found;
    std::string target = "/v2/a/referrers/" + digest("subject") + "?artifactType=t%2Fx%2By";
    for (int page = 0; !target.empty() && page < 10; ++page) {
        const HttpAnswer answer = ask("GET", target);
        EXPECT_LE(answer.body.size(), 4u << 20);
        ASSERT_EQ(answer.status, 200) << answer.body;
        const auto index = nlohmann::json::parse(answer.body);
        for (const auto& one : index.at("manifests"))
            found.push_back(one.at("digest"));
        target = next_of(answer);
    }
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(pushed));
}

}  // namespace
}  // namespace berth::api
