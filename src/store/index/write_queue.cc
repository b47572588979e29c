#include "store/index/write_queue.h"

#include <algorithm>
#include <exception>

namespace berth::store {
namespace {

// Bounds how long the first caller of a batch waits for the last one's operation.
constexpr std::size_t kBatchMax = 256;

}  // namespace

// Lives on its caller's stack; the caller sleeps until `done`, which is guarded by the queue's
// mutex. The other fields belong to the writer until then.
struct WriteQueue::Pending {
    const Operation* operation;
    Result<void> result = {};
    std::exception_ptr thrown = nullptr;
    bool done = false;
    std::condition_variable finished = {};
};

WriteQueue::WriteQueue(ConnectionPool& connections)
    : connections_(connections), thread_([this] { serve(); }) {}

WriteQueue::~WriteQueue() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_one();
    thread_.join();
}

Result<void> WriteQueue::run(const Operation& operation) {
    Pending pending{.operation = &operation};
    {
        std::unique_lock lock(mutex_);
        waiting_.push_back(&pending);
        work_.notify_one();
        pending.finished.wait(lock, [&pending] { return pending.done; });
    }
    if (pending.thrown) std::rethrow_exception(pending.thrown);
    return std::move(pending.result);
}

std::size_t WriteQueue::depth() const {
    std::lock_guard lock(mutex_);
    return waiting_.size();
}

void WriteQueue::serve() {
    Batch batch;
    batch.reserve(kBatchMax);
    while (wait(batch)) {
        commit(batch);
        answer(batch);
        batch.clear();
    }
}

bool WriteQueue::wait(Batch& batch) {
    {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    }
    return take_more(batch);
}

bool WriteQueue::take_more(Batch& batch) {
    std::lock_guard lock(mutex_);
    const auto count = std::min(waiting_.size(), kBatchMax - batch.size());
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    batch.insert(batch.end(), waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    return count > 0;
}

void WriteQueue::commit(Batch& batch) {
    auto connection = connections_.acquire();
    Result<void> outcome =
        connection ? run_all(**connection, batch) : std::unexpected(std::move(connection.error()));
    if (outcome) return;
    // The transaction is lost, and with it what had gone well.
    for (Pending* pending : batch) {
        if (pending->result && !pending->thrown) pending->result = outcome;
    }
}

namespace {

// False: the transaction ended with the error.
bool run_in_savepoint(sqlite::Connection& connection, const WriteQueue::Operation& operation,
                      Result<void>& result, std::exception_ptr& thrown) {
    if (auto begun = connection.execute("SAVEPOINT operation"); !begun) {
        result = std::unexpected(std::move(begun.error()));
        return connection.in_transaction();
    }
    try {
        result = operation(connection);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (!result || thrown) {
        if (!connection.in_transaction()) return false;
        if (!connection.execute("ROLLBACK TO operation")) return false;
    }
    return connection.execute("RELEASE operation").has_value();
}

}  // namespace

Result<void> WriteQueue::run_all(sqlite::Connection& connection, Batch& batch) {
    BERTH_CHECK(connection.execute("BEGIN IMMEDIATE"));
    std::size_t next = 0;
    bool alive = true;
    do {
        for (; alive && next < batch.size(); ++next) {
            Pending& pending = *batch[next];
            alive =
                run_in_savepoint(connection, *pending.operation, pending.result, pending.thrown);
        }
    } while (alive && take_more(batch));

    Result<void> outcome;
    if (alive) {
        if (auto committed = connection.execute("COMMIT"); !committed) {
            outcome = std::unexpected(std::move(committed.error()));
        }
    } else if (const auto& cause = batch[next - 1]->result; !cause) {
        outcome = std::unexpected(cause.error());
    } else {
        outcome = fail(Errc::io, "index: the transaction was lost");
    }
    if (!outcome && connection.in_transaction()) {
        if (auto undone = connection.execute("ROLLBACK"); !undone) {
            outcome = std::unexpected(std::move(undone.error()));
        }
    }
    return outcome;
}

void WriteQueue::answer(const Batch& batch) {
    std::lock_guard lock(mutex_);
    for (Pending* pending : batch) {
        pending->done = true;
        // Under the lock: a caller that has seen `done` takes its Pending away.
        pending->finished.notify_one();
    }
}

}  // namespace berth::store
