// AdoptionLog: takes over repositories whose names are in link files, and remembers which. A part
// of the index, so that a repository's content and the fact that it was taken over are one
// transaction.
//
// A new index begins with the link files as the truth for names. Repository by repository the truth
// comes over to the index, until all have. After an export in place it lies with the link files
// again.
#pragma once

#include <vector>

#include "base/result.h"
#include "store/index/records.h"

namespace berth::store {

// Who did it, in histories, where the link files say it.
inline constexpr const char* kAdoptionActor = "registry:2";

// All that a repository has.
struct RepositoryContent {
    struct Blob {
        Digest digest;
        std::uint64_t size = 0;
    };
    std::vector<Blob> blobs;
    std::vector<ManifestRecord> manifests;  // what they name and is not here is left out
    std::vector<TagRecord> tags;            // on manifests of `manifests`
};

class AdoptionLog {
  public:
    virtual ~AdoptionLog() = default;

    // Has the index the truth for all names?
    virtual Result<bool> adopted_all() const = 0;
    virtual Result<bool> adopted(const RepositoryName& repository) const = 0;
    // The repository is made to have exactly this; it counts as adopted from now on. What was in
    // the index and is not in `content` goes, with its history kept. Nothing when it was adopted.
    virtual Result<void> adopt(const RepositoryName& repository,
                               const RepositoryContent& content) = 0;
    virtual Result<void> set_adopted_all() = 0;
    // The link files are the truth again (export in place).
    virtual Result<void> set_given_back() = 0;
};

}  // namespace berth::store
