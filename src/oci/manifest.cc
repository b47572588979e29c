#include "oci/manifest.h"

#include <algorithm>
#include <limits>

#include "oci/json.h"
#include "oci/media_type.h"

namespace berth::oci {
namespace {

constexpr std::string_view kSchema1Refused =
    "Docker's manifests of schema 1 are not served: push the image with docker 1.10 or newer, "
    "which writes schema 2";

std::unexpected<Error> invalid(std::string detail) {
    return fail(Errc::invalid, std::move(detail));
}

// The member of that name; Go's clients write null for what they do not have.
const Json* find(const Json& object, const char* name) {
    const auto member = object.find(name);
    return member == object.end() || member->is_null() ? nullptr : &*member;
}

// Empty when there is none.
Result<std::string> read_text(const Json& object, const char* name) {
    const auto* member = find(object, name);
    if (!member) return std::string();
    if (!member->is_string()) return invalid(std::string(name) + " must be a string");
    return member->get_ref<const std::string&>();
}

Result<std::string> read_annotations(const Json& object) {
    const auto* member = find(object, "annotations");
    if (!member) return std::string();
    const auto is_text = [](const Json& value) { return value.is_string(); };
    if (!member->is_object() || !std::all_of(member->begin(), member->end(), is_text))
        return invalid("annotations must be an object of strings");
    return member->empty() ? std::string() : member->dump();
}

Result<std::uint64_t> read_size(const Json& object) {
    const auto* member = find(object, "size");
    constexpr std::uint64_t kSizeMax = std::numeric_limits<std::int64_t>::max();
    if (!member || !member->is_number_unsigned() || member->get<std::uint64_t>() > kSizeMax)
        return invalid("size must be an integer, 0 or more");
    return member->get<std::uint64_t>();
}

Result<std::vector<std::string>> read_urls(const Json& object) {
    std::vector<std::string> urls;
    const auto* member = find(object, "urls");
    if (!member) return urls;
    if (!member->is_array()) return invalid("urls must be an array");
    for (const auto& url : *member) {
        if (!url.is_string()) return invalid("urls must be strings");
        urls.push_back(url.get_ref<const std::string&>());
    }
    return urls;
}

Result<std::optional<Platform>> read_platform(const Json& object) {
    const auto* member = find(object, "platform");
    if (!member) return std::nullopt;
    if (!member->is_object()) return invalid("platform must be an object");
    BERTH_TRY(auto architecture, read_text(*member, "architecture"));
    BERTH_TRY(auto os, read_text(*member, "os"));
    return Platform{std::move(architecture), std::move(os)};
}

Result<Descriptor> read_descriptor(const Json& value) {
    if (!value.is_object()) return invalid("must be an object");
    BERTH_TRY(auto media_type, read_text(value, "mediaType"));
    if (media_type.empty()) return invalid("mediaType is missing");
    BERTH_TRY(const auto digest_text, read_text(value, "digest"));
    BERTH_TRY(auto digest, Digest::parse(digest_text));
    BERTH_TRY(const auto size, read_size(value));
    BERTH_TRY(auto urls, read_urls(value));
    BERTH_TRY(auto artifact_type, read_text(value, "artifactType"));
    BERTH_TRY(auto annotations, read_annotations(value));
    BERTH_TRY(auto platform, read_platform(value));
    return Descriptor{std::move(media_type), std::move(digest),        size,
                      std::move(urls),       std::move(artifact_type), std::move(annotations),
                      std::move(platform)};
}

Result<std::optional<Descriptor>> read_one(const Json& object, const char* name) {
    const auto* member = find(object, name);
    if (!member) return std::nullopt;
    auto descriptor = read_descriptor(*member);
    if (!descriptor) return std::unexpected(std::move(descriptor.error()).with_context(name));
    return std::move(*descriptor);
}

Result<std::vector<Descriptor>> read_list(const Json& object, const char* name) {
    std::vector<Descriptor> list;
    const auto* member = find(object, name);
    if (!member) return list;
    if (!member->is_array()) return invalid(std::string(name) + " must be an array");
    if (member->size() > kManifestDescriptorsMax) {
        return invalid(std::string(name) + " has more than " +
                       std::to_string(kManifestDescriptorsMax) + " entries");
    }
    list.reserve(member->size());
    for (const auto& value : *member) {
        auto descriptor = read_descriptor(value);
        if (!descriptor) {
            return std::unexpected(
                std::move(descriptor.error())
                    .with_context(std::string(name) + '[' + std::to_string(list.size()) + ']'));
        }
        list.push_back(std::move(*descriptor));
    }
    return list;
}

Result<void> check_schema_version(const Json& document) {
    const auto* version = find(document, "schemaVersion");
    if (version && *version == 1) return fail(Errc::unsupported, std::string(kSchema1Refused));
    if (!version || !version->is_number_integer() || *version != 2)
        return invalid("schemaVersion must be 2");
    return {};
}

Result<void> check_media_type(std::string_view media_type) {
    if (is_schema1(media_type)) return fail(Errc::unsupported, std::string(kSchema1Refused));
    if (is_manifest(media_type) || is_index(media_type)) return {};
    return fail(Errc::unsupported, "the media type is not one of a manifest: use " +
                                       std::string(kOciManifest) + ", " + std::string(kOciIndex) +
                                       ", " + std::string(kDockerManifest) + " or " +
                                       std::string(kDockerManifestList));
}

// `stated` is the request's media type, empty if it has none.
Result<std::string> read_media_type(const Json& document, std::string_view stated) {
    BERTH_TRY(auto inside, read_text(document, "mediaType"));
    if (!stated.empty() && !inside.empty() && inside != stated) {
        return invalid("mediaType in the manifest is not the request's Content-Type, " +
                       std::string(stated));
    }
    if (!stated.empty()) return std::string(stated);
    if (!inside.empty()) {
        BERTH_CHECK(check_media_type(inside));
        return inside;
    }
    if (find(document, "manifests")) return std::string(kOciIndex);
    if (find(document, "config")) return std::string(kOciManifest);
    return invalid("neither the request nor the manifest says its media type");
}

// A document that is an image to one client and an index to another would hide what is pulled
// (CVE-2021-41190).
Result<void> check_kind(const Json& document, std::string_view media_type) {
    if (is_manifest(media_type)) {
        if (find(document, "manifests")) return invalid("an image manifest has no manifests");
        if (!find(document, "config")) return invalid("config is missing");
        return {};
    }
    if (find(document, "config") || find(document, "layers"))
        return invalid("an index has no config and no layers");
    if (!document.contains("manifests")) return invalid("manifests is missing");
    return {};
}

std::string as_json(std::string_view text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string Manifest::effective_artifact_type() const {
    if (!artifact_type.empty() || !config) return artifact_type;
    return config->media_type;
}

Result<Manifest> parse_manifest(std::string_view content_type, std::string_view json) {
    const auto stated = strip_parameters(content_type);
    if (!stated.empty()) BERTH_CHECK(check_media_type(stated));
    if (json.size() > kManifestBytesMax) {
        return fail(Errc::too_large, "a manifest has at most " + std::to_string(kManifestBytesMax) +
                                         " bytes, this one has " + std::to_string(json.size()));
    }
    BERTH_TRY(const auto document, parse_json(json, kManifestDepthMax));
    if (!document.is_object()) return invalid("a manifest must be a JSON object");
    BERTH_CHECK(check_schema_version(document));

    Manifest manifest;
    BERTH_TRY(manifest.media_type, read_media_type(document, stated));
    BERTH_CHECK(check_kind(document, manifest.media_type));
    BERTH_TRY(manifest.artifact_type, read_text(document, "artifactType"));
    BERTH_TRY(manifest.annotations, read_annotations(document));
    BERTH_TRY(manifest.subject, read_one(document, "subject"));
    BERTH_TRY(manifest.config, read_one(document, "config"));
    BERTH_TRY(manifest.layers, read_list(document, "layers"));
    BERTH_TRY(manifest.manifests, read_list(document, "manifests"));
    return manifest;
}

std::string format_references(std::string_view manifest) {
    const auto document = parse_json(manifest, kManifestDepthMax);
    if (!document || !document->is_object()) return {};
    Json references = Json::array();
    const auto add = [&references](const Json& descriptor) {
        Json reference = Json::object();
        for (const char* name :
             {"mediaType", "size", "digest", "urls", "annotations", "platform", "artifactType"}) {
            if (const auto* member = find(descriptor, name)) reference[name] = *member;
        }
        references.push_back(std::move(reference));
    };
    if (const auto* config = find(*document, "config")) add(*config);
    for (const char* list : {"layers", "manifests"}) {
        const auto* descriptors = find(*document, list);
        if (descriptors) std::for_each(descriptors->begin(), descriptors->end(), add);
    }
    return references.empty() ? std::string() : references.dump();
}

std::string format_referrers(const std::vector<Referrer>& referrers) {
    std::string out =
        "{\"schemaVersion\":2,\"mediaType\":" + as_json(kOciIndex) + ",\"manifests\":[";
    for (const auto& referrer : referrers) {
        if (&referrer != &referrers.front()) out += ',';
        out += "{\"mediaType\":" + as_json(referrer.media_type);
        out += ",\"digest\":" + as_json(referrer.digest.text());
        out += ",\"size\":" + std::to_string(referrer.size);
        if (!referrer.artifact_type.empty())
            out += ",\"artifactType\":" + as_json(referrer.artifact_type);
        if (!referrer.annotations.empty()) out += ",\"annotations\":" + referrer.annotations;
        out += '}';
    }
    return out + "]}";
}

}  // namespace berth::oci
