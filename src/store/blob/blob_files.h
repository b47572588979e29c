// BlobFiles: the changes that a store and its uploads make to the tree: publishing bytes as a blob,
// keeping and clearing away uploads. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "io/directory.h"
#include "store/blob/blob_store.h"
#include "store/blob/directory_sync.h"
#include "store/blob/upload_sessions.h"

namespace berth::store {

class BlobFiles {
  public:
    BlobFiles(io::Directory& directory, const Clock& clock, FileBlobStoreOptions options)
        : directory_(directory), clock_(clock), options_(std::move(options)), folders_(directory) {}

    io::Directory& directory() { return directory_; }
    const io::Directory& directory() const { return directory_; }
    const Clock& clock() const { return clock_; }
    const std::string& boot_id() const { return options_.boot_id; }
    UploadSessions& sessions() { return sessions_; }
    const UploadSessions& sessions() const { return sessions_; }

    // Errc::no_space when `bytes` more would eat into the reserve.
    Result<void> check_space(std::uint64_t bytes) const;
    // The same, asking the file system only once in so many bytes of all uploads together.
    Result<void> count_space(std::uint64_t bytes);

    // An empty file in the uploads' folder, or what is there by that name, to write.
    Result<std::unique_ptr<io::File>> make_file(const std::string& path);

    // Makes the file at `from`, open as `file` and verified, the blob `digest`: durable when this
    // returns.
    Result<void> publish(io::File& file, const std::string& from, const oci::Digest& digest);
    Result<void> remove_blob(const oci::Digest& digest);

    // The caller of the following has the upload's lease, but for load_state.
    Result<void> begin_upload(UploadState state);
    Result<void> save_state(UploadState& state);  // the next in sequence
    // Errc::not_found also for a damaged one, or one without its bytes: what a crash left is no
    // upload.
    Result<UploadState> load_state(const UploadId& id) const;
    // The upload's bytes have a blob's name now.
    void end_upload(const UploadState& state);
    // Removes its bytes. Does what it can; what is left is found by uploads() later.
    void discard_upload(const UploadId& id);

  private:
    std::mutex& lock_of(const oci::Digest& digest);
    // Returns whether the file still has to be synced.
    Result<bool> move_into_place(io::File& file, const std::string& from,
                                 const oci::Digest& digest);

    io::Directory& directory_;
    const Clock& clock_;
    const FileBlobStoreOptions options_;
    UploadSessions sessions_;
    DirectorySync folders_;
    std::array<std::mutex, 64> blob_locks_;
    std::atomic<std::uint64_t> uncounted_bytes_ = 0;  // since we last asked for the free space
};

}  // namespace berth::store
