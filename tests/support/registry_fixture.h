// A Registry in memory, and short ways to push to it and to look at what it has.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/directory.h"
#include "oci/hasher.h"
#include "registry/registry.h"
#include "store/index/sqlite_index.h"
#include "support/fake_clock.h"

namespace berth::registry {

inline constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr const char* kOciLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

inline RepositoryName repository_of(const std::string& name) {
    return RepositoryName::parse(name).value();
}
inline Tag tag_of(const std::string& name) {
    return Tag::parse(name).value();
}
inline Digest sha256_of(std::string_view bytes) {
    return oci::digest_of(oci::Algorithm::sha256, as_bytes(bytes));
}
inline Digest sha512_of(std::string_view bytes) {
    return oci::digest_of(oci::Algorithm::sha512, as_bytes(bytes));
}

// Of a listing: everything may be seen.
inline const Registry::MaySee kAll = [](std::string_view) { return true; };

// A descriptor as JSON; `more` are further members, with the comma before them.
inline std::string descriptor(const Digest& digest, std::size_t size,
                              const std::string& media_type = kOciLayer,
                              const std::string& more = {}) {
    return R"({"mediaType":")" + media_type + R"(","digest":")" + digest.text() + R"(","size":)" +
           std::to_string(size) + more + "}";
}
inline std::string descriptor_of(std::string_view bytes, const std::string& media_type = kOciLayer,
                                 const std::string& more = {}) {
    return descriptor(sha256_of(bytes), bytes.size(), media_type, more);
}

inline std::string join(const std::vector<std::string>& parts) {
    std::string joined;
    for (const auto& part : parts)
        joined += (joined.empty() ? "" : ",") + part;
    return joined;
}

// An image manifest whose config is `{}`.
inline std::string image_json(const std::vector<std::string>& layers,
                              const std::string& more = {}) {
    return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifest) + R"(","config":)" +
           descriptor_of("{}", "application/vnd.oci.image.config.v1+json") + R"(,"layers":[)" +
           join(layers) + "]" + more + "}";
}
inline std::string index_json(const std::vector<std::string>& children,
                              const std::string& more = {}) {
    return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciIndex) + R"(","manifests":[)" +
           join(children) + "]" + more + "}";
}
inline std::string child_of(std::string_view manifest, const std::string& more = {}) {
    return descriptor_of(manifest, kOciManifest, more);
}

inline std::string text_of(const Content& content) {
    if (content.bytes) return *content.bytes;
    std::string bytes(static_cast<std::size_t>(content.size), '\0');
    const auto got = content.file->read_at(0, std::as_writable_bytes(std::span(bytes)));
    EXPECT_EQ(got.value_or(0), bytes.size());
    return bytes;
}

class RegistryFixture : public testing::Test {
  protected:
    // Forgets what is cached, for a new configuration.
    void restart(RegistryOptions options) {
        registry_ = std::make_unique<Registry>(*blobs_, *index_, std::move(options));
    }
    Registry& registry() { return *registry_; }

    std::unique_ptr<Upload> begin(const RepositoryName& repository,
                                  oci::Algorithm algorithm = oci::Algorithm::sha256) {
        const auto info = registry().begin_upload(repository, algorithm);
        return registry().open_upload(repository, info.value().id).value();
    }
    Result<void> try_push_blob(const RepositoryName& repository, std::string_view bytes,
                               const Digest& digest) {
        auto upload = begin(repository);
        BERTH_CHECK(upload->append(as_bytes(bytes)));
        return registry().commit_upload(std::move(upload), digest, actor_);
    }
    Digest push_blob(const RepositoryName& repository, std::string_view bytes) {
        const auto pushed = try_push_blob(repository, bytes, sha256_of(bytes));
        EXPECT_TRUE(pushed) << pushed.error().detail;
        return sha256_of(bytes);
    }

    // `json` outlives the push.
    ManifestPush push_of(const RepositoryName& repository, Reference reference,
                         const std::string& json) {
        return {.repository = repository,
                .reference = std::move(reference),
                .tags = {},
                .content_type = {},
                .bytes = as_bytes(json),
                .actor = actor_};
    }
    ManifestPush push_of(const RepositoryName&, Reference, std::string&&) = delete;
    Result<PushedManifest> try_push(const RepositoryName& repository, Reference reference,
                                    const std::string& json) {
        return registry().put_manifest(push_of(repository, std::move(reference), json));
    }
    Digest push(const RepositoryName& repository, Reference reference, const std::string& json) {
        const auto pushed = try_push(repository, std::move(reference), json);
        EXPECT_TRUE(pushed) << pushed.error().detail;
        return pushed ? pushed->digest : sha256_of(json);
    }
    // An image with its blobs, under `tag`. Images with different layers differ.
    Digest push_image(const RepositoryName& repository, const std::string& tag,
                      std::string_view layer = "layer") {
        push_blob(repository, "{}");
        push_blob(repository, layer);
        return push(repository, tag_of(tag), image_json({descriptor_of(layer)}));
    }

    Errc manifest_error(const RepositoryName& repository, const Reference& reference) {
        const auto content = registry().manifest(repository, reference);
        EXPECT_FALSE(content);
        return content ? Errc{} : content.error().code;
    }
    Errc blob_error(const RepositoryName& repository, const Digest& digest) {
        const auto content = registry().blob(repository, digest);
        EXPECT_FALSE(content);
        return content ? Errc{} : content.error().code;
    }

    static std::string path_of(const Digest& digest) {
        return "docker/registry/v2/blobs/" + std::string(name_of(digest.algorithm())) + "/" +
               std::string(digest.hex().substr(0, 2)) + "/" + std::string(digest.hex()) + "/data";
    }
    // Changes a byte on the disk.
    void damage(const Digest& digest) {
        const auto file = directory_->open_to_write(path_of(digest));
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write_at(0, as_bytes("#")));
    }

    FakeClock clock_;
    std::unique_ptr<io::Directory> directory_ = io::make_memory_directory();
    std::unique_ptr<store::BlobStore> blobs_ =
        store::make_file_blob_store(*directory_, clock_, {.reserve_bytes = 0, .boot_id = "boot"});
    std::unique_ptr<store::Index> index_ =
        store::open_sqlite_index({.path = ":memory:"}, clock_).value();
    std::unique_ptr<Registry> registry_ =
        std::make_unique<Registry>(*blobs_, *index_, RegistryOptions{});

    const Actor actor_{"jenkins"};
    const RepositoryName app_ = repository_of("team/app");
    const RepositoryName other_ = repository_of("team/other");
};

}  // namespace berth::registry
