// What a repository has by registry:2's files, as the index is to know it: its links (store/links)
// together with the manifests' bytes and the blobs' sizes.
//
// Nothing that is broken gets in, and each of it is found: so that a client that asks for it is
// told that it is not there, pushes it again, and mends it.
#pragma once

#include <vector>

#include "base/result.h"
#include "io/directory.h"
#include "oci/names.h"
#include "store/blob/blob_store.h"
#include "store/index/adoption_log.h"
#include "store/links/links.h"

namespace berth::registry {

// Manifests are read and verified; of blobs only the size is asked for, and compared with what
// manifests say. A manifest stays when something that it names is missing, as it does in the
// original. Thread-safe. Errors are those of the disk or of rights.
Result<store::RepositoryContent> read_linked_content(const io::Directory& directory,
                                                     const store::BlobStore& blobs,
                                                     const oci::RepositoryName& repository,
                                                     std::vector<store::Finding>& findings);

}  // namespace berth::registry
