// HealthBoard: what the health checks have found lately, and whether that makes the server unready.
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace berth::jobs {

class HealthBoard {
  public:
    // `log` outlives it.
    explicit HealthBoard(Logger& log) : log_(log) {}

    // Before the first report. `threshold`: failures in a row that count; 0 is 1. The number that
    // report() takes.
    std::size_t add(std::string name, std::uint32_t threshold);
    // A check has ended. Said in the log when it begins to count as failing, and when it is well
    // again.
    void report(std::size_t number, const Result<void>& outcome);

    bool ready() const noexcept { return failing_.load(std::memory_order_acquire) == 0; }
    // Those that count as failing, by name, with why.
    std::map<std::string, std::string> failures() const;

  private:
    struct Line {
        std::string name;
        std::uint32_t threshold;
        std::uint32_t failures = 0;  // in a row, as far as the threshold
        std::string why;

        bool failing() const { return failures >= threshold; }
    };

    Logger& log_;
    mutable std::mutex mutex_;
    std::vector<Line> lines_;
    std::atomic<std::size_t> failing_{0};
};

}  // namespace berth::jobs
