#include "auth/login_memory.h"

#include <mutex>
#include <utility>

namespace berth::auth {

std::shared_ptr<const Identity> LoginMemory::find(const KeyedHash& login, std::uint64_t version,
                                                  SteadyTime now) const {
    std::shared_lock lock(mutex_);
    if (version_ != version) return nullptr;
    const auto found = entries_.find(login);
    if (found == entries_.end() || found->second.expires <= now) return nullptr;
    return found->second.identity;
}

void LoginMemory::put(const KeyedHash& login, std::shared_ptr<const Identity> identity,
                      std::uint64_t version, SteadyTime now, SteadyTime expires) {
    std::unique_lock lock(mutex_);
    if (version < version_ || entries_max_ == 0) return;
    if (version > version_) {
        entries_.clear();
        version_ = version;
    }
    if (entries_.size() >= entries_max_ && !entries_.contains(login)) {
        std::erase_if(entries_, [now](const auto& entry) { return entry.second.expires <= now; });
        if (entries_.size() >= entries_max_) entries_.erase(entries_.begin());
    }
    entries_.insert_or_assign(login, Entry{std::move(identity), expires});
}

std::size_t LoginMemory::size() const {
    std::shared_lock lock(mutex_);
    return entries_.size();
}

}  // namespace berth::auth
