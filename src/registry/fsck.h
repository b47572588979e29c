// Fsck: whether all that the registry should have is there and whole, and what it has that nothing
// needs.
//
// Reads only, beside a server too: what changes meanwhile is looked at again before it is reported.
// Until registry:2's data is taken over its link files say what there should be; afterwards the
// index does, and what is wrong with the link files is only told, for it tells what was left out.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "io/directory.h"
#include "store/blob/blob_store.h"
#include "store/index/index.h"
#include "store/links/links.h"

namespace berth::registry {

struct FsckOptions {
    bool digests = false;     // read all blobs, and compare their digests
    std::size_t threads = 0;  // 0: two a core
    // Called by one thread at a time, often. Bytes only with `digests`.
    std::function<void(std::uint64_t blobs, std::uint64_t bytes)> on_progress;
};

struct FsckReport {
    std::uint64_t blobs = 0, bytes = 0;        // checked
    std::vector<store::Finding> findings;      // damage
    std::vector<store::Finding> left_out;      // of link files that no longer are the truth
    std::vector<store::StoredBlob> orphans;    // that nothing names
    std::vector<store::LinkedUpload> uploads;  // that registry:2 has left
};

// `index` is null where there is none yet.
Result<FsckReport> check(const io::Directory& directory, const store::BlobStore& blobs,
                         const store::Index* index, const FsckOptions& options);

// Removes the link files that are empty or hold nothing, which stop the original, and its uploads
// that were last written to before `latest`. Nobody else may have the directory. Returns the paths
// that were removed, in the order of the report.
Result<std::vector<std::string>> repair(io::Directory& directory, const FsckReport& report,
                                        Time latest);

}  // namespace berth::registry
