#include "store/index/connection_pool.h"

namespace berth::store {

Result<ConnectionPool::Lease> ConnectionPool::acquire() {
    {
        std::unique_lock lock(mutex_);
        returned_.wait(lock, [this] { return !idle_.empty() || made_ < limit_; });
        if (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            return Lease(*this, std::move(connection));
        }
        ++made_;
    }
    auto opened = open_();  // without the lock: it reads the file
    if (!opened) {
        forget_one();
        return std::unexpected(std::move(opened.error()));
    }
    return Lease(*this, std::move(*opened));
}

void ConnectionPool::give_back(std::unique_ptr<sqlite::Connection> connection) {
    {
        std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
}

void ConnectionPool::forget_one() {
    {
        std::lock_guard lock(mutex_);
        --made_;
    }
    returned_.notify_one();
}

}  // namespace berth::store
