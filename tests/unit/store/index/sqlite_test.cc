// The wrapper of SQLite: values go in and come out as they were, and errors become Berth's.
#include "store/index/sqlite.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace berth::store::sqlite {
namespace {

class SqliteConnection : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(connection_->execute("CREATE TABLE t (a INTEGER, b TEXT UNIQUE)"));
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Connection> connection_ =
        Connection::open(directory_.file("x.db"), Connection::Access::read_write).value();
};

TEST_F(SqliteConnection, KeepsEmptyTextAndNullApart) {
    ASSERT_TRUE(connection_->execute("INSERT INTO t VALUES (1, ?)", std::string_view()));
    ASSERT_TRUE(connection_->execute("INSERT INTO t VALUES (2, ?)", NullIfEmpty{""}));
    ASSERT_TRUE(connection_->execute("INSERT INTO t VALUES (?, ?)", std::optional<std::int64_t>(),
                                     NullIfEmpty{"x"}));
    EXPECT_EQ(connection_->find_integer("SELECT a FROM t WHERE b = ''").value(), 1);
    EXPECT_EQ(connection_->find_integer("SELECT a FROM t WHERE b IS NULL").value(), 2);
    EXPECT_EQ(connection_->find_integer("SELECT COUNT(*) FROM t WHERE a IS NULL").value(), 1);
}

TEST_F(SqliteConnection, ForgetsTheValuesOfTheLastUse) {
    const char* sql = "SELECT COALESCE(?, 'none')";
    for (const char* value : {"first", ""}) {
        auto row = connection_->query(sql, NullIfEmpty{value}).value();
        ASSERT_TRUE(row.step().value());
        EXPECT_EQ(row.text(0), *value ? value : "none");
    }
}

TEST_F(SqliteConnection, KeepsBytesAfterAZero) {
    const std::string text("a\0b", 3);
    auto row = connection_->query("SELECT ?", text).value();
    ASSERT_TRUE(row.step().value());
    EXPECT_EQ(row.text(0), text);
}

TEST_F(SqliteConnection, CountsTheRowsThatAStatementChanged) {
    ASSERT_TRUE(connection_->execute_script("INSERT INTO t (a) VALUES (1), (2), (3)"));
    EXPECT_EQ(connection_->execute("UPDATE t SET a = 0 WHERE a > ?", 1).value(), 2);
    EXPECT_EQ(connection_->execute("DELETE FROM t WHERE a = 7").value(), 0);
}

TEST_F(SqliteConnection, TellsAConflictFromABusyAndAMalformedStatement) {
    ASSERT_TRUE(connection_->execute("INSERT INTO t VALUES (1, 'x')"));
    EXPECT_EQ(connection_->execute("INSERT INTO t VALUES (1, 'x')").error().code, Errc::conflict);
    EXPECT_EQ(connection_->execute("INSERT INTO nowhere VALUES (1)").error().code, Errc::io);
}

TEST_F(SqliteConnection, TellsAFullDisk) {
    ASSERT_TRUE(connection_->execute("PRAGMA max_page_count = 4"));
    const std::string large(100'000, 'x');
    EXPECT_EQ(connection_->execute("INSERT INTO t VALUES (1, ?)", large).error().code,
              Errc::no_space);
}

TEST(SqliteOpen, NamesTheFileThatCannotBeOpened) {
    TemporaryDirectory directory;
    const auto opened =
        Connection::open(directory.file("missing/x.db"), Connection::Access::read_write);
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().detail.find("missing/x.db"), std::string::npos);
}

TEST(SqliteOpen, FindsThatAFileIsNoDatabase) {
    TemporaryDirectory directory;
    std::ofstream(directory.file("x.db")) << std::string(5000, 'x');
    auto connection =
        Connection::open(directory.file("x.db"), Connection::Access::read_only).value();
    EXPECT_EQ(connection->find_integer("PRAGMA user_version").error().code, Errc::corrupt);
}

}  // namespace
}  // namespace berth::store::sqlite
