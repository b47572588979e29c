// Histogram: counts whole numbers (nanoseconds, bytes) in buckets. Observing takes no lock and
// allocates nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "metrics/family.h"

namespace berth::metrics {

// Upper bounds, in ascending order; what is above the last has a bucket of its own. `unit` is how
// many of what is counted make one of what is exported.
template <std::size_t N>
struct Scale {
    std::array<std::uint64_t, N> bounds;
    double unit;
};

// Of durations: counted in nanoseconds, exported in seconds.
template <std::size_t N>
constexpr Scale<N> in_milliseconds(std::array<std::uint64_t, N> bounds) {
    for (std::uint64_t& bound : bounds)
        bound *= 1'000'000;
    return {bounds, 1e9};
}

// The counts of some histograms of one scale, added up.
template <std::size_t N>
struct HistogramSum {
    std::array<std::uint64_t, N + 1> counts{};
    std::uint64_t sum = 0;

    // Appends the series of this histogram, each with `labels`; none while nothing was observed.
    void append_to(Family& family, const Labels& labels, const Scale<N>& scale) const;
};

template <std::size_t N>
class Histogram {
  public:
    void observe(std::uint64_t value, const Scale<N>& scale) {
        std::size_t bucket = 0;
        while (bucket < N && value > scale.bounds[bucket])
            ++bucket;
        counts_[bucket].fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(value, std::memory_order_relaxed);
    }
    void add_to(HistogramSum<N>& total) const {
        for (std::size_t i = 0; i <= N; ++i)
            total.counts[i] += counts_[i].load(std::memory_order_relaxed);
        total.sum += sum_.load(std::memory_order_relaxed);
    }

  private:
    std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
    std::atomic<std::uint64_t> sum_{0};
};

template <std::size_t N>
void HistogramSum<N>::append_to(Family& family, const Labels& labels, const Scale<N>& scale) const {
    std::uint64_t count = 0;
    for (const std::uint64_t each : counts)
        count += each;
    if (count == 0) return;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i <= N; ++i) {
        below += counts[i];
        Labels bucket = labels;
        bucket.emplace_back(
            "le",
            i < N ? format_number(static_cast<double>(scale.bounds[i]) / scale.unit) : "+Inf");
        family.samples.push_back({"_bucket", std::move(bucket), static_cast<double>(below)});
    }
    family.samples.push_back({"_sum", labels, static_cast<double>(sum) / scale.unit});
    family.samples.push_back({"_count", labels, static_cast<double>(count)});
}

}  // namespace berth::metrics
