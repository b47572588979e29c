// The values that the index keeps and answers with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "oci/digest.h"
#include "oci/names.h"

namespace berth::store {

using oci::Digest;
using oci::RepositoryName;
using oci::Tag;

// Who did it, for the history, and by which request, for events.
struct Actor {
    std::string name;          // empty: anonymous
    std::string request = {};  // a JSON object (Event::request); empty: by none
};

struct ManifestRecord {
    Digest digest;
    std::string media_type;
    std::uint64_t size = 0;
    std::string artifact_type;  // the effective one; empty: none
    std::string annotations;    // a JSON object; empty: none
    std::optional<Digest> subject;
    std::vector<Digest> blobs;      // config and layers that must be in the repository
    std::vector<Digest> manifests;  // children of an index that are in the repository
    std::string references = {};    // for its event (Event::references)
};

struct TagRecord {
    Tag tag;
    Digest digest;
    Time updated_at;
    std::string actor;
};

// One move of a tag. No old digest: created. No new digest: deleted.
struct TagMove {
    Time at;
    std::string actor;
    std::optional<Digest> old_digest;
    std::optional<Digest> new_digest;
};

// Bytes that some repository has, as a blob or as a manifest.
struct StoredBlob {
    Digest digest;
    std::uint64_t size = 0;
};

// One page of names in byte order. `more`: there are names after the last one.
struct Page {
    std::vector<std::string> names;
    bool more = false;
};

// May a tag that points to another digest be moved?
enum class Overwrite { no, yes };

struct Totals {
    std::uint64_t repositories = 0, manifests = 0, tags = 0, blobs = 0, blob_bytes = 0;
};

}  // namespace berth::store
