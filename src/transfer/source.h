// Source: where images come from. A root of registry:2 or Berth, an OCI layout, what `docker save`
// wrote, a bundle, or another registry over the network; each has a file of its own.
//
// A source only tells and reads. What it says is not trusted: whoever takes from it checks every
// byte against its digest. Thread-safe and blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/directory.h"
#include "oci/digest.h"
#include "oci/names.h"

namespace berth::transfer {

using oci::Digest;
using oci::RepositoryName;
using oci::Tag;

struct SourceTag {
    Tag tag;
    std::optional<Digest> digest;  // none: resolve() tells
};

// What a repository has, as far as it must be told: manifests that others name need not be here.
struct SourceRepository {
    std::vector<SourceTag> tags;
    std::vector<Digest> manifests;
};

struct SourceManifest {
    std::string media_type;  // empty: what the manifest says itself
    std::string bytes;
};

class Source {
  public:
    // Takes a blob's bytes one after the other. An error ends the reading.
    using Sink = std::function<Result<void>(Bytes)>;
    // Hears, in a sentence, of what is left out; called by any thread, one at a time.
    using Report = std::function<void(const std::string&)>;

    virtual ~Source() = default;

    virtual Result<std::vector<RepositoryName>> repositories() = 0;
    virtual Result<SourceRepository> list(const RepositoryName& repository) = 0;
    // Where a tag points that list() gave without a digest.
    virtual Result<Digest> resolve(const RepositoryName&, const Tag& tag) {
        return fail(Errc::not_found, "the tag " + tag.text() + " points nowhere");
    }
    virtual Result<SourceManifest> manifest(const RepositoryName& repository,
                                            const Digest& digest) = 0;
    // Manifests that have this one as their subject, and that list() does not tell of.
    virtual Result<std::vector<Digest>> referrers(const RepositoryName&, const Digest&) {
        return std::vector<Digest>();
    }
    virtual Result<void> read_blob(const RepositoryName& repository, const Digest& digest,
                                   const Sink& sink) = 0;
    // The file that holds the blob and nothing else; null: there is none.
    virtual Result<std::shared_ptr<io::File>> blob_file(const Digest&) {
        return std::shared_ptr<io::File>();
    }
    // Blobs that its manifests name, and that it expects at its destination.
    virtual std::vector<Digest> needs() const { return {}; }
};

}  // namespace berth::transfer
