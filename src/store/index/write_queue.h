// WriteQueue: group commit. One thread writes for all.
//
// The thread takes every operation that waits, runs each in a savepoint of its own inside one
// transaction, commits, and answers all of them: N concurrent callers pay for one fsync. An
// operation that fails leaves nothing and hurts no other one; a commit that fails fails all of its
// batch. While the thread commits, callers queue up freely.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "store/index/connection_pool.h"

namespace berth::store {

class WriteQueue {
  public:
    // Runs on the writer's thread, inside the transaction.
    using Operation = std::function<Result<void>(sqlite::Connection&)>;

    // Writes through a connection of `connections`, which outlives the queue. It is taken for each
    // batch anew.
    explicit WriteQueue(ConnectionPool& connections);
    // Everything that was queued is committed and answered first. No run() may begin any more.
    ~WriteQueue();
    WriteQueue(const WriteQueue&) = delete;
    WriteQueue& operator=(const WriteQueue&) = delete;

    // Returns when the operation is durable, or has failed and left nothing. Rethrows what it
    // threw.
    Result<void> run(const Operation& operation);

    // How many operations wait to be taken into a batch.
    std::size_t depth() const;

  private:
    struct Pending;
    using Batch = std::vector<Pending*>;

    void serve();
    // Waits for work; false: stopping, and nothing is left.
    bool wait(Batch& batch);
    // Adds what has come in the meantime; false: nothing, or the batch is full.
    bool take_more(Batch& batch);
    void commit(Batch& batch);
    Result<void> run_all(sqlite::Connection& connection, Batch& batch);
    void answer(const Batch& batch);

    ConnectionPool& connections_;
    mutable std::mutex mutex_;
    std::condition_variable work_;
    Batch waiting_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace berth::store
