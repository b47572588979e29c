#include "jobs/health_board.h"

#include <algorithm>

namespace berth::jobs {

std::size_t HealthBoard::add(std::string name, std::uint32_t threshold) {
    const std::lock_guard lock(mutex_);
    lines_.push_back({std::move(name), std::max(threshold, 1u), 0, {}});
    return lines_.size() - 1;
}

void HealthBoard::report(std::size_t number, const Result<void>& outcome) {
    const std::lock_guard lock(mutex_);
    Line& line = lines_[number];
    const bool was_failing = line.failing();
    if (outcome) {
        line.failures = 0;
        line.why.clear();
    } else {
        line.failures = std::min(line.failures + 1, line.threshold);
        line.why = outcome.error().detail;
    }
    if (line.failing() == was_failing) return;
    if (was_failing) {
        --failing_;
        log_.write(LogLevel::info, "a health check succeeds again", {{"check", line.name}});
    } else {
        ++failing_;
        log_.write(LogLevel::error, "a health check fails: every answer is 503 until it succeeds",
                   {{"check", line.name}, {"error", line.why}});
    }
}

std::map<std::string, std::string> HealthBoard::failures() const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> failures;
    for (const Line& line : lines_) {
        if (line.failing()) failures.emplace(line.name, line.why);
    }
    return failures;
}

}  // namespace berth::jobs
