// LoginThrottle: slows down guessing. After some failures of one caller (a user from an address, or
// an address) its next tries are refused unheard, until it has been quiet for the pause.
//
// Thread-safe. Memory is bounded: when too many callers fail, the one that failed longest ago is
// forgotten.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <unordered_map>

#include "auth/keyed_hash.h"
#include "base/clock.h"

namespace berth::auth {

class LoginThrottle {
  public:
    struct Options {
        int failures_max;
        std::chrono::seconds pause;  // after the last failure, everything is forgotten
        std::size_t callers_max = 10'000;
    };

    explicit LoginThrottle(Options options) : options_(options) {}

    // May the caller try a password now? A try counts as a failure until succeeded() is called, so
    // that tries in parallel cannot outrun the limit.
    bool begin(const KeyedHash& caller, SteadyTime now);
    // Forgets the caller's failures.
    void succeeded(const KeyedHash& caller);
    // Takes back the one try: who shares the caller's name may have failed for real.
    void take_back(const KeyedHash& caller);

    std::size_t size() const;

  private:
    struct Failures {
        int count = 0;
        SteadyTime last;
    };

    void make_room(SteadyTime now);

    const Options options_;
    mutable std::mutex mutex_;
    std::unordered_map<KeyedHash, Failures, KeyedHashBucket> callers_;
};

}  // namespace berth::auth
