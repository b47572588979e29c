#include <set>

#include "oci/hasher.h"
#include "store/blob/blob_files.h"
#include "store/blob/paths.h"
#include "store/blob/upload.h"

namespace berth::store {
namespace {

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
