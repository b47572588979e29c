#include "net/loop.h"

#include <pthread.h>

#include <boost/asio/post.hpp>

namespace berth::net {

namespace {

constexpr auto kTick = std::chrono::milliseconds(250);

}  // namespace

Loop::Loop() = default;

void Loop::run() {
    pthread_setname_np(pthread_self(), "loop");
    start_ticking();
    context_.run();
}

void Loop::start_ticking() {
    ticker_.expires_after(kTick);
    ticker_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        tick();
        start_ticking();
    });
}

void Loop::tick() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& watched : watched_) {
        if (watched.deadline > now) continue;
        watched.deadline = SteadyTime::max();
        watched.expire();
    }
}

void Loop::drain() {
    draining_ = true;
    for (auto& watched : watched_)
        watched.drain();
    // The context's run() ends with the last stream.
    work_.reset();
    ticker_.cancel();
}

void Loop::expire_all() {
    for (auto& watched : watched_)
        watched.expire();
}

Loops::Loops(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        loops_.push_back(std::make_unique<Loop>());
}

Loops::~Loops() {
    stop(std::chrono::milliseconds(0));
}

Loop& Loops::next() {
    return *loops_[next_.fetch_add(1, std::memory_order_relaxed) % loops_.size()];
}

void Loops::start() {
    for (auto& loop : loops_)
        threads_.emplace_back([&loop] { loop->run(); });
}

void Loops::stop(std::chrono::milliseconds patience) {
    if (threads_.empty()) return;
    std::atomic<std::size_t> running{threads_.size()};
    std::vector<std::thread> waiters;
    for (auto& loop : loops_) {
        boost::asio::post(loop->context(), [&loop] { loop->drain(); });
    }
    for (auto& thread : threads_) {
        waiters.emplace_back([&thread, &running] {
            thread.join();
            --running;
            running.notify_all();
        });
    }
    // A watchdog loop of its own: the only thing that runs beside the drained loops.
    boost::asio::io_context watchdog;
    boost::asio::steady_timer timer(watchdog, patience);
    timer.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        for (auto& loop : loops_) {
            boost::asio::post(loop->context(), [&loop] { loop->expire_all(); });
        }
    });
    std::thread guard([&watchdog] { watchdog.run(); });
    for (auto left = running.load(); left != 0; left = running.load())
        running.wait(left);
    boost::asio::post(watchdog, [&timer] { timer.cancel(); });
    guard.join();
    for (auto& waiter : waiters)
        waiter.join();
    threads_.clear();
}

}  // namespace berth::net
