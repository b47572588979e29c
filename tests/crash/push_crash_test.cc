// Goal: after a power cut at any step of a whole push (blobs, manifest, tag), everything that was
// acknowledged is served, whole, and what was not acknowledged is served whole or not at all.
//
// Method: the blobs are on a directory whose power goes at step k, for every k. The index is in
// memory and outlives the power cut: each of its changes is durable at once, earlier than any disk
// would make it so. That is the hardest case for the order that is being proven, bytes before
// names: an index that had been a moment ahead of its blobs would show it. (That the index keeps
// what it acknowledged is tests/unit/store/index/kill_test.cc.) Each tree found after the cut (many
// seeds) is served by a new registry over the same index.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/crash_directory.h"
#include "support/pattern.h"
#include "support/registry_fixture.h"

namespace berth::registry {
namespace {

constexpr std::uint64_t kSeeds = 24;
constexpr std::uint64_t kStepsMax = 1000;  // no script is that long

// One server: a registry on a directory, and an index that may be an older one's.
class Server {
  public:
    Server(io::Directory& directory, store::Index& index, const Clock& clock, std::string boot_id)
        : blobs_(store::make_file_blob_store(directory, clock,
                                             {.reserve_bytes = 0, .boot_id = std::move(boot_id)})),
          registry_(*blobs_, index, {}) {}

    Registry& operator*() { return registry_; }
    Registry* operator->() { return &registry_; }

  private:
    std::unique_ptr<store::BlobStore> blobs_;
    Registry registry_;
};

// What a script tried, and what of it was acknowledged.
struct Promises {
    using Name = std::pair<std::string, std::string>;  // repository, and tag or digest

    std::map<Name, std::string> tried_blobs, blobs;          // the bytes
    std::map<Name, std::string> tried_manifests, manifests;  // the JSON
    std::map<Name, std::vector<std::string>> tried_tags;     // all that it was ever to point at
    std::map<Name, std::string> tags;                        // the last acknowledged
};

class Client {
  public:
    Client(Registry& registry, Promises& promises) : registry_(registry), promises_(promises) {}

    Result<void> push_blob(const std::string& repository, const std::string& bytes) {
        const auto digest = sha256_of(bytes);
        promises_.tried_blobs[{repository, digest.text()}] = bytes;
        BERTH_TRY(const auto info,
                  registry_.begin_upload(repository_of(repository), oci::Algorithm::sha256));
        BERTH_TRY(auto upload, registry_.open_upload(repository_of(repository), info.id));
        const auto half = bytes.size() / 2;
        BERTH_CHECK(upload->append(as_bytes(bytes).first(half)));
        BERTH_CHECK(upload->save());
        BERTH_CHECK(upload->append(as_bytes(bytes).subspan(half)));
        BERTH_CHECK(registry_.commit_upload(std::move(upload), digest, {}));
        promises_.blobs[{repository, digest.text()}] = bytes;
        return {};
    }
    Result<void> mount(const std::string& repository, const std::string& from,
                       const std::string& bytes) {
        const auto digest = sha256_of(bytes);
        promises_.tried_blobs[{repository, digest.text()}] = bytes;
        const auto anything = [](const RepositoryName&) { return true; };
        BERTH_TRY(const bool mounted, registry_.mount_blob(repository_of(repository), digest,
                                                           repository_of(from), anything, {}));
        if (!mounted) return push_blob(repository, bytes);
        promises_.blobs[{repository, digest.text()}] = bytes;
        return {};
    }
    Result<void> push_manifest(const std::string& repository, const std::string& tag,
                               const std::string& json) {
        const auto digest = sha256_of(json);
        promises_.tried_manifests[{repository, digest.text()}] = json;
        promises_.tried_tags[{repository, tag}].push_back(json);
        BERTH_CHECK(registry_.put_manifest({.repository = repository_of(repository),
                                            .reference = tag_of(tag),
                                            .tags = {},
                                            .content_type = {},
                                            .bytes = as_bytes(json),
                                            .actor = {}}));
        promises_.manifests[{repository, digest.text()}] = json;
        promises_.tags[{repository, tag}] = json;
        return {};
    }
    Result<void> push_image(const std::string& repository, const std::string& tag,
                            const std::string& layer) {
        BERTH_CHECK(push_blob(repository, "{}"));
        BERTH_CHECK(push_blob(repository, layer));
        return push_manifest(repository, tag, image_json({descriptor_of(layer)}));
    }

