// Loop: one event loop on one thread. A connection is born on a loop and never leaves it, so the
// code of a connection needs no locks. Loops: all of them, one a core.
//
// A loop also watches its streams' deadlines: a stream sets the time by which something must have
// happened (a plain store, no timer), and once in a while the loop cuts off those that are late.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/task.h"

namespace berth::net {

using WatchHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// Something with a deadline; lives and dies on its loop.
class Watched : public WatchHook {
  public:
    // Called on the loop once the deadline has passed.
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
    // On the loop's own thread only.
    void watch(Watched& watched) { watched_.push_back(watched); }
    bool draining() const { return draining_; }

  private:
    friend class Loops;
    void run();
    void start_ticking();
    void tick();
    void drain();
    void expire_all();

    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<LoopExecutor> work_{context_.get_executor()};
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>,
                                      LoopExecutor>
        ticker_{context_.get_executor()};
    boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>> watched_;
    bool draining_ = false;
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
    // Asks all streams to end; those that still work are cut off after `patience`. Returns when all
    // threads have ended.
    void stop(std::chrono::milliseconds patience);

  private:
    std::vector<std::unique_ptr<Loop>> loops_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> next_{0};
};

}  // namespace berth::net
