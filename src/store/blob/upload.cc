#include "store/blob/upload.h"

#include <algorithm>

#include "store/blob/paths.h"

namespace berth::store {
namespace {

constexpr std::uint64_t kUnsyncedBytesMax = 64u << 20;  // what a power cut may cost a client again
constexpr std::size_t kRehashBlockBytes = 256u << 10;

// The upload's bytes, at exactly the saved length. Made by the first request that opens the upload,
// so that beginning one stays cheap.
Result<std::unique_ptr<io::File>> open_data(BlobFiles& files, const UploadInfo& info) {
    const std::string path = upload_data_path(info.id);
    BERTH_TRY(auto data,
              info.offset == 0 ? files.make_file(path) : files.directory().open_to_write(path));
    BERTH_TRY(const std::uint64_t size, data->size());
    if (size < info.offset) return fail(Errc::not_found, "the upload's bytes are gone");
    if (size > info.offset) BERTH_CHECK(data->truncate(info.offset));
    return data;
}

}  // namespace

Result<std::unique_ptr<Upload>> FileUpload::open(BlobFiles& files, UploadSessions::Lease&& lease,
                                                 UploadState state) {
    BERTH_TRY(auto hasher, oci::Hasher::restore(state.hash));
    BERTH_TRY(auto data, open_data(files, state.info));
    return std::make_unique<FileUpload>(files, std::move(lease), std::move(state), std::move(data),
                                        std::move(hasher));
}

FileUpload::FileUpload(BlobFiles& files, UploadSessions::Lease lease, UploadState state,
                       std::unique_ptr<io::File> data, oci::Hasher hasher)
    : files_(files),
      lease_(std::move(lease)),
      state_(std::move(state)),
      data_(std::move(data)),
      hasher_(std::move(hasher)) {}

Result<void> FileUpload::append(Bytes bytes) {
    BERTH_CHECK(files_.count_space(bytes.size()));
    BERTH_CHECK(data_->write_at(state_.info.offset, bytes));
    hasher_.update(bytes);
    state_.info.offset += bytes.size();
    return {};
}

Result<void> FileUpload::save() {
    state_.info.updated_at = files_.clock().now();
    state_.hash = hasher_.save();
    const std::uint64_t unsynced = state_.info.offset - state_.synced_offset;
    if (unsynced >= kUnsyncedBytesMax || (unsynced > 0 && files_.boot_id().empty())) {
        BERTH_CHECK(data_->sync());
        state_.synced_offset = state_.info.offset;
        state_.synced_hash = state_.hash;
    }
    return files_.save_state(state_);
}

Result<std::uint64_t> FileUpload::commit(const oci::Digest& expected, Known known) {
    BERTH_TRY(const auto actual, digest_as(expected.algorithm()));
    if (actual != expected) {
        files_.discard_upload(state_.info.id);
        return fail(Errc::invalid,
                    "the bytes have the digest " + actual.text() + ", not " + expected.text());
    }
    if (known == Known::yes) {
        files_.discard_upload(state_.info.id);
    } else {
        BERTH_CHECK(files_.publish(*data_, upload_data_path(state_.info.id), expected));
        files_.end_upload(state_);
    }
    return state_.info.offset;
}

Result<void> FileUpload::abort() {
    files_.discard_upload(state_.info.id);
    return {};
}

Result<oci::Digest> FileUpload::digest_as(oci::Algorithm algorithm) const {
    if (algorithm == hasher_.algorithm()) return hasher_.digest();
    oci::Hasher hasher(algorithm);
    std::vector<std::byte> block(kRehashBlockBytes);
    for (std::uint64_t at = 0; at < state_.info.offset;) {
        const auto wanted = std::min<std::uint64_t>(block.size(), state_.info.offset - at);
        const auto part = std::span(block).first(static_cast<std::size_t>(wanted));
        BERTH_TRY(const std::size_t got, data_->read_at(at, part));
        if (got != part.size()) return fail(Errc::corrupt, "the upload's bytes are gone");
        hasher.update(part);
        at += got;
    }
    return hasher.digest();
}

}  // namespace berth::store
