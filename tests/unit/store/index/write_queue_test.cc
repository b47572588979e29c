// Group commit: who shares a transaction, and who pays for a failure.
//
// A batch is made on purpose: its first operation holds the writer until the others have queued up.
#include "store/index/write_queue.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>
#include <stdexcept>

#include "support/temporary_directory.h"

namespace berth::store {
namespace {

using sqlite::Connection;

class WriteQueueTest : public ::testing::Test {
  protected:
    using Operation = WriteQueue::Operation;

    void SetUp() override {
        ASSERT_TRUE(open()->execute_script(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE t (x INTEGER PRIMARY KEY,"
            " parent INTEGER REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED);"));
    }
    std::unique_ptr<Connection> open() {
        auto connection =
            Connection::open(directory_.file("x.db"), Connection::Access::read_write).value();
        EXPECT_TRUE(connection->execute("PRAGMA foreign_keys = ON"));
        return connection;
    }
    static Operation insert(std::int64_t x) {
        return [x](Connection& connection) -> Result<void> {
            BERTH_CHECK(connection.execute("INSERT INTO t (x) VALUES (?)", x));
            return {};
        };
    }
    std::int64_t committed() {
        return reader_->find_integer("SELECT COUNT(*) FROM t").value().value_or(-1);
    }
    // Runs all in one batch, the first one first; their results in order.
    std::vector<Result<void>> run_together(const std::vector<Operation>& operations) {
        std::binary_semaphore started(0);
        std::binary_semaphore all_queued(0);
        const Operation first = [&](Connection& connection) {
            started.release();
            all_queued.acquire();
            return operations.front()(connection);
        };
        std::vector<std::future<Result<void>>> running;
        running.push_back(std::async(std::launch::async, [&] { return queue_.run(first); }));
        started.acquire();
        for (std::size_t i = 1; i < operations.size(); ++i) {
            running.push_back(std::async(
                std::launch::async, [this, &operations, i] { return queue_.run(operations[i]); }));
            while (queue_.depth() < i)
                std::this_thread::yield();
        }
        all_queued.release();
        std::vector<Result<void>> results;
        for (auto& one : running)
            results.push_back(one.get());
        return results;
    }

    TemporaryDirectory directory_;
    ConnectionPool pool_{1, [this] { return Result<std::unique_ptr<Connection>>(open()); }};
    WriteQueue queue_{pool_};
    std::unique_ptr<Connection> reader_ = open();
};

TEST_F(WriteQueueTest, CommitsBeforeItAnswers) {
    ASSERT_TRUE(queue_.run(insert(1)));
    EXPECT_EQ(committed(), 1);
}

TEST_F(WriteQueueTest, PutsWaitingOperationsIntoOneTransaction) {
    std::int64_t inside = 0;
    std::int64_t outside = -1;
    const auto results = run_together(
        {insert(1), insert(2), [&](Connection& connection) -> Result<void> {
             BERTH_TRY(const auto seen, connection.find_integer("SELECT COUNT(*) FROM t"));
             inside = seen.value_or(-1);
             outside = committed();
             return {};
         }});
    for (const auto& result : results)
        EXPECT_TRUE(result);
    EXPECT_EQ(inside, 2);
    EXPECT_EQ(outside, 0);
    EXPECT_EQ(committed(), 2);
}

TEST_F(WriteQueueTest, UndoesAFailedOperationAlone) {
    const auto results = run_together({insert(1),
                                       [](Connection& connection) -> Result<void> {
                                           BERTH_CHECK(insert(2)(connection));
                                           return fail(Errc::conflict, "no");
                                       },
                                       insert(3)});
    EXPECT_TRUE(results[0]);
    ASSERT_FALSE(results[1]);
    EXPECT_EQ(results[1].error().code, Errc::conflict);
    EXPECT_TRUE(results[2]);
    EXPECT_EQ(committed(), 2);
}

TEST_F(WriteQueueTest, FailsTheWholeBatchWhenTheCommitFails) {
    const auto results = run_together(
        {insert(1), [](Connection& connection) -> Result<void> {
             BERTH_CHECK(connection.execute("INSERT INTO t (x, parent) VALUES (2, 99)"));
             return {};
         }});
    EXPECT_FALSE(results[0]);
    EXPECT_FALSE(results[1]);
    EXPECT_EQ(committed(), 0);
    EXPECT_TRUE(queue_.run(insert(3))) << "the next batch is a new transaction";
    EXPECT_EQ(committed(), 1);
}

TEST_F(WriteQueueTest, FailsTheWholeBatchWhenATransactionIsLost) {
    const auto results = run_together({insert(1),
                                       [](Connection& connection) -> Result<void> {
                                           // As SQLite does by itself when the disk is full.
                                           BERTH_CHECK(connection.execute("ROLLBACK"));
                                           return fail(Errc::no_space, "full");
                                       },
                                       insert(2)});
    for (const auto& result : results) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::no_space);
    }
    EXPECT_EQ(committed(), 0);
    EXPECT_TRUE(queue_.run(insert(3)));
}

TEST_F(WriteQueueTest, ThrowsToTheCallerWhatItsOperationThrew) {
    EXPECT_THROW(static_cast<void>(queue_.run([](Connection& connection) -> Result<void> {
                     BERTH_CHECK(insert(1)(connection));
                     throw std::logic_error("bug");
                 })),
                 std::logic_error);
    EXPECT_EQ(committed(), 0);
    EXPECT_TRUE(queue_.run(insert(1)));
}

}  // namespace
}  // namespace berth::store
