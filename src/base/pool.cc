#include "base/pool.h"

#include <pthread.h>

#include <algorithm>

namespace berth {

std::size_t cores() {
    return std::max(1u, std::thread::hardware_concurrency());
}

Pool::Pool(Options options) : options_(std::move(options)) {}

Pool::~Pool() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

bool Pool::submit(std::function<void()> job) {
    {
        std::lock_guard lock(mutex_);
        if (stopping_ || jobs_.size() >= options_.queue) {
            ++refused_;
            return false;
        }
        jobs_.push_back(std::move(job));
        if (idle_ < jobs_.size() && threads_.size() < options_.threads) {
            threads_.emplace_back([this] { work(); });
        }
    }
    wake_.notify_one();
    return true;
}

Pool::Usage Pool::usage() const {
    std::lock_guard lock(mutex_);
    return {options_.threads, threads_.size() - idle_, jobs_.size(), refused_};
}

void Pool::work() {
    pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        --idle_;
        if (jobs_.empty()) return;
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        job();
        job = nullptr;
        lock.lock();
    }
}

}  // namespace berth
