#include "net/loop.h"

#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <csignal>

namespace berth::net {

namespace {

constexpr auto kTick = std::chrono::milliseconds(250);

void rethrow(const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

Loop::Loop() = default;

void Loop::spawn(Task<void> task) {
    boost::asio::co_spawn(context_, std::move(task), rethrow);
}

void Loop::watch(Watched& watched) {
    if (draining_ && watched_.empty()) start_ticking();
    watched_.push_back(watched);
    // The loop's patience has ended: whatever still comes gets a tick, no more.
    if (expired_) watched.deadline = SteadyTime::min();
}

void Loop::unwatch(Watched& watched) {
    if (watched.is_linked()) watched.unlink();
    // The ticker is all that would still hold a drained loop.
    if (draining_ && watched_.empty()) ticker_.cancel();
}

void Loop::run() {
    pthread_setname_np(pthread_self(), "loop");
    // sendfile has no flag against the signal that a gone peer means.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    start_ticking();
    context_.run();
}

void Loop::start_ticking() {
    ticker_.expires_after(kTick);
    ticker_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        tick();
        if (!draining_ || !watched_.empty()) start_ticking();
    });
}

void Loop::tick() {
    const auto now = std::chrono::steady_clock::now();
    for (auto at = watched_.begin(); at != watched_.end();) {
        Watched& watched = *at++;
        if (watched.deadline > now) continue;
        watched.deadline = SteadyTime::max();
        watched.expire();
    }
}

void Loop::drain() {
    draining_ = true;
    for (auto at = watched_.begin(); at != watched_.end();) {
        Watched& watched = *at++;
        watched.drain();
    }
    // From here on the context's run() ends with the last stream.
    work_.reset();
    if (watched_.empty()) ticker_.cancel();
}

void Loop::expire_all() {
    expired_ = true;
    for (auto at = watched_.begin(); at != watched_.end();) {
        Watched& watched = *at++;
        watched.expire();
    }
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
    running_ = loops_.size();
    for (auto& loop : loops_)
        threads_.emplace_back([this, &loop] { run(*loop); });
}

void Loops::run(Loop& loop) {
    loop.run();
    std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
}

bool Loops::answer(std::chrono::milliseconds patience) {
    struct Roll {
        std::mutex mutex;
        std::condition_variable called;
        std::size_t missing = 0;
    };
    // A loop may get round to it only after the answer has been given.
    const auto roll = std::make_shared<Roll>();
    roll->missing = loops_.size();
    for (auto& loop : loops_) {
        boost::asio::post(loop->context(), [roll] {
            std::lock_guard lock(roll->mutex);
            --roll->missing;
            roll->called.notify_one();
        });
    }
    std::unique_lock lock(roll->mutex);
    return roll->called.wait_for(lock, patience, [&roll] { return roll->missing == 0; });
}

void Loops::stop(std::chrono::milliseconds patience) {
    if (threads_.empty()) return;
    for (auto& loop : loops_)
        boost::asio::post(loop->context(), [&loop] { loop->drain(); });
    {
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, patience, [this] { return running_ == 0; });
    }
    for (auto& loop : loops_)
        boost::asio::post(loop->context(), [&loop] { loop->expire_all(); });
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
}

}  // namespace berth::net
