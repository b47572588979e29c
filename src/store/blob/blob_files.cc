#include "store/blob/blob_files.h"

#include "store/blob/paths.h"

namespace berth::store {
namespace {

constexpr std::size_t kStateBytesMax = 2 * kStateSlotBytes;
constexpr std::uint64_t kSpaceCheckBytes = 16u << 20;

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

Result<void> BlobFiles::count_space(std::uint64_t bytes) {
    if (uncounted_bytes_.fetch_add(bytes) + bytes < kSpaceCheckBytes) return {};
    BERTH_CHECK(check_space(bytes));  // failing it leaves the count: the next one asks again
    uncounted_bytes_ = 0;
    return {};
}

Result<std::unique_ptr<io::File>> BlobFiles::make_file(const std::string& path) {
    auto file = directory_.create(path);
    if (!file && file.error().code == Errc::not_found) {
        BERTH_CHECK(directory_.make_directories(kUploadsFolder));
        file = directory_.create(path);
    }
    if (!file && file.error().code == Errc::already_exists) return directory_.open_to_write(path);
    return file;
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

Result<void> BlobFiles::begin_upload(UploadState state) {
    return sessions_.add(state) ? Result<void>() : save_state(state);
}

// Not synced: a power cut may bring back the state before, which fits as well, or damage, which
// shows.
Result<void> BlobFiles::save_state(UploadState& state) {
    const std::string path = upload_state_path(state.info.id);
    const bool is_first = state.sequence++ == 0;
    BERTH_TRY(const auto file, is_first ? make_file(path) : directory_.open_to_write(path));
    BERTH_CHECK(file->write_at(slot_offset(state), as_bytes(format_state(state, boot_id()))));
    if (is_first) sessions_.remove(state.info.id);
    return {};
}

Result<UploadState> BlobFiles::load_state(const UploadId& id) const {
    if (auto known = sessions_.find(id)) return std::move(*known);
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

void BlobFiles::end_upload(const UploadState& state) {
    sessions_.remove(state.info.id);
    if (state.sequence > 0) static_cast<void>(directory_.remove(upload_state_path(state.info.id)));
}

void BlobFiles::discard_upload(const UploadId& id) {
    sessions_.remove(id);
    static_cast<void>(directory_.remove(upload_state_path(id)));  // first: now it is no upload
    static_cast<void>(directory_.remove(upload_data_path(id)));
}

}  // namespace berth::store
