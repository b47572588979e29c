// HttpMetrics: the requests, counted and timed as distribution does it, and what memory knew of
// what they asked for.
//
// Every request of every loop comes by here: what they write is striped, so that loops do not take
// each other's cache lines away, and summed up when somebody asks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "metrics/family.h"
#include "metrics/metrics.h"

namespace berth::metrics {

class HttpMetrics {
  public:
    HttpMetrics();
    ~HttpMetrics();

    void began(HandlerName handler);
    void ended(const ServedRequest& request);
    // Memory was asked for what is pulled.
    void cache_asked(bool hit);
    void append_to(std::vector<Family>& families) const;

  private:
    struct Stripe;
    struct Totals;
    Stripe& mine() const;
    Totals total() const;
    static void append_cache(const Totals& totals, std::vector<Family>& families);

    static constexpr std::size_t kStripes = 8;
    const std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace berth::metrics
