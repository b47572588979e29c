#include "auth/login_throttle.h"

#include <algorithm>

namespace berth::auth {

bool LoginThrottle::begin(const KeyedHash& caller, SteadyTime now) {
    std::lock_guard lock(mutex_);
    auto found = callers_.find(caller);
    if (found == callers_.end()) {
        if (callers_.size() >= options_.callers_max) make_room(now);
        found = callers_.try_emplace(caller).first;
    }
    Failures& failures = found->second;
    if (now - failures.last >= options_.pause) failures.count = 0;
    if (failures.count >= options_.failures_max) return false;
    ++failures.count;
    failures.last = now;
    return true;
}

void LoginThrottle::succeeded(const KeyedHash& caller) {
    std::lock_guard lock(mutex_);
    callers_.erase(caller);
}

void LoginThrottle::take_back(const KeyedHash& caller) {
    std::lock_guard lock(mutex_);
    const auto found = callers_.find(caller);
    if (found != callers_.end() && --found->second.count <= 0) callers_.erase(found);
}

std::size_t LoginThrottle::size() const {
    std::lock_guard lock(mutex_);
    return callers_.size();
}

void LoginThrottle::make_room(SteadyTime now) {
    std::erase_if(callers_, [this, now](const auto& caller) {
        return now - caller.second.last >= options_.pause;
    });
    if (callers_.size() < options_.callers_max) return;
    callers_.erase(std::min_element(callers_.begin(), callers_.end(), [](auto& a, auto& b) {
        return a.second.last < b.second.last;
    }));
}

}  // namespace berth::auth
