#include "store/blob/blob_files.h"

#include "store/blob/paths.h"

namespace berth::store {
namespace {

constexpr std::size_t kStateBytesMax = 2 * kStateSlotBytes;

}  // namespace

Result<void> BlobFiles::check_space(std::uint64_t bytes) const {
    BERTH_TRY(const auto space, directory_.space());
    if (space.free_bytes >= options_.reserve_bytes &&
        space.free_bytes - options_.reserve_bytes >= bytes)
        return {};
    return fail(Errc::no_space,
                "the registry's disk is full: " + std::to_string(space.free_bytes >> 20) +
                    " MiB free, " + std::to_string(options_.reserve_bytes >> 20) +
                    " MiB are kept in reserve");
}

// Rename first, then sync: the file system then has to commit once for all of it. Until this
// returns the index does not name the blob, so it does not matter what a crash in between leaves at
// its path.
Result<void> BlobFiles::publish(io::File& file, const std::string& from,
                                const oci::Digest& digest) {
    const std::string fan_out = fan_out_path(digest);
    BERTH_CHECK(folders_.ensure(fan_out));
    BERTH_TRY(const bool unsynced, move_into_place(file, from, digest));
    if (unsynced) BERTH_CHECK(file.sync());
    BERTH_CHECK(folders_.sync(blob_folder_path(digest)));
    return folders_.sync(fan_out);
}

// A folder that is there already may hold the same blob, acknowledged to another push: it must
// never be replaced by bytes that a power cut could still take, so there the sync comes first.
Result<bool> BlobFiles::move_into_place(io::File& file, const std::string& from,
                                        const oci::Digest& digest) {
    std::lock_guard lock(lock_of(digest));
    BERTH_TRY(const auto made, directory_.make_directories(blob_folder_path(digest)));
    const bool is_new = !made.empty();
    if (!is_new) BERTH_CHECK(file.sync());
    BERTH_CHECK(directory_.rename(from, blob_path(digest)));
    return is_new;
}

Result<void> BlobFiles::remove_blob(const oci::Digest& digest) {
    std::lock_guard lock(lock_of(digest));
    BERTH_CHECK(directory_.remove(blob_path(digest)));
    // Fails when other software left files there; an empty folder harms nobody either.
    static_cast<void>(directory_.remove(blob_folder_path(digest)));
    return {};
}

std::mutex& BlobFiles::lock_of(const oci::Digest& digest) {
    return blob_locks_[std::hash<oci::Digest>()(digest) % blob_locks_.size()];
}

Result<void> BlobFiles::create_upload(const UploadState& state) {
    const UploadId& id = state.info.id;
    BERTH_CHECK(directory_.make_directories(upload_folder_path(id)));
    auto file = directory_.create(upload_state_path(id));
    Result<void> written;
    if (file) {
        written = (*file)->write_at(0, as_bytes(format_state(state, boot_id())));
    } else {
        written = std::unexpected(std::move(file.error()));
    }
    if (!written) {
        discard_upload(id);
        return written;
    }
    sessions_.remember(state);
    return {};
}

// Not synced: a power cut may bring back the state before, which fits as well, or damage, which
// shows.
Result<void> BlobFiles::save_state(UploadState& state) {
    ++state.sequence;
    BERTH_TRY(const auto file, directory_.open_to_write(upload_state_path(state.info.id)));
    BERTH_CHECK(file->write_at(slot_offset(state), as_bytes(format_state(state, boot_id()))));
    sessions_.remember(state);
    return {};
}

Result<UploadState> BlobFiles::load_state(const UploadId& id) const {
    if (auto known = sessions_.recall(id)) return std::move(*known);
    const auto text = io::read_file(directory_, upload_state_path(id), kStateBytesMax);
    if (!text && text.error().code != Errc::not_found && text.error().code != Errc::too_large)
        return std::unexpected(text.error());
    auto gone = fail(Errc::not_found, "there is no upload " + id.text());
    if (!text) return gone;
    auto state = parse_state(id, *text, boot_id());
    if (!state) return gone;
    if (state->info.offset > 0) {
        const auto data = directory_.open(upload_data_path(id));
        if (!data) return gone;
        BERTH_TRY(const std::uint64_t size, (*data)->size());
        if (size < state->info.offset) return gone;
    }
    return state;
}

void BlobFiles::discard_upload(const UploadId& id) {
    sessions_.forget(id);
    const std::string folder = upload_folder_path(id);
    static_cast<void>(directory_.remove(upload_state_path(id)));  // first: now it is no upload
    if (directory_.remove(folder)) return;
    const auto entries = directory_.list(folder);
    if (!entries) return;
    for (const auto& entry : *entries)
        static_cast<void>(directory_.remove(folder + "/" + entry.name));
    static_cast<void>(directory_.remove(folder));
}

}  // namespace berth::store
