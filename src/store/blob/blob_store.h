// The blob store: content-addressed bytes, and the uploads that become them.
//
// Bytes enter in one way only: they are hashed as they arrive and get a blob's name when the digest
// is right. Files, all under the root directory (the blobs' paths are registry:2's own):
//
//     docker/registry/v2/blobs/<algorithm>/<first two hex digits>/<hex>/data    a blob
//     berth/uploads/<uuid>          bytes on their way to their name
//     berth/uploads/<uuid>.state    an upload's repository, offset and hash state
//
// Durability: what commit() and put() return for is on disk, bytes and directory entries. What
// save() returned for is there after a crash of the process, with the hash state that fits; later
// bytes are dropped when the upload is opened again. A power cut may take an upload back to an
// earlier save, or away. Before its first save an upload ends with the process: nothing of it was
// acknowledged but its name, and a client begins anew as it does when its upload has expired. A
// file at a blob's path proves nothing after a crash: only the index says which blobs are whole,
// and a commit of the same digest replaces the file.
//
// Cost: begin() touches no file. A blob sent in one piece takes one file, its folder, and three
// syncs, of which pushes at the same time share what they can; no other file is made or removed.
//
// Thread-safe and blocking: called from pools.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "io/directory.h"
#include "oci/digest.h"
#include "oci/names.h"

namespace berth::store {

// A canonical lower-case UUID; nothing else can name an upload's files.
class UploadId {
  public:
    static UploadId make();
    static Result<UploadId> parse(std::string_view text);
    const std::string& text() const { return text_; }
    friend auto operator<=>(const UploadId&, const UploadId&) = default;

  private:
    explicit UploadId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

struct UploadInfo {
    UploadId id;
    oci::RepositoryName repository;
    oci::Algorithm algorithm;
    std::uint64_t offset = 0;  // bytes that are kept
    Time started_at;
    Time updated_at;
};

// One upload, open for writing: exclusive from open to destruction. Used by one thread at a time.
// Destroying it keeps what was saved and gives the upload free for the next request.
class Upload {
  public:
    virtual ~Upload() = default;
    virtual const UploadInfo& info() const = 0;  // with the offset as it is now
    // Writes and hashes. After an error only destruction is allowed.
    virtual Result<void> append(Bytes bytes) = 0;
    // Keeps all appended bytes over a crash (see above).
    virtual Result<void> save() = 0;
    // Turns the upload into the blob `expected` and ends it. Errc::invalid when the bytes have
    // another digest: nothing becomes visible and the upload is gone. `expected` may be of another
    // algorithm than the session's: the bytes are then hashed again from the file. With `known`
    // (the index already has this blob, whole) the bytes are verified and dropped.
    enum class Known { no, yes };
    virtual Result<std::uint64_t> commit(const oci::Digest& expected, Known known) = 0;
    // Ends the upload; its bytes are gone.
    virtual Result<void> abort() = 0;
};

struct OpenBlob {
    std::shared_ptr<io::File> file;
    std::uint64_t size = 0;
};

class BlobStore {
  public:
    virtual ~BlobStore() = default;

    // A new upload in `repository`.
    virtual Result<UploadInfo> begin(const oci::RepositoryName& repository,
                                     oci::Algorithm algorithm) = 0;
    // Errc::not_found: unknown or ended. Errc::conflict: open elsewhere.
    virtual Result<std::unique_ptr<Upload>> open_upload(const UploadId& id) = 0;
    // What is saved of it; also while it is open (then as of the last save).
    virtual Result<UploadInfo> find_upload(const UploadId& id) const = 0;
    // All of them. Clears away what a crash left of uploads that can no longer be opened.
    virtual Result<std::vector<UploadInfo>> uploads() = 0;
    // About how many there are.
    virtual Result<std::size_t> upload_count() const = 0;

    // Small whole bytes (manifests): hashed, checked against `digest`, durable when this returns.
    virtual Result<void> put(const oci::Digest& digest, Bytes bytes) = 0;
    // The same for a file of any size, also of another directory. Its bytes are read once, and not
    // copied where the file system can share them (io::Directory::share); nobody may write to it
    // any more. Returns the size.
    virtual Result<std::uint64_t> put_file(const oci::Digest& digest, const io::File& file) = 0;
    virtual Result<OpenBlob> open(const oci::Digest& digest) const = 0;
    virtual Result<void> remove(const oci::Digest& digest) = 0;
};

// The blob store on a directory tree. `directory` and `clock` outlive it. Pushes are refused with
// Errc::no_space when fewer than `reserve_bytes` would stay free.
struct FileBlobStoreOptions {
    std::uint64_t reserve_bytes = 64u << 20;
    // Names the running kernel (/proc/sys/kernel/random/boot_id): what was written under it is
    // there as long as it runs, so save() need not wait for the disk each time. Empty: it does.
    std::string boot_id;
};
std::unique_ptr<BlobStore> make_file_blob_store(io::Directory& directory, const Clock& clock,
                                                FileBlobStoreOptions options);

}  // namespace berth::store
