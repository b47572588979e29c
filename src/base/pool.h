// Pool: a bounded set of threads for work that blocks (files, fsync, bcrypt, the index).
//
// Thread-safe. Threads start on demand up to `threads`. When `queue` jobs wait already, submit
// refuses, and the caller answers 503: load turns into refusals, not into memory. Jobs must not
// throw.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace berth {

// How many threads can run at once on this machine; one at least.
std::size_t cores();

class Pool {
  public:
    struct Options {
        std::string name;          // of its threads, as `top -H` shows them; at most 15 characters
        std::size_t threads = 16;  // most at once
        std::size_t queue = 1024;  // most waiting
    };

    explicit Pool(Options options);
    ~Pool();  // runs what is queued, then joins
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // False: the queue is full or the pool is stopping, and `job` will not run.
    [[nodiscard]] bool submit(std::function<void()> job);

    struct Usage {
        std::size_t threads = 0;    // most at once
        std::size_t busy = 0;       // of them, now
        std::size_t waiting = 0;    // jobs, now
        std::uint64_t refused = 0;  // jobs, ever
    };
    Usage usage() const;

  private:
    void work();

    const Options options_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> jobs_;
    std::vector<std::thread> threads_;
    std::size_t idle_ = 0;
    std::uint64_t refused_ = 0;
    bool stopping_ = false;
};

}  // namespace berth
