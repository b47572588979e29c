// The time, as a parameter: nothing below `app` asks the operating system for it.
#pragma once

#include <chrono>

namespace berth {

// Wall-clock time, to the millisecond: what is stored and shown.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

// Time that never jumps: deadlines and durations.
using SteadyTime = std::chrono::steady_clock::time_point;

// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
    virtual SteadyTime steady_now() const = 0;
};

class SystemClock final : public Clock {
  public:
    Time now() const override {
        return std::chrono::time_point_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now());
    }
    SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace berth
