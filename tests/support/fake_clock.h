// FakeClock: time that moves only when a test says so.
#pragma once

#include <chrono>
#include <mutex>

#include "base/clock.h"

namespace berth {

// Thread-safe. Both times advance together; set() moves the wall clock alone, as an administrator
// does.
class FakeClock final : public Clock {
  public:
    explicit FakeClock(Time now = Time(std::chrono::sys_days(std::chrono::year(2024) / 1 / 2)))
        : now_(now) {}

    Time now() const override {
        std::lock_guard lock(mutex_);
        return now_;
    }
    SteadyTime steady_now() const override {
        std::lock_guard lock(mutex_);
        return steady_now_;
    }
    void set(Time now) {
        std::lock_guard lock(mutex_);
        now_ = now;
    }
    void advance(std::chrono::milliseconds duration) {
        std::lock_guard lock(mutex_);
        now_ += duration;
        steady_now_ += duration;
    }

  private:
    mutable std::mutex mutex_;
    Time now_;
    SteadyTime steady_now_{};
};

}  // namespace berth
