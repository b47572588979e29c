// The steps of the schema: each file gets those that it lacks, and nothing but ours is touched.
#include "store/index/schema.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/temporary_directory.h"

namespace berth::store {
namespace {

using sqlite::Connection;

class Schema : public ::testing::Test {
  protected:
    std::unique_ptr<Connection> open() {
        return Connection::open(directory_.file("index.db"), Connection::Access::read_write)
            .value();
    }

    TemporaryDirectory directory_;
};

constexpr const char* kOne[] = {"CREATE TABLE a (x)"};
constexpr const char* kTwo[] = {"CREATE TABLE a (x)", "ALTER TABLE a ADD y DEFAULT 5"};
constexpr const char* kBroken[] = {"CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE nonsense"};

TEST_F(Schema, BringsANewFileToTheLastVersion) {
    auto connection = open();
    EXPECT_EQ(schema_version(*connection).value(), 0);
    ASSERT_TRUE(migrate(*connection));
    EXPECT_EQ(schema_version(*connection).value(), std::ssize(schema_steps()));
    EXPECT_TRUE(connection->execute("SELECT * FROM manifest_reference"));
}

TEST_F(Schema, AppliesOnlyTheStepsThatAreMissing) {
    ASSERT_TRUE(migrate(*open(), kOne));
    ASSERT_TRUE(open()->execute("INSERT INTO a VALUES (1)"));
    auto connection = open();
    EXPECT_EQ(schema_version(*connection, kTwo).value(), 1);
    ASSERT_TRUE(migrate(*connection, kTwo));
    EXPECT_EQ(connection->find_integer("SELECT x + y FROM a").value(), 6);
    ASSERT_TRUE(migrate(*connection, kTwo));
    EXPECT_EQ(schema_version(*connection, kTwo).value(), 2);
}

TEST_F(Schema, LeavesAFileAsItWasWhenAStepFails) {
    ASSERT_TRUE(migrate(*open(), kOne));
    EXPECT_FALSE(migrate(*open(), kBroken));
    auto connection = open();
    EXPECT_EQ(schema_version(*connection).value(), 1);
    EXPECT_FALSE(connection->execute("SELECT * FROM b"));
}

TEST_F(Schema, RefusesAFileOfANewerProgram) {
    ASSERT_TRUE(migrate(*open(), kTwo));
    const auto refused = migrate(*open(), kOne);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST_F(Schema, RefusesADatabaseOfSomethingElse) {
    ASSERT_TRUE(open()->execute("CREATE TABLE theirs (x)"));
    EXPECT_EQ(migrate(*open()).error().code, Errc::corrupt);
    ASSERT_TRUE(open()->execute("DROP TABLE theirs"));
    ASSERT_TRUE(open()->execute("PRAGMA user_version = 1"));
    EXPECT_EQ(migrate(*open()).error().code, Errc::corrupt);
}

TEST_F(Schema, IsMadeOnceByManyWhoOpenAtOnce) {
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const auto migrated = migrate(*open());
            EXPECT_TRUE(migrated) << migrated.error().detail;
            done += migrated ? 1 : 0;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(done, 4);
    EXPECT_EQ(schema_version(*open()).value(), std::ssize(schema_steps()));
}

}  // namespace
}  // namespace berth::store
