// Goal: the referrers of a digest are all there, each once, in digest order, page by page. Method:
// a registry in memory; referrers are images with a subject, or children of the referrers tag.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

constexpr std::size_t kNoLimit = 4u << 20;

class ReferrersTest : public RegistryFixture {
  protected:
    void SetUp() override { push_blob(app_, "{}"); }

    std::string subject_member() const {
        return R"(,"subject":)" + descriptor(subject_, 7, kOciManifest);
    }
    Digest push_referrer(const std::string& artifact_type, int number = 0) {
        const auto json =
            image_json({}, R"(,"artifactType":")" + artifact_type + R"(","annotations":{"n":")" +
                               std::to_string(number) + R"("})" + subject_member());
        return push(app_, sha256_of(json), json);
    }
    // An artifact that says nothing of its subject.
    std::string plain(int number) const {
        return image_json({}, R"(,"annotations":{"plain":")" + std::to_string(number) + R"("})");
    }
    void tag_referrers(const std::vector<std::string>& children) {
        push(app_, tag_of("sha256-" + std::string(subject_.hex())), index_json(children));
    }
    ReferrersPage page(const std::string& artifact_type = {},
                       const std::optional<Digest>& after = {}, std::size_t bytes_max = kNoLimit) {
        return registry().referrers(app_, subject_, artifact_type, after, bytes_max).value();
    }
    static std::vector<Digest> digests_of(const ReferrersPage& page) {
        std::vector<Digest> digests;
        for (const auto& referrer : page.referrers)
            digests.push_back(referrer.digest);
        return digests;
    }
    static std::vector<Digest> sorted(std::vector<Digest> digests) {
        std::ranges::sort(digests);
        return digests;
    }

    const Digest subject_ = sha256_of("subject");
};

TEST_F(ReferrersTest, AreNoneForWhatNobodyRefersTo) {
    EXPECT_TRUE(page().referrers.empty());
    EXPECT_FALSE(page().next);
    const auto unknown =
        registry().referrers(repository_of("nobody"), subject_, "", std::nullopt, kNoLimit);
    EXPECT_TRUE(unknown.value().referrers.empty());
}

TEST_F(ReferrersTest, AreThereBeforeTheirSubject) {
    const auto digest = push_referrer("a/b", 1);
    const auto found = page();
    ASSERT_EQ(found.referrers.size(), 1u);
    const auto& referrer = found.referrers[0];
    EXPECT_EQ(referrer.digest, digest);
    EXPECT_EQ(referrer.media_type, kOciManifest);
    EXPECT_EQ(referrer.size, registry().manifest(app_, digest).value()->size);
    EXPECT_EQ(referrer.artifact_type, "a/b");
    EXPECT_EQ(referrer.annotations, R"({"n":"1"})");
}

TEST_F(ReferrersTest, AreOfTheirOwnRepositoryOnly) {
    push_referrer("a/b");
    EXPECT_TRUE(registry()
                    .referrers(other_, subject_, "", std::nullopt, kNoLimit)
                    .value()
                    .referrers.empty());
}

TEST_F(ReferrersTest, ShowTheConfigsTypeForAnImageAndNoneForAnIndex) {
    const auto image = image_json({}, subject_member());
    const auto index = index_json({}, subject_member());
    push(app_, sha256_of(image), image);
    push(app_, sha256_of(index), index);
    std::map<Digest, std::string> types;
    const auto found = page();
    for (const auto& referrer : found.referrers)
        types[referrer.digest] = referrer.artifact_type;
    EXPECT_EQ(types.at(sha256_of(image)), "application/vnd.oci.image.config.v1+json");
    EXPECT_EQ(types.at(sha256_of(index)), "");
}

TEST_F(ReferrersTest, AreFilteredByArtifactType) {
    const auto odd = push_referrer("application/x+odd%20type; q=\\\"1\\\"");
    const auto plain_type = push_referrer("a/b");
    EXPECT_THAT(digests_of(page("application/x+odd%20type; q=\"1\"")), testing::ElementsAre(odd));
    EXPECT_THAT(digests_of(page("a/b")), testing::ElementsAre(plain_type));
    EXPECT_TRUE(page("a/%").referrers.empty());
}

