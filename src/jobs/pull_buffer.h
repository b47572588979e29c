// PullBuffer: pulls that are told of a moment later. Never blocks for long, and is bounded: what
// does not fit is counted and gone. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "store/index/event_queue.h"

namespace berth::jobs {

class PullBuffer {
  public:
    explicit PullBuffer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // True: it is the first since the last take().
    bool add(store::Event event);
    // Everything, in the order in which it came.
    std::vector<store::Event> take();
    // How many did not fit, since the last call.
    std::uint64_t take_lost();

  private:
    const std::size_t bytes_max_;
    std::mutex mutex_;
    std::vector<store::Event> events_;
    std::size_t bytes_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace berth::jobs
