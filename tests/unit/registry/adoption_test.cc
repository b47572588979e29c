// Goal: what registry:2 has left is served as if it had been pushed here, from the first request
// on, and nothing that happens meanwhile is undone; what is broken is left out and found.
// Method: trees written by hand, in memory; on a disk where only a disk can fail. A new start is a
// new Adoption on the same tree and index.
#include "registry/adoption.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "oci/media_type.h"
#include "support/link_tree.h"
#include "support/registry_fixture.h"
#include "support/temporary_directory.h"

namespace berth::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class AdoptionTest : public RegistryFixture {
  protected:
    // Without threads: nothing is taken over but what is asked for.
    void open() {
        registry_.reset();
        adoption_.reset();
        adoption_ = Adoption::open(*directory_, *blobs_, *index_, options()).value();
        RegistryOptions registry_options;
        registry_options.adoption = adoption_.get();
        restart(std::move(registry_options));
    }
    void take_over_all() {
        if (!adoption_) open();
        adoption_->start();
        const auto done = adoption_->wait();
        ASSERT_TRUE(done) << done.error().detail;
        ASSERT_TRUE(adoption_->done());
    }
    AdoptionOptions options() {
        AdoptionOptions options;
        options.on_finding = [this](const store::Finding& finding) {
            findings_.push_back(finding.kind + " " +
                                finding.detail.substr(0, finding.detail.find(':')));
        };
        options.on_progress = [this](const AdoptionProgress& progress) { last_ = progress; };
        options.on_error = [this](const Error& error) { errors_.push_back(error.detail); };
        return options;
    }
    std::string image(const std::string& repository, const std::string& layer,
                      const std::string& tag) {
        tree_.add_blob(repository, "{}");
        tree_.add_blob(repository, layer);
        const auto json = image_json({descriptor_of(layer)});
        tree_.add_manifest(repository, json, {tag});
        return json;
    }
    std::vector<std::string> catalog() {
        const auto page = registry().repositories("", 100, kAll);
        return page ? page->names
                    : std::vector<std::string>{std::string(name_of(page.error().code))};
    }
    std::vector<std::string> tags_of(const std::string& repository) {
        const auto page = registry().tags(repository_of(repository), "", 1000, kAll);
        return page ? page->names
                    : std::vector<std::string>{std::string(name_of(page.error().code))};
    }
    std::string pull(const std::string& repository, const std::string& tag) {
        const auto content = registry().manifest(repository_of(repository), tag_of(tag));
        return content ? text_of(**content) : std::string(name_of(content.error().code));
    }
    Errc blob_of(const std::string& repository, const Digest& digest) {
        const auto content = registry().blob(repository_of(repository), digest);
        return content ? Errc{} : content.error().code;
    }

    LinkTree tree_{*directory_};
    std::vector<std::string> findings_, errors_;
    AdoptionProgress last_;
    std::unique_ptr<Adoption> adoption_;
};

TEST_F(AdoptionTest, AnEmptyRootHasNothingToTakeOver) {
    open();
    EXPECT_TRUE(adoption_->done());
    EXPECT_TRUE(index_->adopted_all().value());
    adoption_->start();
    EXPECT_TRUE(adoption_->wait());
    EXPECT_THAT(catalog(), IsEmpty());
}

