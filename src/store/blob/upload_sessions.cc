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

bool UploadSessions::add(const UploadState& state) {
    std::lock_guard lock(mutex_);
    if (states_.size() >= kStatesMax) return false;
    states_.emplace(state.info.id, state);
    return true;
}

void UploadSessions::remove(const UploadId& id) {
    std::lock_guard lock(mutex_);
    states_.erase(id);
}

std::optional<UploadState> UploadSessions::find(const UploadId& id) const {
    std::lock_guard lock(mutex_);
    const auto found = states_.find(id);
    if (found == states_.end()) return std::nullopt;
    return found->second;
}

std::vector<UploadId> UploadSessions::ids() const {
    std::lock_guard lock(mutex_);
    std::vector<UploadId> ids;
    for (const auto& [id, state] : states_)
        ids.push_back(id);
    return ids;
}

}  // namespace berth::store
