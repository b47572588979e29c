#include <algorithm>
#include <set>

#include "oci/hasher.h"
#include "store/blob/blob_files.h"
#include "store/blob/paths.h"
#include "store/blob/upload.h"

namespace berth::store {
namespace {

constexpr std::size_t kCopyBlockBytes = 1u << 20;

class FileBlobStore final : public BlobStore {
  public:
    FileBlobStore(io::Directory& directory, const Clock& clock, FileBlobStoreOptions options)
        : files_(directory, clock, std::move(options)) {}

    Result<UploadInfo> begin(const oci::RepositoryName& repository,
                             oci::Algorithm algorithm) override {
        BERTH_CHECK(files_.check_space(0));
        const Time now = files_.clock().now();
        UploadInfo info{UploadId::make(), repository, algorithm, 0, now, now};
        const auto lease = files_.sessions().try_lease(info.id);
        const std::string hash = oci::Hasher(algorithm).save();
        BERTH_CHECK(files_.begin_upload({info, hash, 0, hash}));
        return info;
    }

    Result<std::unique_ptr<Upload>> open_upload(const UploadId& id) override {
        auto lease = files_.sessions().try_lease(id);
        if (!lease) return fail(Errc::conflict, "another request is writing to this upload");
        BERTH_TRY(auto state, files_.load_state(id));
        auto upload = FileUpload::open(files_, std::move(*lease), std::move(state));
        if (!upload && upload.error().code == Errc::not_found) files_.discard_upload(id);
        return upload;
    }

    Result<UploadInfo> find_upload(const UploadId& id) const override {
        BERTH_TRY(auto state, files_.load_state(id));
        return std::move(state.info);
    }

    Result<std::vector<UploadInfo>> uploads() override {
        std::vector<UploadInfo> uploads;
        BERTH_TRY(const auto ids, upload_ids());
        for (const auto& id : ids) {
            auto state = files_.load_state(id);
            if (state) {
                uploads.push_back(std::move(state->info));
            } else if (state.error().code == Errc::not_found) {
                clear_upload(id);
            }
        }
        return uploads;
    }

    Result<std::size_t> upload_count() const override {
        BERTH_TRY(const auto ids, upload_ids());
        return ids.size();
    }

    Result<void> put(const oci::Digest& digest, Bytes bytes) override {
        const auto actual = oci::digest_of(digest.algorithm(), bytes);
        if (actual != digest)
            return fail(Errc::invalid,
                        "the bytes have the digest " + actual.text() + ", not " + digest.text());
        BERTH_CHECK(files_.check_space(bytes.size()));
        const UploadId id = UploadId::make();
        const auto lease = files_.sessions().try_lease(id);
        auto done = put_as(id, digest, bytes);
        if (!done) files_.discard_upload(id);
        return done;
    }

    Result<std::uint64_t> put_file(const oci::Digest& digest, const io::File& file) override {
        const UploadId id = UploadId::make();
        const auto lease = files_.sessions().try_lease(id);
        auto done = put_file_as(id, digest, file);
        // Also when it is done: where the blob's path was another name of the same file, a rename
        // leaves both.
        files_.discard_upload(id);
        return done;
    }

    Result<OpenBlob> open(const oci::Digest& digest) const override {
        BERTH_TRY(std::shared_ptr<io::File> file, files_.directory().open(blob_path(digest)));
        BERTH_TRY(const std::uint64_t size, file->size());
        return OpenBlob{std::move(file), size};
    }

    Result<void> remove(const oci::Digest& digest) override { return files_.remove_blob(digest); }

  private:
    Result<void> put_as(const UploadId& id, const oci::Digest& digest, Bytes bytes) {
        BERTH_TRY(const auto file, files_.make_file(upload_data_path(id)));
        BERTH_CHECK(file->write_at(0, bytes));
        return files_.publish(*file, upload_data_path(id), digest);
    }

    // Hashed is what will be served: the clone, not the file it was made of.
    Result<std::uint64_t> put_file_as(const UploadId& id, const oci::Digest& digest,
                                      const io::File& file) {
        const std::string path = upload_data_path(id);
        BERTH_CHECK(files_.check_space(0));
        BERTH_CHECK(files_.directory().make_directories(kUploadsFolder));
        BERTH_TRY(const bool shared, files_.directory().share(file, path));
        BERTH_TRY(const auto mine, shared ? files_.directory().open(path) : files_.make_file(path));
        BERTH_TRY(const auto size, file.size());
        oci::Hasher hasher(digest.algorithm());
        std::vector<std::byte> block(kCopyBlockBytes);
        for (std::uint64_t at = 0; at < size;) {
            const auto wanted = std::min<std::uint64_t>(block.size(), size - at);
            const auto part = std::span(block).first(static_cast<std::size_t>(wanted));
            BERTH_TRY(const auto got, (shared ? *mine : file).read_at(at, part));
            if (got != part.size()) return fail(Errc::corrupt, "the file became shorter");
            hasher.update(part);
            if (!shared) BERTH_CHECK(files_.count_space(part.size()));
            if (!shared) BERTH_CHECK(mine->write_at(at, part));
            at += got;
        }
        const auto actual = hasher.digest();
        if (actual != digest) {
            return fail(Errc::invalid,
                        "the bytes have the digest " + actual.text() + ", not " + digest.text());
        }
        BERTH_CHECK(files_.publish(*mine, path, digest));
        return size;
    }

    // All that files or the sessions know of, uploads or not.
    Result<std::set<UploadId>> upload_ids() const {
        std::set<UploadId> ids;
        const auto entries = files_.directory().list(kUploadsFolder);
        if (!entries && entries.error().code != Errc::not_found)
            return std::unexpected(entries.error());
        for (const auto& entry : entries.value_or(std::vector<io::Entry>())) {
            std::string_view name = entry.name;
            if (name.ends_with(kStateSuffix)) name.remove_suffix(kStateSuffix.size());
            if (auto id = UploadId::parse(name)) ids.insert(std::move(*id));  // others are not ours
        }
        for (auto& id : files_.sessions().ids())
            ids.insert(std::move(id));
        return ids;
    }

    // The lease tells what a crash left from what another thread is just making.
    void clear_upload(const UploadId& id) {
        const auto lease = files_.sessions().try_lease(id);
        if (lease && !files_.load_state(id)) files_.discard_upload(id);
    }

    BlobFiles files_;
};

}  // namespace

std::unique_ptr<BlobStore> make_file_blob_store(io::Directory& directory, const Clock& clock,
                                                FileBlobStoreOptions options) {
    return std::make_unique<FileBlobStore>(directory, clock, std::move(options));
}

}  // namespace berth::store
