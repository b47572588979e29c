// Reports: sentences for the log, where the same one would come with each login.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

// Thread-safe.
class Reports {
  public:
    Reports(const Clock& clock, std::function<void(const Error&)> to)
        : clock_(clock), to_(std::move(to)) {}

    void send(const Error& error) const { to_(error); }

    // Not again for a while, unless another one came between.
    void send_once(const Error& error) {
        {
            std::lock_guard lock(mutex_);
            const SteadyTime now = clock_.steady_now();
            if (error.detail == last_ && now < again_at_) return;
            last_ = error.detail;
            again_at_ = now + kPause;
        }
        to_(error);
    }

  private:
    static constexpr std::chrono::minutes kPause{10};

    const Clock& clock_;
    const std::function<void(const Error&)> to_;
    std::mutex mutex_;
    std::string last_;
    SteadyTime again_at_;
};

}  // namespace berth::auth
