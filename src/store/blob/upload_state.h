// UploadState: what is kept of an upload between requests, and its file `state`.
//
// The file has two slots, written by turns and in place: a save costs one write, and what tears it
// leaves the save before. (A temporary file renamed over the old one is no way here: ext4 then
// writes it out at once.) After a power cut the file may be older than the data or damaged: each
// slot carries its own digest and says how many bytes were synced. Bytes written since count only
// under the kernel that has them in its cache.
#pragma once

#include <string>
#include <string_view>

#include "store/blob/blob_store.h"

namespace berth::store {

struct UploadState {
    UploadInfo info;
    std::string hash;  // oci::Hasher::save() after info.offset bytes
    std::uint64_t synced_offset = 0;
    std::string synced_hash;
    std::uint64_t sequence = 0;  // counts the saves; the slot with the higher one is the state
};

inline constexpr std::size_t kStateSlotBytes = 4096;

// Where in the file the state is to be written.
inline std::uint64_t slot_offset(const UploadState& state) {
    return state.sequence % 2 * kStateSlotBytes;
}

std::string format_state(const UploadState& state, std::string_view boot_id);

// The newest state in the file's `content`, as far as it can be trusted under the kernel `boot_id`:
// info.offset and hash go back to the synced ones when another kernel wrote it. Errc::corrupt when
// no slot is whole.
Result<UploadState> parse_state(const UploadId& id, std::string_view content,
                                std::string_view boot_id);

}  // namespace berth::store
