#include "registry/manifest_check.h"

#include <algorithm>
#include <string_view>

#include "oci/media_type.h"

namespace berth::registry {
namespace {

using oci::Descriptor;
using oci::RepositoryName;

constexpr std::size_t kUrlBytesMax = 2048;

// The URLs come from clients. Matched without backtracking, a pattern of the configuration takes
// neither exponential time nor a stack as deep as the URL is long.
std::vector<std::regex> compile(const std::vector<std::string>& patterns) {
    std::vector<std::regex> compiled;
    compiled.reserve(patterns.size());
    for (const auto& pattern : patterns) {
        compiled.emplace_back(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
    }
    return compiled;
}

bool matches_any(const std::string& url, const std::vector<std::regex>& patterns) {
    return std::ranges::any_of(
        patterns, [&url](const std::regex& pattern) { return std::regex_search(url, pattern); });
}

std::unexpected<Error> missing(const Descriptor& descriptor, std::string_view what) {
    return fail(Errc::not_found, descriptor.digest.text() + " is not in the repository: push the " +
                                     std::string(what) + " before the manifest that names it");
}

}  // namespace

ManifestCheck::ManifestCheck(const store::IndexReader& index, ManifestRules rules)
    : index_(index),
      rules_(std::move(rules)),
      url_allow_(compile(rules_.url_allow)),
      url_deny_(compile(rules_.url_deny)) {}

store::ManifestRecord record_of(const oci::Manifest& manifest, const oci::Digest& digest,
                                std::uint64_t size) {
    store::ManifestRecord record{.digest = digest,
                                 .media_type = manifest.media_type,
                                 .size = size,
                                 .artifact_type = manifest.effective_artifact_type(),
                                 .annotations = manifest.annotations,
                                 .subject = std::nullopt,
                                 .blobs = {},
                                 .manifests = {}};
    if (manifest.subject) record.subject = manifest.subject->digest;
    return record;
}

Result<store::ManifestRecord> ManifestCheck::check(const RepositoryName& repository,
                                                   const oci::Manifest& manifest,
                                                   const oci::Digest& digest,
                                                   std::uint64_t size) const {
    auto record = record_of(manifest, digest, size);
    if (manifest.config) BERTH_CHECK(check_blob(repository, *manifest.config, record));
    for (const auto& layer : manifest.layers)
        BERTH_CHECK(check_blob(repository, layer, record));
    for (const auto& child : manifest.manifests)
        BERTH_CHECK(check_child(repository, child, record));
    return record;
}

Result<void> ManifestCheck::check_blob(const RepositoryName& repository,
                                       const Descriptor& descriptor,
                                       store::ManifestRecord& record) const {
    const bool elsewhere = oci::is_foreign_layer(descriptor.media_type) && !descriptor.urls.empty();
    if (elsewhere) {
        for (const auto& url : descriptor.urls)
            BERTH_CHECK(check_url(url));
    }
    BERTH_TRY(const auto stored, index_.find_blob(repository, descriptor.digest));
    if (stored) {
        BERTH_CHECK(check_size(descriptor, *stored));
        record.blobs.push_back(descriptor.digest);
    } else if (rules_.enabled && !elsewhere) {
        return missing(descriptor, "blob");
    }
    return {};
}

Result<void> ManifestCheck::check_child(const RepositoryName& repository,
                                        const Descriptor& descriptor,
                                        store::ManifestRecord& record) const {
    BERTH_TRY(const auto manifest, index_.find_manifest(repository, descriptor.digest));
    if (manifest) {
        BERTH_CHECK(check_size(descriptor, manifest->size));
        record.manifests.push_back(descriptor.digest);
        return {};
    }
    // BuildKit's caches are indexes whose children are layers.
    BERTH_TRY(const auto blob, index_.find_blob(repository, descriptor.digest));
    if (blob) {
        BERTH_CHECK(check_size(descriptor, *blob));
        record.blobs.push_back(descriptor.digest);
    } else if (child_must_exist(descriptor)) {
        return missing(descriptor, "manifest");
    }
    return {};
}

Result<void> ManifestCheck::check_size(const Descriptor& descriptor, std::uint64_t stored) const {
    if (!rules_.enabled || descriptor.size == stored) return {};
    return fail(Errc::invalid, "the manifest says that " + descriptor.digest.text() + " has " +
                                   std::to_string(descriptor.size) + " bytes, but it has " +
                                   std::to_string(stored));
}

Result<void> ManifestCheck::check_url(const std::string& url) const {
    if (!rules_.enabled) return {};
    const bool is_http = url.starts_with("http://") || url.starts_with("https://");
    if (!is_http || url.size() > kUrlBytesMax || url.find('#') != std::string::npos) {
        return fail(Errc::invalid,
                    "a foreign layer's URL begins with http:// or https://, has no fragment and at "
                    "most " +
                        std::to_string(kUrlBytesMax) + " bytes");
    }
    if (matches_any(url, url_allow_) && !matches_any(url, url_deny_)) return {};
    return fail(Errc::invalid, "the foreign layer's URL " + url +
                                   " is not allowed by this registry's configuration");
}

bool ManifestCheck::child_must_exist(const Descriptor& descriptor) const {
    using Platforms = ManifestRules::Platforms;
    if (!rules_.enabled || rules_.platforms == Platforms::none) return false;
    if (rules_.platforms == Platforms::all) return true;
    const auto& platform = descriptor.platform;
    return platform && std::ranges::any_of(rules_.platform_list, [&](const auto& listed) {
               return listed == std::pair(platform->architecture, platform->os);
           });
}

}  // namespace berth::registry
