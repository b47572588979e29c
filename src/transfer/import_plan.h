// ImportPlan: what there is to bring in for some manifests, and in which order.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oci/manifest.h"

namespace berth::transfer {

using oci::Digest;

struct PlannedManifest {
    Digest digest;
    bool is_present = false;  // in the registry already
    std::string media_type = {};
    std::string bytes = {};
    oci::Manifest manifest = {};
    std::vector<Digest> referrers = {};
};

struct PlannedBlob {
    Digest digest;
    bool is_foreign = false;  // may live elsewhere
};

class ImportPlan {
  public:
    // Nothing: the manifest cannot be had.
    void add(const Digest& digest, std::optional<PlannedManifest> manifest);
    // What the added ones name or are referred to by, and that has not been added yet. Each digest
    // is given once.
    std::vector<Digest> take_unknown();

    // What all of them need. A blob of an index (BuildKit's caches) is one too.
    std::vector<PlannedBlob> blobs() const;
    // From below: each level needs nothing but the levels before it.
    std::vector<std::vector<const PlannedManifest*>> levels() const;

  private:
    std::map<Digest, std::optional<PlannedManifest>> manifests_;
    std::set<Digest> asked_;
    std::vector<Digest> unknown_;
};

}  // namespace berth::transfer
