// What `docker save` wrote before it wrote OCI layouts, and skopeo's docker-archive, as a source.
#include <array>

#include "oci/hasher.h"
#include "oci/json.h"
#include "oci/media_type.h"
#include "transfer/files_source.h"
#include "transfer/image_name.h"

namespace berth::transfer {
namespace {

using oci::Json;

constexpr const char* kManifestFile = "manifest.json";
constexpr std::size_t kManifestFileBytesMax = 16u << 20;
constexpr std::size_t kConfigBytesMax = 8u << 20;
constexpr std::size_t kDepthMax = 64;
constexpr const char* kConfigType = "application/vnd.docker.container.image.v1+json";
constexpr const char* kLayerType = "application/vnd.docker.image.rootfs.diff.tar";
constexpr const char* kZippedLayerType = "application/vnd.docker.image.rootfs.diff.tar.gzip";

std::unexpected<Error> bad_archive(const std::string& what) {
    return fail(Errc::invalid, std::string(kManifestFile) + ": " + what);
}

// A list of texts; a null is an empty one.
Result<std::vector<std::string>> texts(const Json& image, const char* key) {
    std::vector<std::string> found;
    const auto list = image.find(key);
    if (list == image.end() || list->is_null()) return found;
    if (!list->is_array()) return bad_archive(std::string(key) + " is no list");
    for (const Json& text : *list) {
        if (!text.is_string()) return bad_archive(std::string(key) + " has something else in it");
        found.push_back(text.get<std::string>());
    }
    return found;
}

// The digests of the unpacked layers, which the configuration has.
Result<std::vector<Digest>> diff_ids(const std::string& config) {
    BERTH_TRY(const auto json, oci::parse_json(config, kDepthMax));
    const auto rootfs = json.is_object() ? json.find("rootfs") : json.end();
    if (!json.is_object() || rootfs == json.end() || !rootfs->is_object())
        return bad_archive("a configuration without rootfs");
    BERTH_TRY(const auto listed, texts(*rootfs, "diff_ids"));
    std::vector<Digest> ids;
    for (const auto& text : listed) {
        BERTH_TRY(auto id, Digest::parse(text));
        ids.push_back(std::move(id));
    }
    return ids;
}

Result<bool> is_zipped(const Slice& layer) {
    std::array<std::byte, 2> magic{};
    if (layer.size < magic.size()) return false;
    BERTH_TRY([[maybe_unused]] const auto got, layer.file->read_at(layer.offset, magic));
    return magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b};
}

Json descriptor(const char* media_type, const Digest& digest, std::uint64_t size) {
    return {{"mediaType", media_type}, {"digest", digest.text()}, {"size", size}};
}

class ArchiveReader {
  public:
    ArchiveReader(const Files& files, const Fallback& fallback, const Source::Report& report)
        : files_(files), fallback_(fallback), report_(report) {}

    Result<Contents> read() {
        BERTH_TRY(const auto text, files_.read(kManifestFile, kManifestFileBytesMax));
        BERTH_TRY(const auto images, oci::parse_json(text, kDepthMax));
        if (!images.is_array()) return bad_archive("no list of images");
        for (const Json& image : images) {
            if (!image.is_object()) return bad_archive("an image that is no object");
            BERTH_TRY(const auto digest, build_manifest(image));
            BERTH_CHECK(name(image, digest));
        }
        return std::move(contents_);
    }

  private:
    Result<Digest> build_manifest(const Json& image) {
        const auto config_path = image.value("Config", Json());
        if (!config_path.is_string()) return bad_archive("an image without Config");
        BERTH_TRY(const auto config, files_.read(config_path.get<std::string>(), kConfigBytesMax));
        const auto config_digest = oci::digest_of(oci::Algorithm::sha256, as_bytes(config));
        contents_.paths.emplace(config_digest, config_path.get<std::string>());

        BERTH_TRY(const auto ids, diff_ids(config));
        BERTH_TRY(const auto layers, texts(image, "Layers"));
        if (ids.size() != layers.size()) {
            return bad_archive("an image has other layers than its configuration says");
        }
        Json manifest = {{"schemaVersion", 2},
                         {"mediaType", oci::kDockerManifest},
                         {"config", descriptor(kConfigType, config_digest, config.size())},
                         {"layers", Json::array()}};
        for (std::size_t i = 0; i < layers.size(); ++i) {
            BERTH_TRY(auto layer, read_layer(layers[i], ids[i]));
            manifest["layers"].push_back(std::move(layer));
        }
        auto bytes = manifest.dump();
        const auto digest = oci::digest_of(oci::Algorithm::sha256, as_bytes(bytes));
        contents_.built.emplace(
            digest, SourceManifest{std::string(oci::kDockerManifest), std::move(bytes)});
        return digest;
    }

    // A layer that is not zipped is what the configuration has the digest of; it is checked when it
    // is read.
    Result<Json> read_layer(const std::string& path, const Digest& diff_id) {
        BERTH_TRY(const auto slice, files_.open(path));
        BERTH_TRY(const bool zipped, is_zipped(slice));
        Digest digest = diff_id;
        if (zipped) {
            BERTH_TRY(digest, slice.digest(oci::Algorithm::sha256));
        }
        contents_.paths.emplace(digest, path);
        return descriptor(zipped ? kZippedLayerType : kLayerType, digest, slice.size);
    }

    Result<void> name(const Json& image, const Digest& digest) {
        BERTH_TRY(const auto names, texts(image, "RepoTags"));
        for (const auto& text : names) {
            auto parsed = parse_image_name(text);
            if (!parsed || !parsed->tag) {
                report_("'" + text + "' is no image's name here: left out");
                continue;
            }
            contents_.repositories[parsed->repository].tags.push_back({*parsed->tag, digest});
        }
        if (!names.empty()) return {};
        if (!fallback_) {
            return fail(Errc::invalid,
                        "the archive has an image without a name: say into which repository, by "
                        "docker-archive:FILE:REPOSITORY");
        }
        contents_.repositories[*fallback_].manifests.push_back(digest);
        return {};
    }

    const Files& files_;
    const Fallback& fallback_;
    const Source::Report& report_;
    Contents contents_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_docker_archive(std::shared_ptr<Files> files,
                                                    const Fallback& fallback,
                                                    const Source::Report& report) {
    BERTH_TRY(auto contents, ArchiveReader(*files, fallback, report).read());
    return make_files_source(std::move(files), std::move(contents));
}

}  // namespace berth::transfer
