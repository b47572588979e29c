// Exports that are OCI layouts.
#include <nlohmann/json.hpp>

#include "oci/media_type.h"
#include "transfer/bundle.h"
#include "transfer/export.h"
#include "transfer/layout_format.h"

namespace berth::transfer {
namespace {

using nlohmann::json;

json describe(const ImageSet& set, const Digest& digest, const RepositoryName& repository) {
    const auto& manifest = set.manifests.at(digest);
    return {{"mediaType", manifest.media_type},
            {"digest", digest.text()},
            {"size", manifest.size},
            {"annotations", {{kRepositoryAnnotation, repository.text()}}}};
}

// Each tag, and what is there without one: unless an index names it, which has it in it.
std::string format_index(const ImageSet& set) {
    json manifests = json::array();
    for (const auto& [name, content] : set.repositories) {
        std::set<Digest> tagged;
        for (const auto& record : content.tags) {
            tagged.insert(record.digest);
            auto descriptor = describe(set, record.digest, name);
            descriptor["annotations"][kRefName] = name.text() + ":" + record.tag.text();
            manifests.push_back(std::move(descriptor));
        }
        for (const auto& digest : content.manifests) {
            if (!tagged.contains(digest) && !set.manifests.at(digest).is_child)
                manifests.push_back(describe(set, digest, name));
        }
    }
    const json index = {{"schemaVersion", 2},
                        {"mediaType", oci::kOciIndex},
                        {"annotations", {{kExportAnnotation, "1"}}},
                        {"manifests", std::move(manifests)}};
    return index.dump(1);
}

using Sizes = std::map<Digest, std::uint64_t>;

Sizes contents_of(const ImageSet& set, const std::set<Digest>& since) {
    Sizes sizes;
    for (const auto& [digest, manifest] : set.manifests)
        sizes.emplace(digest, manifest.size);
    for (const auto& [digest, size] : set.blobs) {
        if (!since.contains(digest)) sizes.emplace(digest, size);
    }
    return sizes;
}

ExportTotals totals_of(const ImageSet& set, const Sizes& sizes) {
    ExportTotals totals;
    totals.repositories = set.repositories.size();
    for (const auto& [name, content] : set.repositories)
        totals.tags += content.tags.size();
    for (const auto& [digest, size] : sizes)
        totals.bytes_total += size;
    return totals;
}

Result<ExportTotals> write_layout(const ImageSet& set, const Sizes& sizes,
                                  const store::BlobStore& blobs, ContentWriter& to,
                                  const ExportOptions& options) {
    ExportTotals totals = totals_of(set, sizes);
    for (const auto& [digest, size] : sizes) {
        auto blob = blobs.open(digest);
        if (!blob) return std::unexpected(std::move(blob.error()).with_context(digest.text()));
        if (blob->size != size) {
            return fail(Errc::corrupt,
                        "the registry's file of " + digest.text() + " is damaged: see berth fsck");
        }
        BERTH_CHECK(to.put_blob(digest, std::move(blob->file), size));
        ++(set.manifests.contains(digest) ? totals.manifests : totals.blobs);
        totals.bytes += size;
        options.on_progress(totals);
    }
    BERTH_CHECK(to.put(kLayoutIndex, format_index(set)));
    return totals;
}

}  // namespace

Result<ExportTotals> export_layout(const ImageSet& set, const store::BlobStore& blobs,
                                   ContentWriter& to, const ExportOptions& options) {
    BERTH_CHECK(to.put(kLayoutFile, kLayoutVersion));
    BERTH_TRY(auto totals, write_layout(set, contents_of(set, {}), blobs, to, options));
    BERTH_CHECK(to.finish());
    return totals;
}

// What the bundle needs is said first: whoever reads it learns that before the bytes.
Result<ExportTotals> export_bundle(const ImageSet& set, const store::BlobStore& blobs,
                                   const std::set<Digest>& since, ContentWriter& to,
                                   const ExportOptions& options) {
    BundleIndex bundle;
    bundle.blobs = contents_of(set, since);
    for (const auto& [digest, size] : set.blobs) {
        if (!bundle.blobs.contains(digest)) bundle.needs.emplace(digest, size);
    }
    for (const auto& [name, content] : set.repositories) {
        auto& repository = bundle.repositories[name];
        for (const auto& record : content.tags)
            repository.tags.push_back({record.tag, record.digest});
        repository.manifests = content.manifests;
    }
    BERTH_CHECK(to.put(kBundleFile, format_bundle(bundle)));
    BERTH_CHECK(to.put(kLayoutFile, kLayoutVersion));
    BERTH_TRY(auto totals, write_layout(set, bundle.blobs, blobs, to, options));
    BERTH_CHECK(to.finish());
    totals.left_out = bundle.needs.size();
    return totals;
}

}  // namespace berth::transfer
