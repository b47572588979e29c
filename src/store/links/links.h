// registry:2's link files: the names of a repository as the original keeps them on disk. Read once,
// when a root is adopted or imported; written by an export, so that the original starts on the
// same root.
//
//     docker/registry/v2/repositories/<name>/
//       _layers/<algorithm>/<hex>/link                        may serve this blob
//       _manifests/revisions/<algorithm>/<hex>/link           has this manifest
//       _manifests/tags/<tag>/current/link                    the tag points here
//       _manifests/tags/<tag>/index/<algorithm>/<hex>/link    what it pointed to before, and now
//
// A link holds its digest as text, without a line feed. Crashes of the original leave empty links;
// what cannot be read becomes a Finding, never an error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/directory.h"
#include "oci/digest.h"
#include "oci/names.h"

namespace berth::store {

// Something that is not as it should be, for people and for `berth fsck --json`.
struct Finding {
    // In words with dashes: empty-link, bad-link, bad-name, missing-blob, wrong-size, wrong-digest,
    // bad-manifest, missing-manifest, orphaned-blob, orphaned-upload, unreadable.
    std::string kind;
    std::string path;    // below the root
    std::string detail;  // a sentence; what follows from it
};

struct LinkedTag {
    oci::Tag tag;
    oci::Digest digest;
    Time updated_at;  // of the link file
};

// Of one repository. Each list in byte order.
struct Links {
    std::vector<oci::Digest> blobs;      // _layers
    std::vector<oci::Digest> manifests;  // _manifests/revisions
    std::vector<LinkedTag> tags;
};

// Calls `found` for each repository of the tree, in no order; nested names included.
Result<void> list_repositories(const io::Directory& directory,
                               const std::function<void(oci::RepositoryName)>& found,
                               std::vector<Finding>& findings);

// A push to the original that never ended: _uploads/<id> with data, startedat and hashstates.
struct LinkedUpload {
    std::string path;  // of its folder, below the root
    std::uint64_t size = 0;
    Time updated_at;  // of the last of its files; the epoch: it has none
};

// Of all repositories, in no order.
Result<std::vector<LinkedUpload>> list_uploads(const io::Directory& directory);

// An absent repository has no links.
Result<Links> read_links(const io::Directory& directory, const oci::RepositoryName& repository,
                         std::vector<Finding>& findings);

// Makes the repository's link files exactly these: durable when it returns, and whole or as they
// were for each single file.
Result<void> write_links(io::Directory& directory, const oci::RepositoryName& repository,
                         const Links& links);

}  // namespace berth::store
