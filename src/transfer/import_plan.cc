#include "transfer/import_plan.h"

#include <algorithm>

#include "oci/media_type.h"

namespace berth::transfer {
namespace {

// BuildKit's caches are indexes whose children are layers.
bool is_blob(const oci::Descriptor& child) {
    const auto& type = child.media_type;
    return !type.empty() && !oci::is_manifest(type) && !oci::is_index(type);
}

bool is_foreign(const oci::Descriptor& layer) {
    return oci::is_foreign_layer(layer.media_type) && !layer.urls.empty();
}

}  // namespace

void ImportPlan::add(const Digest& digest, std::optional<PlannedManifest> manifest) {
    asked_.insert(digest);
    if (manifest) {
        std::vector<Digest> next = manifest->referrers;
        for (const auto& child : manifest->manifest.manifests) {
            if (!is_blob(child)) next.push_back(child.digest);
        }
        for (const auto& other : next) {
            if (!manifests_.contains(other) && other != digest) unknown_.push_back(other);
        }
    }
    manifests_[digest] = std::move(manifest);
}

std::vector<Digest> ImportPlan::take_unknown() {
    std::vector<Digest> taken;
    for (auto& digest : unknown_) {
        if (asked_.insert(digest).second) taken.push_back(std::move(digest));
    }
    unknown_.clear();
    return taken;
}

std::vector<PlannedBlob> ImportPlan::blobs() const {
    std::map<Digest, bool> blobs;
    const auto add_blob = [&blobs](const oci::Descriptor& blob) {
        const auto [place, is_new] = blobs.emplace(blob.digest, is_foreign(blob));
        if (!is_new) place->second = place->second && is_foreign(blob);
    };
    for (const auto& [digest, planned] : manifests_) {
        if (!planned) continue;
        const auto& manifest = planned->manifest;
        if (manifest.config) add_blob(*manifest.config);
        std::ranges::for_each(manifest.layers, add_blob);
        for (const auto& child : manifest.manifests) {
            if (is_blob(child)) add_blob(child);
        }
    }
    std::vector<PlannedBlob> list;
    for (const auto& [digest, foreign] : blobs)
        list.push_back({digest, foreign});
    return list;
}

std::vector<std::vector<const PlannedManifest*>> ImportPlan::levels() const {
    std::map<Digest, std::size_t> missing;  // how many of those it needs are not placed yet
    std::map<Digest, std::vector<const PlannedManifest*>> needed_by;
    std::vector<const PlannedManifest*> ready;
    for (const auto& [digest, planned] : manifests_) {
        if (!planned) continue;
        std::set<Digest> needs;
        for (const auto& child : planned->manifest.manifests)
            needs.insert(child.digest);
        if (const auto& subject = planned->manifest.subject) needs.insert(subject->digest);
        std::size_t count = 0;
        for (const auto& other : needs) {
            const auto found = manifests_.find(other);
            if (found == manifests_.end() || !found->second) continue;
            needed_by[other].push_back(&*planned);
            ++count;
        }
        missing[digest] = count;
        if (count == 0) ready.push_back(&*planned);
    }
    // Nothing names what names it, for the digest of the one is in the other.
    std::vector<std::vector<const PlannedManifest*>> levels;
    while (!ready.empty()) {
        std::vector<const PlannedManifest*> next;
        for (const auto* planned : ready) {
            for (const auto* other : needed_by[planned->digest]) {
                if (--missing[other->digest] == 0) next.push_back(other);
            }
        }
        levels.push_back(std::move(ready));
        ready = std::move(next);
    }
    return levels;
}

}  // namespace berth::transfer
