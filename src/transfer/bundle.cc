#include "transfer/bundle.h"

#include "oci/json.h"
#include "oci/json_fields.h"
#include "transfer/files_source.h"

namespace berth::transfer {
namespace {

using oci::Json;

constexpr int kVersion = 1;
constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kBundleBytesMax = 1u << 30;
constexpr std::size_t kListBytesMax = 64u << 20;

std::unexpected<Error> bad_bundle(const std::string& what) {
    return fail(Errc::invalid, std::string(kBundleFile) + ": " + what);
}

Json format_sizes(const std::map<Digest, std::uint64_t>& sizes) {
    Json json = Json::object();
    for (const auto& [digest, size] : sizes)
        json[digest.text()] = size;
    return json;
}

Result<std::map<Digest, std::uint64_t>> parse_sizes(const Json& json, const char* key) {
    std::map<Digest, std::uint64_t> sizes;
    const auto object = json.find(key);
    if (object == json.end() || !object->is_object())
        return bad_bundle(std::string(key) + " is missing");
    for (const auto& [text, size] : object->items()) {
        BERTH_TRY(auto digest, Digest::parse(text));
        if (!size.is_number_unsigned()) return bad_bundle("a size that is none");
        sizes.emplace(std::move(digest), size.get<std::uint64_t>());
    }
    return sizes;
}

Result<SourceRepository> parse_repository(const Json& json) {
    const bool is_whole = json.is_object() && json.contains("tags") && json["tags"].is_object() &&
                          json.contains("manifests") && json["manifests"].is_array();
    if (!is_whole) return bad_bundle("a repository without tags or manifests");
    SourceRepository repository;
    for (const auto& [name, target] : json["tags"].items()) {
        if (!target.is_string()) return bad_bundle("a tag without a digest");
        BERTH_TRY(auto tag, Tag::parse(name));
        BERTH_TRY(auto digest, Digest::parse(target.get<std::string>()));
        repository.tags.push_back({std::move(tag), std::move(digest)});
    }
    for (const Json& text : json["manifests"]) {
        if (!text.is_string()) return bad_bundle("a manifest that is no digest");
        BERTH_TRY(auto digest, Digest::parse(text.get<std::string>()));
        repository.manifests.push_back(std::move(digest));
    }
    return repository;
}

Result<std::set<Digest>> parse_list(const std::string& text) {
    std::set<Digest> digests;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest = end == rest.npos ? "" : rest.substr(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        BERTH_TRY(auto digest, Digest::parse(line));
        digests.insert(std::move(digest));
    }
    return digests;
}

}  // namespace

std::string format_bundle(const BundleIndex& index) {
    Json repositories = Json::object();
    for (const auto& [name, content] : index.repositories) {
        Json tags = Json::object();
        for (const auto& [tag, digest] : content.tags)
            tags[tag.text()] = digest->text();
        Json manifests = Json::array();
        for (const auto& digest : content.manifests)
            manifests.push_back(digest.text());
        repositories[name.text()] = {{"tags", tags}, {"manifests", manifests}};
    }
    const Json json = {{"version", kVersion},
                       {"repositories", repositories},
                       {"blobs", format_sizes(index.blobs)},
                       {"needs", format_sizes(index.needs)}};
    return json.dump(1);
}

Result<BundleIndex> parse_bundle(std::string_view text) {
    BERTH_TRY(const auto json, oci::parse_json(text, kDepthMax));
    if (!json.is_object() || !json.contains("version") || !json["version"].is_number_integer())
        return bad_bundle("no version");
    if (json["version"] != kVersion) {
        return fail(Errc::unsupported, "the bundle was written by a newer Berth");
    }
    const auto repositories = json.find("repositories");
    if (repositories == json.end() || !repositories->is_object())
        return bad_bundle("no repositories");
    BundleIndex index;
    for (const auto& [name, content] : repositories->items()) {
        BERTH_TRY(auto repository, RepositoryName::parse(name));
        BERTH_TRY(auto parsed, parse_repository(content));
        index.repositories.emplace(std::move(repository), std::move(parsed));
    }
    BERTH_TRY(index.blobs, parse_sizes(json, "blobs"));
    BERTH_TRY(index.needs, parse_sizes(json, "needs"));
    return index;
}

Result<BundleIndex> read_bundle(const Files& files) {
    BERTH_TRY(const auto text, files.read(kBundleFile, kBundleBytesMax));
    return parse_bundle(text);
}

Result<std::set<Digest>> read_since(std::shared_ptr<io::File> file) {
    auto tar = files_in_tar(file);
    if (tar && (*tar)->has(kBundleFile)) {
        BERTH_TRY(const auto index, read_bundle(**tar));
        std::set<Digest> digests;
        for (const auto* sizes : {&index.blobs, &index.needs}) {
            for (const auto& [digest, size] : *sizes)
                digests.insert(digest);
        }
        return digests;
    }
    BERTH_TRY(const auto size, file->size());
    std::string text;
    if (size > kListBytesMax) return fail(Errc::invalid, "neither a bundle nor a list of digests");
    const Slice whole{std::move(file), 0, size};
    BERTH_CHECK(whole.read([&text](Bytes bytes) -> Result<void> {
        text += as_text(bytes);
        return {};
    }));
    auto digests = parse_list(text);
    if (!digests) return fail(Errc::invalid, "neither a bundle nor a list of digests");
    return digests;
}

Result<std::unique_ptr<Source>> open_bundle(std::shared_ptr<Files> files) {
    BERTH_TRY(auto index, read_bundle(*files));
    for (const auto& [digest, size] : index.blobs) {
        const auto slice = files->open(blob_file_path(digest));
        if (!slice) return bad_bundle("it says that " + digest.text() + " is in it, but it is not");
        if (slice->size != size) return bad_bundle(digest.text() + " has not the size it should");
    }
    Contents contents;
    contents.repositories = std::move(index.repositories);
    for (const auto& [digest, size] : index.needs)
        contents.needs.push_back(digest);
    return make_files_source(std::move(files), std::move(contents));
}

}  // namespace berth::transfer