TEST_F(AdoptionTest, ServesAllThatTheOriginalServed) {
    const auto amd = image("team/app", "amd64 layer", "amd64");
    const auto arm = image("team/app", "arm64 layer", "arm64");
    const auto both = index_json({child_of(amd), child_of(arm)});
    const auto digest = tree_.add_manifest("team/app", both, {"latest"});
    const auto signature = image_json({}, R"(,"subject":)" + child_of(amd));
    tree_.add_manifest("team/app", signature);
    const auto other = image("other", "layer", "v1");
    take_over_all();
    EXPECT_THAT(catalog(), ElementsAre("other", "team/app"));
    EXPECT_THAT(tags_of("team/app"), ElementsAre("amd64", "arm64", "latest"));
    EXPECT_EQ(pull("team/app", "latest"), both);
    EXPECT_EQ(pull("team/app", "amd64"), amd);
    EXPECT_EQ(pull("other", "v1"), other);
    EXPECT_EQ(text_of(**registry().blob(app_, sha256_of("arm64 layer"))), "arm64 layer");
    EXPECT_EQ(registry().manifest(app_, digest).value()->media_type, kOciIndex);
    const auto referrers =
        registry().referrers(app_, sha256_of(amd), "", std::nullopt, 10'000).value();
    ASSERT_EQ(referrers.referrers.size(), 1u);
    EXPECT_EQ(referrers.referrers[0].digest, sha256_of(signature));
    EXPECT_THAT(findings_, IsEmpty());
    EXPECT_THAT(errors_, IsEmpty());
    EXPECT_TRUE(last_.done);
    EXPECT_EQ(last_.repositories, 2u);
    EXPECT_EQ(last_.manifests, 5u);
    EXPECT_EQ(last_.tags, 4u);
}

TEST_F(AdoptionTest, ARequestTakesOverWhatItNamesAndTheListWaitsForAll) {
    const auto json = image("team/app", "layer", "v1");
    image("team/other", "layer", "v1");
    open();
    EXPECT_FALSE(adoption_->done());
    EXPECT_THAT(catalog(), ElementsAre("unavailable"));
    EXPECT_EQ(pull("team/app", "v1"), json);
    EXPECT_TRUE(index_->adopted(app_).value());
    EXPECT_FALSE(index_->adopted(other_).value());
    EXPECT_TRUE(registry().has_repository(other_).value());
    EXPECT_THAT(catalog(), ElementsAre("unavailable"));
    take_over_all();
    EXPECT_THAT(catalog(), ElementsAre("team/app", "team/other"));
}

TEST_F(AdoptionTest, EveryKindOfRequestTakesOver) {
    const auto json = image("team/app", "layer", "v1");
    const auto digest = sha256_of(json);
    const std::vector<std::function<bool()>> requests = {
        [&] { return registry().manifest(app_, tag_of("v1")).has_value(); },
        [&] { return registry().manifest(app_, digest).has_value(); },
        [&] { return registry().blob(app_, sha256_of("layer")).has_value(); },
        [&] { return registry().has_repository(app_).value(); },
        [&] { return registry().tags_of(app_, digest).value().size() == 1; },
        [&] { return registry().tags(app_, "", 10, kAll).value().names.size() == 1; },
        [&] { return registry().referrers(app_, digest, "", {}, 9000).has_value(); },
        [&] { return registry().delete_tag(app_, tag_of("v1"), actor_).has_value(); },
        [&] { return registry().delete_manifest(app_, digest, actor_).has_value(); },
        [&] { return registry().delete_blob(app_, sha256_of("layer"), actor_).has_value(); },
        [&] { return try_push_blob(app_, "more", sha256_of("more")).has_value(); },
        [&] { return try_push(app_, tag_of("v2"), json).has_value(); },
        [&] {
            return registry()
                .mount_blob(
                    app_, sha256_of("layer"), std::nullopt, [](const auto&) { return true; },
                    actor_)
                .value();
        },
        [&] {
            return registry()
                .mount_blob(
                    other_, sha256_of("layer"), app_, [](const auto&) { return true; }, actor_)
                .value();
        },
    };
    for (std::size_t i = 0; i < requests.size(); ++i) {
        ASSERT_TRUE(index_->set_given_back());
        open();
        EXPECT_TRUE(requests[i]()) << "request " << i;
        EXPECT_TRUE(index_->adopted(app_).value()) << "request " << i;
    }
}

TEST_F(AdoptionTest, WhatIsPushedMeanwhileStays) {
    image("team/app", "layer", "v1");
    open();
    push_image(app_, "v2", "pushed");
    push_image(other_, "v1", "pushed");  // which the tree does not know
    take_over_all();
    EXPECT_THAT(tags_of("team/app"), ElementsAre("v1", "v2"));
    EXPECT_THAT(tags_of("team/other"), ElementsAre("v1"));
}

TEST_F(AdoptionTest, WhatIsDeletedMeanwhileStaysDeletedOverARestart) {
    image("team/app", "layer", "v1");
    image("team/app", "layer", "v2");
    image("team/other", "layer", "v1");
    open();
    ASSERT_TRUE(registry().delete_tag(app_, tag_of("v1"), actor_));
    open();
    take_over_all();
    EXPECT_THAT(tags_of("team/app"), ElementsAre("v2"));
    EXPECT_THAT(tags_of("team/other"), ElementsAre("v1"));
}

TEST_F(AdoptionTest, ANameThatIsNowhereIsNotRemembered) {
    image("team/other", "layer", "v1");
    open();
    EXPECT_EQ(pull("team/app", "v1"), "not_found");
    EXPECT_FALSE(index_->adopted(app_).value());
}

TEST_F(AdoptionTest, AfterItWasGivenBackTheTreeIsTheTruth) {
    image("team/app", "layer", "v1");
    image("team/other", "layer", "v1");
    take_over_all();
    ASSERT_TRUE(index_->set_given_back());
    tree_.remove("docker/registry/v2/repositories/team/other");
    image("team/app", "new", "v2");
    open();
    take_over_all();
    EXPECT_THAT(catalog(), ElementsAre("team/app"));
    EXPECT_THAT(tags_of("team/app"), ElementsAre("v1", "v2"));
}

TEST_F(AdoptionTest, AfterItWasGivenBackAndTheWholeTreeWentNothingIsLeft) {
    image("team/app", "layer", "v1");
    take_over_all();
    ASSERT_TRUE(index_->set_given_back());
    tree_.remove("docker/registry/v2/repositories");
    open();
    EXPECT_FALSE(adoption_->done());
    take_over_all();
    EXPECT_THAT(catalog(), IsEmpty());
}

TEST_F(AdoptionTest, BrokenManifestsAreLeftOutAndTheOthersServed) {
    const auto good = image("app", "layer", "good");
    const auto empty =
        tree_.add_manifest("app", image_json({}, R"(,"annotations":{"a":"1"})"), {"empty"});
    tree_.write(store::blob_path(empty), "");
    const auto torn =
        tree_.add_manifest("app", image_json({}, R"(,"annotations":{"a":"2"})"), {"torn"});
    tree_.write(store::blob_path(torn), "{\"schemaVersion\":2}");
    const auto gone =
        tree_.add_manifest("app", image_json({}, R"(,"annotations":{"a":"3"})"), {"gone"});
    tree_.remove(store::blob_path(gone));
    tree_.add_manifest("app", R"({"schemaVersion":1,"name":"app","tag":"old","fsLayers":[]})",
                       {"old"});
    tree_.add_manifest("app", "not json", {"text"});
    tree_.add_manifest("app", std::string(5u << 20, ' '), {"huge"});
    take_over_all();
    EXPECT_THAT(tags_of("app"), ElementsAre("good"));
    EXPECT_EQ(pull("app", "good"), good);
    std::map<std::string, int> kinds;
    for (const auto& finding : findings_)
        ++kinds[finding.substr(0, finding.find(' '))];
    // Empty, schema 1, no JSON and too large; torn; gone, and the six tags on all of them.
    EXPECT_EQ(kinds["bad-manifest"], 4);
    EXPECT_EQ(kinds["wrong-digest"], 1);
    EXPECT_EQ(kinds["missing-manifest"], 1 + 6);
    EXPECT_EQ(findings_.size(), 12u);
}

TEST_F(AdoptionTest, AnImageWithABrokenLayerIsServedAndItsLayerNot) {
    const auto missing = image("app", "missing layer", "missing");
    tree_.remove(store::blob_path(sha256_of("missing layer")));
    const auto empty = image("app", "empty layer", "empty");
    tree_.write(store::blob_path(sha256_of("empty layer")), "");
    const auto torn = image("app", "torn layer", "torn");
    tree_.write(store::blob_path(sha256_of("torn layer")), "torn");
    const auto unlinked = image("app", "unlinked layer", "unlinked");
    tree_.remove(LinkTree::layer_link("app", sha256_of("unlinked layer")));
    take_over_all();
    EXPECT_EQ(pull("app", "missing"), missing);
    EXPECT_EQ(pull("app", "empty"), empty);
    EXPECT_EQ(pull("app", "torn"), torn);
    EXPECT_EQ(pull("app", "unlinked"), unlinked);
    for (const auto* layer : {"missing layer", "empty layer", "torn layer", "unlinked layer"})
        EXPECT_EQ(blob_of("app", sha256_of(layer)), Errc::not_found) << layer;
    EXPECT_THAT(findings_, UnorderedElementsAre("missing-blob app", "wrong-size app",
                                                "wrong-size app", "missing-blob app"));
    // Pushed again, all is well.
    for (const auto* layer : {"missing layer", "empty layer", "torn layer", "unlinked layer"}) {
        push_blob(repository_of("app"), layer);
        EXPECT_EQ(text_of(**registry().blob(repository_of("app"), sha256_of(layer))), layer);
    }
}

TEST_F(AdoptionTest, LinksThatGarbageCollectionHasLeftAreNotDamage) {
    image("app", "layer", "v1");
    const auto collected = tree_.add_blob("app", "collected");
    tree_.remove(store::blob_folder_path(collected));
    take_over_all();
    EXPECT_EQ(blob_of("app", collected), Errc::not_found);
    EXPECT_THAT(findings_, IsEmpty());
}

TEST_F(AdoptionTest, AnIndexIsServedWithoutAChildThatIsGone) {
    const auto amd = image("app", "amd64", "amd64");
    const auto arm = image("app", "arm64", "arm64");
    const auto both = index_json({child_of(amd), child_of(arm)});
    tree_.add_manifest("app", both, {"both"});
    tree_.remove("docker/registry/v2/repositories/app/_manifests/tags/arm64");
    tree_.remove(LinkTree::revision_link("app", sha256_of(arm)));
    take_over_all();
    EXPECT_EQ(pull("app", "both"), both);
    EXPECT_THAT(findings_, ElementsAre("missing-manifest app"));
}

TEST_F(AdoptionTest, BuildCachesAndForeignLayersAreNoDamage) {
    tree_.add_blob("cache", "{}");
    tree_.add_blob("cache", "layer");
    tree_.add_manifest("cache", index_json({descriptor_of("layer")}), {"cache"});
    tree_.add_manifest("cache",
                       image_json({descriptor_of(
                           "windows", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                           R"(,"urls":["https://example.org/l"])")}),
                       {"foreign"});
    take_over_all();
    EXPECT_THAT(tags_of("cache"), ElementsAre("cache", "foreign"));
    EXPECT_THAT(findings_, IsEmpty());
}

TEST_F(AdoptionTest, TheTypeOfAManifestIsFoundInside) {
    tree_.add_blob("app", "{}");
    const auto plain = R"({"schemaVersion":2,"config":)" + descriptor_of("{}") + R"(,"layers":[]})";
    const auto docker = R"({"schemaVersion":2,"mediaType":")" + std::string(oci::kDockerManifest) +
                        R"(","config":)" + descriptor_of("{}") + R"(,"layers":[]})";
    tree_.add_manifest("app", plain, {"plain"});
    tree_.add_manifest("app", docker, {"docker"});
    take_over_all();
    const auto name = repository_of("app");
    EXPECT_EQ(registry().manifest(name, tag_of("plain")).value()->media_type, kOciManifest);
    EXPECT_EQ(registry().manifest(name, tag_of("docker")).value()->media_type,
              "application/vnd.docker.distribution.manifest.v2+json");
}

TEST_F(AdoptionTest, RequestsAndThreadsShareTheWork) {
    constexpr int kRepositories = 60;
    for (int i = 0; i < kRepositories; ++i)
        image("r" + std::to_string(i), "layer " + std::to_string(i % 7), "v1");
    open();
    adoption_->start();
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < kRepositories; ++i) {
                const auto name = "r" + std::to_string((i * 7 + thread * 20) % kRepositories);
                EXPECT_TRUE(pull(name, "v1").starts_with("{")) << name;
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    ASSERT_TRUE(adoption_->wait());
    EXPECT_EQ(catalog().size(), std::size_t{kRepositories});
    EXPECT_EQ(adoption_->progress().manifests, std::uint64_t{kRepositories});
}

TEST_F(AdoptionTest, StopsInTheMiddleAndGoesOn) {
    for (int i = 0; i < 100; ++i)
        image("r" + std::to_string(i), "layer", "v1");
    open();
    adoption_->start();
    open();  // stops it, wherever it is
    take_over_all();
    EXPECT_EQ(catalog().size(), 100u);
    EXPECT_EQ(index_->totals().value().tags, 100u);
}

// A folder that cannot be listed is no damage of ours to judge: rights may be wrong, or a disk not
// mounted. Nothing may be lost by it.
TEST_F(AdoptionTest, ADiskThatFailsIsTriedAgainAtTheNextStart) {
    const TemporaryDirectory temporary;
    const auto disk = io::open_directory(temporary.path()).value();
    const auto blobs =
        store::make_file_blob_store(*disk, clock_, {.reserve_bytes = 0, .boot_id = ""});
    LinkTree tree(*disk);
    tree.add_manifest("good", index_json({}), {"v1"});
    tree.add_manifest("bad", index_json({}), {"v1"});
    const auto loop = temporary.file("docker/registry/v2/repositories/bad/_layers");
    ASSERT_EQ(::symlink(loop.c_str(), loop.c_str()), 0);
    const auto name = repository_of("bad");
    {
        const auto adoption = Adoption::open(*disk, *blobs, *index_, options()).value();
        adoption->start();
        EXPECT_FALSE(adoption->wait());
        EXPECT_FALSE(adoption->done());
        EXPECT_FALSE(adoption->ensure(name));
        EXPECT_TRUE(adoption->ensure(repository_of("good")));
        ASSERT_EQ(errors_.size(), 1u);
        EXPECT_TRUE(errors_[0].starts_with("bad: ")) << errors_[0];
    }
    EXPECT_FALSE(index_->adopted_all().value());
    ASSERT_EQ(::unlink(loop.c_str()), 0);
    const auto adoption = Adoption::open(*disk, *blobs, *index_, options()).value();
    adoption->start();
    EXPECT_TRUE(adoption->wait());
    EXPECT_TRUE(adoption->done());
    EXPECT_TRUE(index_->find_tag(name, tag_of("v1")).value());
}

// Random trees with random damage: what a naive reader of the same tree would serve is served.
TEST_F(AdoptionTest, RandomTreesAreServedAsANaiveReaderWould) {
    std::mt19937_64 random(5);
    const auto below = [&random](std::uint64_t end) { return random() % end; };
    const std::vector<std::string> names = {"a", "a/b", "c/d/e"};
    struct Expected {
        std::map<std::string, std::string> tags;  // → manifest
        std::map<Digest, bool> blobs;             // served?
    };
    std::map<std::string, Expected> expected;
    for (const auto& name : names) {
        auto& here = expected[name];
        here.blobs[tree_.add_blob(name, "{}")] = true;
        for (int number = 0; number < 25; ++number) {
            const std::string layer = name + " layer " + std::to_string(number);
            const std::string tag = "t" + std::to_string(number);
            const auto blob = tree_.add_blob(name, layer);
            const auto json = image_json({descriptor_of(layer)});
            const auto manifest = tree_.add_manifest(name, json, {tag});
            here.blobs[blob] = true;
            here.tags[tag] = json;
            switch (below(9)) {
                case 0:
                    tree_.remove(store::blob_path(blob));
                    here.blobs[blob] = false;
                    break;
                case 1:
                    tree_.write(store::blob_path(blob), layer.substr(0, below(layer.size())));
                    here.blobs[blob] = false;
                    break;
                case 2:
                    tree_.write(LinkTree::layer_link(name, blob), below(2) == 0 ? "" : "junk");
                    here.blobs[blob] = false;
                    break;
                case 3:
                    tree_.write(store::blob_path(manifest), json.substr(0, below(json.size())));
                    here.tags.erase(tag);
                    break;
                case 4:
                    tree_.write(LinkTree::revision_link(name, manifest), "");
                    here.tags.erase(tag);
                    break;
                case 5:
                    tree_.write(LinkTree::tag_link(name, tag),
                                manifest.text().substr(below(9) + 1));
                    here.tags.erase(tag);
                    break;
                default:
                    break;
            }
        }
    }
    take_over_all();
    for (const auto& [name, here] : expected) {
        std::vector<std::string> tags;
        for (const auto& [tag, json] : here.tags) {
            tags.push_back(tag);
            EXPECT_EQ(pull(name, tag), json);
        }
        EXPECT_EQ(tags_of(name), tags);
        for (const auto& [digest, served] : here.blobs)
            EXPECT_EQ(blob_of(name, digest), served ? Errc{} : Errc::not_found) << digest.text();
    }
}

}  // namespace
}  // namespace berth::registry
