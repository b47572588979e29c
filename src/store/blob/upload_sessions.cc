#include "store/blob/upload_sessions.h"

namespace berth::store {

std::optional<UploadSessions::Lease> UploadSessions::try_lease(const UploadId& id) {
    std::lock_guard lock(mutex_);
    if (!leased_.insert(id).second) return std::nullopt;
    return std::optional<Lease>(std::in_place, *this, id);
}

void UploadSessions::release(const UploadId& id) {
    std::lock_guard lock(mutex_);
    leased_.erase(id);
}

void UploadSessions::remember(const UploadState& state) {
    std::lock_guard lock(mutex_);
    if (remembered_.size() >= kRememberedMax && !remembered_.contains(state.info.id)) return;
    remembered_.insert_or_assign(state.info.id, state);
}

void UploadSessions::forget(const UploadId& id) {
    std::lock_guard lock(mutex_);
    remembered_.erase(id);
}

std::optional<UploadState> UploadSessions::recall(const UploadId& id) const {
    std::lock_guard lock(mutex_);
    const auto found = remembered_.find(id);
    if (found == remembered_.end()) return std::nullopt;
    return found->second;
}

}  // namespace berth::store
