// Manifests: the first line is the Content-Type, the rest the manifest. What is accepted is within
// the bounds, and what a referrers answer makes of it is an image index again.
#include <algorithm>

#include "fuzz/fuzz.h"
#include "oci/hasher.h"
#include "oci/manifest.h"
#include "oci/media_type.h"

using namespace berth;

namespace {

void check_accepted(const oci::Manifest& manifest, std::string_view content_type) {
    const auto stated = oci::strip_parameters(content_type);
    fuzz::must(stated.empty() || stated == manifest.media_type, "the Content-Type is the type");
    fuzz::must(oci::is_manifest(manifest.media_type) != oci::is_index(manifest.media_type),
               "a manifest is of one kind");
    fuzz::must(oci::is_manifest(manifest.media_type) == manifest.config.has_value(),
               "an image has a config, an index has none");
    fuzz::must(manifest.layers.empty() || manifest.manifests.empty(),
               "an image has no children, an index no layers");
    fuzz::must(manifest.layers.size() <= oci::kManifestDescriptorsMax &&
                   manifest.manifests.size() <= oci::kManifestDescriptorsMax,
               "descriptors are bounded");
}

void check_referrers(const oci::Manifest& manifest, std::string_view json) {
    const oci::Referrer referrer{
        manifest.media_type, oci::digest_of(oci::Algorithm::sha256, as_bytes(json)), json.size(),
        manifest.effective_artifact_type(), manifest.annotations};
    const auto answer = oci::format_referrers({referrer, referrer});
    const auto index = oci::parse_manifest(oci::kOciIndex, answer);
    fuzz::must(index.has_value(), "a referrers answer is an image index");
    fuzz::must(index->manifests.size() == 2, "each referrer is in the answer");
    const auto& child = index->manifests.back();
    fuzz::must(child.digest == referrer.digest && child.size == referrer.size &&
                   child.artifact_type == referrer.artifact_type &&
                   child.annotations == referrer.annotations,
               "a referrer is told as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto line = std::min(text.find('\n'), text.size());
    const auto content_type = text.substr(0, line);
    const auto json = text.substr(std::min(line + 1, text.size()));
    const auto manifest = oci::parse_manifest(content_type, json);
    if (!manifest) {
        fuzz::must(!manifest.error().detail.empty(), "a refusal says why");
        return 0;
    }
    check_accepted(*manifest, content_type);
    check_referrers(*manifest, json);
    return 0;
}
