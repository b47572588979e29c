// ConnectionPool: connections to one database, each lent to one thread at a time.
//
// Made when they are needed, up to a limit, and kept; a caller beyond the limit waits. The one used
// last is lent next, for its page cache is the warmest. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "store/index/sqlite.h"

namespace berth::store {

class ConnectionPool {
  public:
    using Open = std::function<Result<std::unique_ptr<sqlite::Connection>>()>;

    // A connection on loan; given back at the end. The pool outlives it.
    class Lease {
      public:
        Lease(ConnectionPool& pool, std::unique_ptr<sqlite::Connection> connection)
            : pool_(&pool), connection_(std::move(connection)) {}
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            if (connection_) pool_->give_back(std::move(connection_));
        }

        sqlite::Connection& operator*() const { return *connection_; }
        sqlite::Connection* operator->() const { return connection_.get(); }

      private:
        ConnectionPool* pool_;
        std::unique_ptr<sqlite::Connection> connection_;
    };

    ConnectionPool(std::size_t limit, Open open) : limit_(limit), open_(std::move(open)) {}

    Result<Lease> acquire();

  private:
    void give_back(std::unique_ptr<sqlite::Connection> connection);
    void forget_one();

    const std::size_t limit_;
    const Open open_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::size_t made_ = 0;  // idle, on loan, or being opened
    std::vector<std::unique_ptr<sqlite::Connection>> idle_;
};

}  // namespace berth::store
