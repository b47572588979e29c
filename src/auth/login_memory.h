// LoginMemory: which Authorization headers were verified, as keyed hashes, each until its time is
// up and all until the password file changes.
//
// Thread-safe: finding takes a shared lock, so event loops do not wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <unordered_map>

#include "auth/identity.h"
#include "auth/keyed_hash.h"
#include "base/clock.h"

namespace berth::auth {

class LoginMemory {
  public:
    explicit LoginMemory(std::size_t entries_max) : entries_max_(entries_max) {}

    // Null for what is not known, has expired, or was put under another version of the file.
    std::shared_ptr<const Identity> find(const KeyedHash& login, std::uint64_t version,
                                         SteadyTime now) const;
    // Forgets everything put under an older version; does nothing if `version` itself is older.
    // When full, makes room: first what has expired, then any other.
    void put(const KeyedHash& login, std::shared_ptr<const Identity> identity,
             std::uint64_t version, SteadyTime now, SteadyTime expires);

    std::size_t size() const;

  private:
    struct Entry {
        std::shared_ptr<const Identity> identity;
        SteadyTime expires;
    };

    const std::size_t entries_max_;
    mutable std::shared_mutex mutex_;
    std::uint64_t version_ = 0;
    std::unordered_map<KeyedHash, Entry, KeyedHashBucket> entries_;
};

}  // namespace berth::auth
