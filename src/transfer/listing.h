// What an index has, whole: for those who need all of it and not a page.
#pragma once

#include <vector>

#include "store/index/index.h"

namespace berth::transfer {

Result<std::vector<oci::RepositoryName>> all_repositories(const store::IndexReader& index);
Result<std::vector<store::TagRecord>> all_tags(const store::IndexReader& index,
                                               const oci::RepositoryName& repository);
Result<std::vector<oci::Digest>> all_manifests(const store::IndexReader& index,
                                               const oci::RepositoryName& repository);
Result<std::vector<oci::Digest>> all_blobs(const store::IndexReader& index,
                                           const oci::RepositoryName& repository);

}  // namespace berth::transfer
