#include "auth/login_memory.h"

#include <mutex>
#include <utility>

namespace berth::auth {
namespace {

// A sweep looks at every entry, and all who look for one wait meanwhile.
constexpr auto kSweepInterval = std::chrono::seconds(1);

}  // namespace

std::optional<RememberedLogin> LoginMemory::find(const KeyedHash& login) const {
    std::shared_lock lock(mutex_);
    const auto found = entries_.find(login);
    if (found == entries_.end()) return std::nullopt;
    return found->second;
}

void LoginMemory::put(const KeyedHash& login, RememberedLogin remembered, SteadyTime now) {
    std::unique_lock lock(mutex_);
    if (entries_max_ == 0) return;
    if (entries_.size() >= entries_max_ && !entries_.contains(login)) {
        if (now >= sweep_at_) {
            sweep_at_ = now + kSweepInterval;
            std::erase_if(entries_,
                          [now](const auto& entry) { return entry.second.grace_until <= now; });
        }
        if (entries_.size() >= entries_max_) entries_.erase(entries_.begin());
    }
    entries_.insert_or_assign(login, std::move(remembered));
}

std::size_t LoginMemory::size() const {
    std::shared_lock lock(mutex_);
    return entries_.size();
}

}  // namespace berth::auth
