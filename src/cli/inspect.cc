#include <memory>
#include <nlohmann/json.hpp>

#include "app/stores.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "oci/manifest.h"
#include "oci/names.h"

namespace berth::cli {

namespace {

using nlohmann::json;

constexpr std::size_t kReferrersMax = 1000;

struct Arguments {
    std::string image;
    std::string config;
    bool as_json = false;
};

struct Image {
    oci::RepositoryName repository;
    oci::Reference reference;
};

// REPO, REPO:TAG or REPO@DIGEST; without either the tag is `latest`.
Result<Image> parse_image(const std::string& text) {
    const auto at = text.find('@');
    const auto end = at != std::string::npos ? at : text.find(':');
    BERTH_TRY(const auto repository, oci::RepositoryName::parse(text.substr(0, end)));
    const auto reference = end == std::string::npos ? "latest" : text.substr(end + 1);
    BERTH_TRY(auto parsed, oci::parse_reference(reference));
    return Image{repository, std::move(parsed)};
}

// All there is to say of an image, as one JSON object; the text form is made from it.
Result<json> describe(const app::Stores& stores, const Image& image) {
    BERTH_TRY(const auto content, stores.registry->manifest(image.repository, image.reference));
    BERTH_TRY(const auto manifest, oci::parse_manifest(content->media_type, *content->bytes));
    BERTH_TRY(const auto tags, stores.index->tags_of(image.repository, content->digest));
    BERTH_TRY(const auto referrers,
              stores.index->referrers(image.repository, content->digest, "", "", kReferrersMax));
    json out{{"repository", image.repository.text()},
             {"digest", content->digest.text()},
             {"mediaType", content->media_type},
             {"size", content->size},
             {"tags", json::array()},
             {"referrers", json::array()},
             {"manifest", json::parse(*content->bytes)}};
    std::uint64_t total = content->size;
    if (manifest.config) total += manifest.config->size;
    for (const auto& layer : manifest.layers)
        total += layer.size;
    out["totalSize"] = total;
    for (const auto& record : tags) {
        out["tags"].push_back({{"tag", record.tag.text()},
                               {"updated", human_time(record.updated_at)},
                               {"by", record.actor}});
    }
    for (const auto& referrer : referrers) {
        out["referrers"].push_back(
            {{"digest", referrer.digest.text()}, {"artifactType", referrer.artifact_type}});
    }
    return out;
}

void print_descriptors(const json& manifest, const char* key, const char* title) {
    if (!manifest.contains(key) || !manifest[key].is_array() || manifest[key].empty()) return;
    print("");
    Table table({title, "size", "media type"});
    for (const auto& each : manifest[key]) {
        auto kind = each.value("mediaType", "");
        if (each.contains("platform")) {
            const auto& platform = each["platform"];
            kind +=
                " (" + platform.value("os", "") + "/" + platform.value("architecture", "") + ")";
        }
        table.add(
            {each.value("digest", ""), human_size(each.value("size", std::uint64_t{0})), kind});
    }
    table.print();
}

void print_text(const json& image) {
    print(bold(image["repository"].get<std::string>()));
    print("digest      " + image["digest"].get<std::string>());
    print("media type  " + image["mediaType"].get<std::string>());
    print("size        " + human_size(image["totalSize"].get<std::uint64_t>()));
    for (const auto& tag : image["tags"]) {
        const auto by = tag["by"].get<std::string>();
        print("tag         " + tag["tag"].get<std::string>() + ", since " +
              tag["updated"].get<std::string>() + (by.empty() ? "" : ", by " + by));
    }
    const auto& manifest = image["manifest"];
    print_descriptors(manifest, "layers", "layer");
    print_descriptors(manifest, "manifests", "manifest");
    if (image["referrers"].empty()) return;
    print("");
    Table table({"referrer", "artifact type"});
    for (const auto& referrer : image["referrers"])
        table.add(
            {referrer["digest"].get<std::string>(), referrer["artifactType"].get<std::string>()});
    table.print();
}

Result<void> inspect(const Arguments& arguments) {
    const SystemClock clock;
    BERTH_TRY(const auto image, parse_image(arguments.image));
    BERTH_TRY(const auto config, command_config(arguments.config));
    BERTH_TRY(const auto stores, app::open_existing_stores(config, clock));
    auto described = describe(stores, image);
    if (!described)
        return std::unexpected(std::move(described.error()).with_context(arguments.image));
    if (arguments.as_json) {
        print(described->dump(2));
    } else {
        print_text(*described);
    }
    return {};
}

}  // namespace

void add_inspect(CLI::App& app, Run& run) {
    const auto arguments = std::make_shared<Arguments>();
    auto* command =
        app.add_subcommand("inspect", "show an image: digest, size, tags, layers, referrers");
    command->add_option("REPO[:TAG|@DIGEST]", arguments->image)->required();
    command->add_flag("--json", arguments->as_json, "print JSON, the manifest included");
    add_config_option(*command, arguments->config);
    command->callback([arguments, &run] { run = [arguments] { return inspect(*arguments); }; });
}

}  // namespace berth::cli
