// The index in SQLite: the suite that every index passes, in a file and in memory, and what only a
// file can show.
#include "store/index/sqlite_index.h"

#include <fstream>
#include <thread>

#include "store/index/schema.h"
#include "store/index/sqlite.h"
#include "suites/event_suite.h"
#include "suites/index_suite.h"
#include "support/index_check.h"
#include "support/temporary_directory.h"

namespace berth::store {
namespace {

using sqlite::Connection;

constexpr RecordedEvents kAllEvents{.push = true, .mount = true, .remove = true};

class IndexInFile final : public TestedIndex {
  public:
    explicit IndexInFile(const Clock& clock)
        : index_(
              open_sqlite_index({.path = directory_.file("index.db"), .events = kAllEvents}, clock)
                  .value()) {}
    Index& index() override { return *index_; }
    std::vector<std::string> inconsistencies() override {
        return inconsistencies_of(directory_.file("index.db"));
    }

  private:
    TemporaryDirectory directory_;
    std::unique_ptr<Index> index_;
};

class IndexInMemory final : public TestedIndex {
  public:
    explicit IndexInMemory(const Clock& clock)
        : index_(open_sqlite_index({.path = ":memory:", .events = kAllEvents}, clock).value()) {}
    Index& index() override { return *index_; }

  private:
    std::unique_ptr<Index> index_;
};

template <class Tested>
IndexBackend backend(std::string name) {
    return {std::move(name), [](const Clock& clock) { return std::make_unique<Tested>(clock); }};
}

INSTANTIATE_TEST_SUITE_P(Sqlite, IndexSuite,
                         ::testing::Values(backend<IndexInFile>("File"),
                                           backend<IndexInMemory>("Memory")),
                         [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(Sqlite, EventSuite,
                         ::testing::Values(backend<IndexInFile>("File"),
                                           backend<IndexInMemory>("Memory")),
                         [](const auto& tested) { return tested.param.name; });

class SqliteIndex : public ::testing::Test {
  protected:
    std::unique_ptr<Index> open() {
        return open_sqlite_index({.path = path_, .grace = kGrace}, clock_).value();
    }
    Errc open_error() {
        auto opened = open_sqlite_index({.path = path_}, clock_);
        return opened ? Errc{} : opened.error().code;
    }
    std::unique_ptr<Connection> connect() {
        return Connection::open(path_, Connection::Access::read_write).value();
    }
    // Milliseconds from now to the time when the row is due; nullopt: not due.
    std::optional<std::int64_t> due(const char* table, std::uint64_t number) {
        const std::string id = std::string(table) == "blob" ? "id" : "blob_id";
        const auto due_at =
            connect()
                ->find_integer("SELECT due_at FROM " + std::string(table) + " WHERE " + id +
                                   " = (SELECT id FROM blob WHERE digest = ?)"
                                   " AND due_at IS NOT NULL",
                               digest_of(number).text())
                .value();
        if (!due_at) return std::nullopt;
        return *due_at - clock_.now().time_since_epoch().count();
    }

    static constexpr std::chrono::seconds kGrace{100};
    static constexpr std::int64_t kGraceMs = 100'000;
    TemporaryDirectory directory_;
    const std::string path_ = directory_.file("index.db");
    FakeClock clock_;
    const Actor actor_{"jenkins"};
    const RepositoryName app_ = repository_of("team/app");
    const Tag latest_ = tag_of("latest");
};

TEST_F(SqliteIndex, HoldsItsContentsWhenItIsOpenedAgain) {
    {
        auto index = open();
        ASSERT_TRUE(index->link_blob(app_, digest_of(1), 5, actor_));
        ASSERT_TRUE(index->put_manifest(app_, image_of(10, {digest_of(1)}), {latest_},
                                        Overwrite::yes, actor_));
    }
    auto index = open();
    EXPECT_EQ(index->find_tag(app_, latest_).value()->digest, digest_of(10));
    EXPECT_EQ(index->find_blob(app_, digest_of(1)).value(), 5u);
    EXPECT_TRUE(inconsistencies_of(path_).empty());
}

TEST_F(SqliteIndex, IsCheckedByInvariantsThatCanFail) {
    auto index = open();
    ASSERT_TRUE(index->link_blob(app_, digest_of(1), 5, actor_));
    ASSERT_TRUE(
        index->put_manifest(app_, image_of(10, {digest_of(1)}), {latest_}, Overwrite::yes, actor_));
    std::size_t found = inconsistencies_of(path_).size();
    EXPECT_EQ(found, 0u);
    for (const char* damage :
         {"UPDATE repository SET entries = entries + 1",
          "UPDATE blob SET references_count = references_count + 1",
          "UPDATE link SET references_count = references_count + 1",
          "UPDATE manifest SET references_count = references_count + 1",
          "INSERT INTO referrer VALUES (1, 'a', 'b')", "DELETE FROM tag_history"}) {
        ASSERT_TRUE(connect()->execute(damage));
        const std::size_t now = inconsistencies_of(path_).size();
        EXPECT_GT(now, found) << damage;
        found = now;
    }
}

TEST_F(SqliteIndex, RecordsOnlyTheEventsThatItIsToRecord) {
    const auto all = [this](RecordedEvents recorded) {
        auto index = open_sqlite_index({.path = ":memory:", .events = recorded}, clock_).value();
        EXPECT_TRUE(index->link_blob(app_, digest_of(1), 5, actor_));
        EXPECT_TRUE(index->mount_blob(app_, digest_of(1), 5, app_, actor_));
        EXPECT_TRUE(index->put_manifest(app_, image_of(10), {latest_}, Overwrite::yes, actor_));
        EXPECT_TRUE(index->delete_manifest(app_, digest_of(10), actor_));
        EXPECT_TRUE(index->unlink_blob(app_, digest_of(1), actor_));
        std::vector<std::string> lines;
        const auto events = index->events(0, 100).value();
        for (const auto& event : events)
            lines.push_back(format_event(event));
        return lines;
    };
    using ::testing::ElementsAre;
    EXPECT_THAT(all({}), ElementsAre());
    EXPECT_THAT(all({.push = true}), ElementsAre("push 1", "push 10 :latest"));
    EXPECT_THAT(all({.mount = true}), ElementsAre("mount 1"));
    EXPECT_THAT(all({.remove = true}), ElementsAre("delete 10", "delete :latest", "delete 1"));
}

TEST_F(SqliteIndex, RefusesWhatANewerProgramWrote) {
    open();
    ASSERT_TRUE(connect()->execute("PRAGMA user_version = 1000"));
    EXPECT_EQ(open_error(), Errc::unsupported);
}

TEST_F(SqliteIndex, RefusesAFileThatIsNoIndexAndLeavesItAlone) {
    const std::string text(10'000, 'x');
    std::ofstream(path_) << text;
    EXPECT_EQ(open_error(), Errc::corrupt);
    std::string after;
    std::getline(std::ifstream(path_), after);
    EXPECT_EQ(after, text);
}

TEST_F(SqliteIndex, RefusesTheDatabaseOfAnotherProgram) {
    ASSERT_TRUE(connect()->execute("CREATE TABLE theirs (x)"));
    EXPECT_EQ(open_error(), Errc::corrupt);
    EXPECT_EQ(connect()->find_integer("SELECT COUNT(*) FROM sqlite_schema").value(), 1);
}

TEST_F(SqliteIndex, IsSharedByTwoWhoOpenIt) {
    auto server = open();
    auto command = open();
    ASSERT_TRUE(server->put_manifest(app_, image_of(10), {latest_}, Overwrite::yes, actor_));
    EXPECT_TRUE(command->find_tag(app_, latest_).value());
    ASSERT_TRUE(command->delete_tag(app_, latest_, actor_));
    EXPECT_FALSE(server->find_tag(app_, latest_).value());
}

TEST_F(SqliteIndex, OpensForManyAtOnce) {
    std::atomic<int> opened = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            auto index = open_sqlite_index({.path = path_}, clock_);
            EXPECT_TRUE(index) << index.error().detail;
            opened += index ? 1 : 0;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(opened, 4);
}

TEST_F(SqliteIndex, ReadsWhileAnotherOneWrites) {
    auto index = open();
    ASSERT_TRUE(index->put_manifest(app_, image_of(10), {latest_}, Overwrite::yes, actor_));
    auto other = connect();
    ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
    ASSERT_TRUE(other->execute("DELETE FROM tag"));
    // A writer of the index now waits for the other one; readers must not.
    std::thread writer([&] {
        EXPECT_TRUE(
            index->put_manifest(app_, image_of(11), {tag_of("v1")}, Overwrite::yes, actor_));
    });
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(index->find_tag(app_, latest_).value()->digest, digest_of(10));
        ASSERT_FALSE(index->find_tag(app_, tag_of("v1")).value());
    }
    ASSERT_TRUE(other->execute("ROLLBACK"));
    writer.join();
    EXPECT_TRUE(index->find_tag(app_, tag_of("v1")).value());
}

TEST_F(SqliteIndex, ServesMoreReadersThanItHasConnections) {
    auto index = open();
    ASSERT_TRUE(index->put_manifest(app_, image_of(10), {latest_}, Overwrite::yes, actor_));
    std::atomic<int> found = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 32; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 20; ++j)
                found += index->find_tag(app_, latest_).value() ? 1 : 0;
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(found, 32 * 20);
}

TEST_F(SqliteIndex, GivesABlobThatNoManifestNamesItsGrace) {
    auto index = open();
    ASSERT_TRUE(index->link_blob(app_, digest_of(1), 5, actor_));
    EXPECT_EQ(due("link", 1), kGraceMs);
    EXPECT_EQ(due("blob", 1), std::nullopt) << "the link holds it";
    clock_.advance(std::chrono::seconds(10));
    EXPECT_EQ(due("link", 1), kGraceMs - 10'000);
    ASSERT_TRUE(index->link_blob(app_, digest_of(1), 5, actor_));
    EXPECT_EQ(due("link", 1), kGraceMs) << "renewed";
    ASSERT_TRUE(
        index->put_manifest(app_, image_of(10, {digest_of(1)}), {}, Overwrite::yes, actor_));
    EXPECT_EQ(due("link", 1), std::nullopt);
    ASSERT_TRUE(index->link_blob(app_, digest_of(1), 5, actor_));
    EXPECT_EQ(due("link", 1), std::nullopt);
    ASSERT_TRUE(index->delete_manifest(app_, digest_of(10), actor_));
    EXPECT_EQ(due("link", 1), kGraceMs);
    ASSERT_TRUE(index->unlink_blob(app_, digest_of(1), actor_));
    EXPECT_EQ(due("blob", 1), kGraceMs);
}

TEST_F(SqliteIndex, GivesAManifestWithoutTagAndIndexItsGrace) {
    auto index = open();
    ASSERT_TRUE(index->put_manifest(app_, image_of(10), {}, Overwrite::yes, actor_));
    EXPECT_EQ(due("manifest", 10), kGraceMs);
    clock_.advance(std::chrono::seconds(10));
    ASSERT_TRUE(index->put_manifest(app_, image_of(10), {}, Overwrite::yes, actor_));
    EXPECT_EQ(due("manifest", 10), kGraceMs) << "renewed";
    ASSERT_TRUE(index->put_manifest(app_, index_of(20, {digest_of(10)}), {latest_}, Overwrite::yes,
                                    actor_));
    EXPECT_EQ(due("manifest", 10), std::nullopt);
    EXPECT_EQ(due("manifest", 20), std::nullopt);
    ASSERT_TRUE(index->put_manifest(app_, image_of(30), {latest_}, Overwrite::yes, actor_));
    EXPECT_EQ(due("manifest", 20), kGraceMs) << "the tag has moved on";
    EXPECT_EQ(due("manifest", 10), std::nullopt);
    ASSERT_TRUE(index->delete_manifest(app_, digest_of(20), actor_));
    EXPECT_EQ(due("manifest", 10), kGraceMs);
    EXPECT_EQ(due("blob", 20), kGraceMs);
}

}  // namespace
}  // namespace berth::store