TEST_F(ReferrersTest, AreGoneWhenTheyAreDeleted) {
    const auto first = push_referrer("a/b", 1);
    const auto second = push_referrer("a/b", 2);
    ASSERT_TRUE(registry().delete_manifest(app_, first, actor_));
    EXPECT_THAT(digests_of(page()), testing::ElementsAre(second));
}

TEST_F(ReferrersTest, CountWhatTheReferrersTagLists) {
    const auto direct = push_referrer("a/b");
    push(app_, sha256_of(plain(1)), plain(1));
    push(app_, sha256_of(plain(2)), plain(2));
    tag_referrers({child_of(plain(1)), child_of(plain(2)), child_of(plain(1)),
                   descriptor(direct, registry().manifest(app_, direct).value()->size)});
    EXPECT_EQ(digests_of(page()), sorted({direct, sha256_of(plain(1)), sha256_of(plain(2))}));
    EXPECT_THAT(digests_of(page("a/b")), testing::ElementsAre(direct));
    EXPECT_EQ(digests_of(page("application/vnd.oci.image.config.v1+json")),
              sorted({sha256_of(plain(1)), sha256_of(plain(2))}));
    ASSERT_TRUE(registry().delete_manifest(app_, sha256_of(plain(1)), actor_));
    EXPECT_EQ(digests_of(page()), sorted({direct, sha256_of(plain(2))}));
}

TEST_F(ReferrersTest, IgnoreAReferrersTagThatIsNoList) {
    const auto direct = push_referrer("a/b");
    push(app_, tag_of("sha256-" + std::string(subject_.hex())), plain(1));
    EXPECT_THAT(digests_of(page()), testing::ElementsAre(direct));
}

// A tag has no room for the whole digest.
TEST_F(ReferrersTest, KnowTheTagOfALongDigest) {
    const auto subject = sha512_of("subject");
    push(app_, sha256_of(plain(1)), plain(1));
    push(app_, tag_of("sha512-" + std::string(subject.hex().substr(0, 64))),
         index_json({child_of(plain(1))}));
    const auto found = registry().referrers(app_, subject, "", std::nullopt, kNoLimit).value();
    EXPECT_THAT(digests_of(found), testing::ElementsAre(sha256_of(plain(1))));
}

TEST_F(ReferrersTest, ComeInPagesThatKeepTheLimit) {
    std::vector<Digest> expected;
    std::vector<std::string> tagged;
    for (int i = 0; i < 60; ++i) {
        expected.push_back(push_referrer("a/b", i));
        const auto json = plain(i);
        expected.push_back(push(app_, sha256_of(json), json));
        tagged.push_back(child_of(json));
    }
    tag_referrers(tagged);
    for (const std::size_t bytes_max : {1u, 400u, 1000u, 5000u, 1u << 20}) {
        std::vector<Digest> listed;
        std::optional<Digest> after;
        do {
            const auto part = page("", after, bytes_max);
            ASSERT_FALSE(part.referrers.empty());
            const bool fits = oci::format_referrers(part.referrers).size() <= bytes_max;
            EXPECT_TRUE(fits || part.referrers.size() == 1);
            for (const auto& referrer : part.referrers)
                listed.push_back(referrer.digest);
            after = part.next;
        } while (after);
        EXPECT_EQ(listed, sorted(expected)) << bytes_max;
    }
}

TEST_F(ReferrersTest, GoOnAfterADigestThatIsNotThere) {
    const auto digest = push_referrer("a/b");
    const auto low = Digest::parse("sha256:" + std::string(64, '0')).value();
    const auto high = Digest::parse("sha256:" + std::string(64, 'f')).value();
    EXPECT_THAT(digests_of(page("", low)), testing::ElementsAre(digest));
    EXPECT_TRUE(page("", high).referrers.empty());
    EXPECT_TRUE(page("", digest).referrers.empty());
}

}  // namespace
}  // namespace berth::registry
