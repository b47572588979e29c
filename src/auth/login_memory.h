// LoginMemory: which credentials were verified, as keyed hashes, and until when that holds.
//
// Thread-safe: finding takes a shared lock, so event loops do not wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "auth/identity.h"
#include "auth/keyed_hash.h"
#include "base/clock.h"

namespace berth::auth {

struct RememberedLogin {
    std::shared_ptr<const Identity> identity;
    std::size_t verifier = 0;   // which one said so
    std::uint64_t version = 0;  // its version, and the groups', before it said so
    SteadyTime expires;
    SteadyTime grace_until;  // not before `expires`
};

class LoginMemory {
  public:
    explicit LoginMemory(std::size_t entries_max) : entries_max_(entries_max) {}

    // Also what has expired: the caller looks at the times and the version.
    std::optional<RememberedLogin> find(const KeyedHash& login) const;
    // When full, makes room: first what has expired altogether, which is looked for once a second
    // at most, then any other.
    void put(const KeyedHash& login, RememberedLogin remembered, SteadyTime now);

    std::size_t size() const;

  private:
    const std::size_t entries_max_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<KeyedHash, RememberedLogin, KeyedHashBucket> entries_;
    SteadyTime sweep_at_ = SteadyTime::min();
};

}  // namespace berth::auth
