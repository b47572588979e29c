// Loop: one event loop on one thread. A connection is born on a loop and never leaves it, so the
// code of a connection needs no locks. Loops: all of them, one a core.
//
// A loop also watches its streams' deadlines: a stream sets the time by which something must have
// happened (a plain store, no timer), and four times a second the loop cuts off those that are
// late.
#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/task.h"

namespace berth::net {

using LoopTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;

using WatchHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// Something with a deadline; lives and dies on its loop.
class Watched : public WatchHook {
  public:
    // Called on the loop once the deadline has passed, and when the loop's patience has ended.
    virtual void expire() = 0;
    // Called on the loop when the server stops: end now if nothing is under way.
    virtual void drain() = 0;
    SteadyTime deadline = SteadyTime::max();

  protected:
    ~Watched() = default;
};

class Loop {
  public:
    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    boost::asio::io_context& context() { return context_; }
    LoopExecutor executor() { return context_.get_executor(); }
    // Runs `task` on this loop until it ends: the root of one connection's coroutines. The loop's
    // thread does not end before it. What it throws ends the program: requests catch their own.
    // Thread-safe.
    void spawn(Task<void> task);

    // On the loop's own thread, or before it starts. Each watched thing is unwatched before it is
    // gone.
    void watch(Watched& watched);
    void unwatch(Watched& watched);
    // True once the server stops: what is new should not begin.
    bool draining() const { return draining_; }

  private:
    friend class Loops;
    void run();
    void start_ticking();
    void tick();
    void drain();
    void expire_all();

    bool draining_ = false;
    bool expired_ = false;
    boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>> watched_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<LoopExecutor> work_{context_.get_executor()};
    LoopTimer ticker_{context_.get_executor()};
};

class Loops {
  public:
    explicit Loops(std::size_t count);
    ~Loops();  // stops

    // The loops in turn. Thread-safe.
    Loop& next();
    Loop& first() { return *loops_.front(); }
    std::size_t count() const { return loops_.size(); }

    // Starts a thread for each loop.
    void start();
    // Does each loop get round to something new within `patience`? Not on a loop's own thread.
    bool answer(std::chrono::milliseconds patience);
    // Asks all streams to end; those that still work are cut off after `patience`. Returns when all
    // threads have ended: a stream that was cut off may still wait for a pool's job to return.
    void stop(std::chrono::milliseconds patience);

  private:
    void run(Loop& loop);

    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::condition_variable ended_;
    std::size_t running_ = 0;
};

}  // namespace berth::net