  private:
    Registry& registry_;
    Promises& promises_;
};

using Script = Result<void> (*)(Client&);

Result<void> push_one_image(Client& client) {
    return client.push_image("app", "latest", pattern(3000, 1));
}

Result<void> push_a_large_layer(Client& client) {
    return client.push_image("app", "latest", pattern(70'000, 1));
}

// A second repository gets a blob that is known, one by mount, and a manifest that is known.
Result<void> push_the_same_elsewhere(Client& client) {
    const auto layer = pattern(2000, 2);
    BERTH_CHECK(client.push_image("app", "latest", layer));
    BERTH_CHECK(client.push_blob("other", "{}"));
    BERTH_CHECK(client.mount("other", "app", layer));
    return client.push_manifest("other", "v1", image_json({descriptor_of(layer)}));
}

Result<void> move_a_tag(Client& client) {
    for (unsigned i = 0; i < 3; ++i)
        BERTH_CHECK(client.push_image("app", "latest", pattern(500, i)));
    return client.push_image("app", "latest", pattern(500, 0));
}

Result<void> push_an_index(Client& client) {
    const auto layer = pattern(1000, 3);
    BERTH_CHECK(client.push_image("app", "amd64", layer));
    return client.push_manifest("app", "latest",
                                index_json({child_of(image_json({descriptor_of(layer)}))}));
}

struct Case {
    const char* name;
    Script script;
};

class PushCrash : public testing::TestWithParam<Case> {
  protected:
    static void expect_whole(const Result<ContentPtr>& content, const std::string& bytes,
                             bool acknowledged) {
        if (!content) {
            ASSERT_FALSE(acknowledged) << content.error().detail;
            ASSERT_EQ(content.error().code, Errc::not_found) << content.error().detail;
            return;
        }
        ASSERT_EQ(text_of(**content), bytes);
    }
    static void check_names(Registry& registry, const Promises& promises) {
        for (const auto& [name, bytes] : promises.tried_blobs) {
            const auto digest = Digest::parse(name.second).value();
            const auto content = registry.blob(repository_of(name.first), digest);
            ASSERT_NO_FATAL_FAILURE(expect_whole(content, bytes, promises.blobs.contains(name)));
        }
        for (const auto& [name, json] : promises.tried_manifests) {
            const auto digest = Digest::parse(name.second).value();
            const auto content = registry.manifest(repository_of(name.first), digest);
            ASSERT_NO_FATAL_FAILURE(expect_whole(content, json, promises.manifests.contains(name)));
            if (!content) continue;
            ASSERT_NO_FATAL_FAILURE(check_parts(registry, name.first, json));
        }
    }
    // A manifest that is served can be pulled with all that it names.
    static void check_parts(Registry& registry, const std::string& repository,
                            const std::string& json) {
        const auto manifest = oci::parse_manifest("", json).value();
        for (const auto& layer : manifest.layers)
            ASSERT_TRUE(registry.blob(repository_of(repository), layer.digest));
        for (const auto& child : manifest.manifests)
            ASSERT_TRUE(registry.manifest(repository_of(repository), child.digest));
    }
    // The tag is at the last acknowledged push or at one that came after it.
    static void check_tags(Registry& registry, const Promises& promises) {
        for (const auto& [name, all] : promises.tried_tags) {
            const auto content = registry.manifest(repository_of(name.first), tag_of(name.second));
            const auto acknowledged = promises.tags.find(name);
            ASSERT_TRUE(content || acknowledged == promises.tags.end()) << content.error().detail;
            if (!content) continue;
            const auto text = text_of(**content);
            const bool is_last_tried = text == all.back();
            ASSERT_TRUE(is_last_tried ||
                        (acknowledged != promises.tags.end() && text == acknowledged->second));
        }
    }
    void check(io::Directory& found, store::Index& index, const Promises& promises,
               const std::string& boot_id) {
        Server server(found, index, clock_, boot_id);
        ASSERT_NO_FATAL_FAILURE(check_names(*server, promises));
        ASSERT_NO_FATAL_FAILURE(check_tags(*server, promises));
    }
    std::unique_ptr<store::Index> make_index() {
        return store::open_sqlite_index({.path = ":memory:"}, clock_).value();
    }

    FakeClock clock_;
};

TEST_P(PushCrash, KeepsItsPromisesAfterAPowerCutAtAnyStep) {
    for (std::uint64_t step = 1; step < kStepsMax; ++step) {
        io::CrashDirectory directory;
        directory.fail_at(step);
        const auto index = make_index();
        Promises promises;
        Server server(directory, *index, clock_, "boot");
        Client client(*server, promises);
        const auto done = GetParam().script(client);
        for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
            SCOPED_TRACE("step " + std::to_string(step) + ", seed " + std::to_string(seed));
            const auto found = directory.crash(seed);
            ASSERT_NO_FATAL_FAILURE(check(*found, *index, promises, "the next boot"));
        }
        // One step more than the script has: the power did not go.
        if (done && directory.steps() < step) return;
    }
    FAIL() << "the script never came to its end";
}

// The client comes back and pushes all again, on what the power cut has left.
TEST_P(PushCrash, TakesTheWholePushAfterAPowerCut) {
    for (std::uint64_t step = 1; step < kStepsMax; step += 2) {
        io::CrashDirectory directory;
        directory.fail_at(step);
        const auto index = make_index();
        Promises promises;
        Server server(directory, *index, clock_, "boot");
        Client client(*server, promises);
        const auto done = GetParam().script(client);
        const std::uint64_t seed = step * 31;
        SCOPED_TRACE("step " + std::to_string(step) + ", seed " + std::to_string(seed));
        const auto found = directory.crash(seed);
        Server next(*found, *index, clock_, "the next boot");
        Client again(*next, promises);
        const auto pushed = GetParam().script(again);
        ASSERT_TRUE(pushed) << pushed.error().detail;
        const auto found_again = found->crash(seed + 1);
        ASSERT_NO_FATAL_FAILURE(check(*found_again, *index, promises, "the boot after"));
        if (done && directory.steps() < step) return;
    }
    FAIL() << "the script never came to its end";
}

// The disk fails once, the server goes on: what failed leaves nothing behind that is served.
TEST_P(PushCrash, ServesNothingOfAPushThatFailed) {
    for (std::uint64_t step = 1; step < kStepsMax; ++step) {
        io::CrashDirectory directory;
        directory.fail_once_at(step, EIO);
        const auto index = make_index();
        Promises promises;
        Server server(directory, *index, clock_, "boot");
        Client client(*server, promises);
        const auto done = GetParam().script(client);
        SCOPED_TRACE("step " + std::to_string(step));
        ASSERT_NO_FATAL_FAILURE(check(directory, *index, promises, "boot"));
        const auto found = directory.crash(step);
        ASSERT_NO_FATAL_FAILURE(check(*found, *index, promises, "the next boot"));
        if (done && directory.steps() < step) return;
    }
    FAIL() << "the script never came to its end";
}

INSTANTIATE_TEST_SUITE_P(Scripts, PushCrash,
                         testing::Values(Case{"PushOneImage", push_one_image},
                                         Case{"PushALargeLayer", push_a_large_layer},
                                         Case{"PushTheSameElsewhere", push_the_same_elsewhere},
                                         Case{"MoveATag", move_a_tag},
                                         Case{"PushAnIndex", push_an_index}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace berth::registry
