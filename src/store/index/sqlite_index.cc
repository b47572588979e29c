#include "store/index/sqlite_index.h"

#include <array>
#include <atomic>
#include <utility>

#include "store/index/connection_pool.h"
#include "store/index/schema.h"
#include "store/index/sqlite_adoption.h"
#include "store/index/sqlite_events.h"
#include "store/index/sqlite_reads.h"
#include "store/index/sqlite_writes.h"
#include "store/index/write_queue.h"

namespace berth::store {
namespace {

using sqlite::Connection;
using Pool = std::shared_ptr<ConnectionPool>;

constexpr const char* kInMemory = ":memory:";

// Readers beyond this wait. A connection that was used once costs its page cache, about half a
// megabyte.
constexpr std::size_t kReadersMax = 8;

// Page caches are small, for the system's own is behind them. No mmap: it turns a read error into a
// signal, and pages count as the process's memory once for each connection.
constexpr const char* kReaderSettings = R"sql(
    PRAGMA query_only = ON;
    PRAGMA cache_size = -512;
    PRAGMA mmap_size = 0;
)sql";

// A checkpoint each 1000 pages (4 MB) keeps the pause of the writers short while one is made; it
// never stops readers. The log's file stays as large as it was, for overwriting it costs less than
// making it grow; when a long reader has held a checkpoint back, the next one cuts it to the limit
// of 64 MB.
constexpr const char* kWriterSettings = R"sql(
    PRAGMA foreign_keys = ON;
    PRAGMA synchronous = FULL;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -2048;
    PRAGMA mmap_size = 0;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = 67108864;
)sql";

Result<std::string> set_write_ahead_log(Connection& connection) {
    BERTH_TRY(auto mode, connection.query("PRAGMA journal_mode = WAL"));
    BERTH_TRY(const bool answered, mode.step());
    return answered ? mode.text(0) : std::string();
}

Result<void> use_write_ahead_log(Connection& connection) {
    auto mode = set_write_ahead_log(connection);
    // Where two processes open a new file at once SQLite gives up here without waiting, lest they
    // wait for each other. A transaction does wait, until the other one is through.
    for (int tries = 0; !mode && mode.error().code == Errc::unavailable && tries < 20; ++tries) {
        BERTH_CHECK(connection.execute("BEGIN EXCLUSIVE"));
        BERTH_CHECK(connection.execute("COMMIT"));
        mode = set_write_ahead_log(connection);
    }
    if (!mode) return std::unexpected(std::move(mode.error()));
    if (*mode == "wal") return {};
    return fail(Errc::unsupported,
                "the index cannot be on this file system: it has no shared "
                "memory, which SQLite's write-ahead log needs");
}

Result<std::unique_ptr<Connection>> open_writer(const std::string& path) {
    BERTH_TRY(auto connection, Connection::open(path, Connection::Access::read_write));
    // First of all: a file that is not ours stays as it is.
    BERTH_TRY([[maybe_unused]] const auto version, schema_version(*connection));
    BERTH_CHECK(connection->execute_script(kWriterSettings));
    if (path != kInMemory) BERTH_CHECK(use_write_ahead_log(*connection));
    BERTH_CHECK(migrate(*connection));
    return connection;
}

Result<std::unique_ptr<Connection>> open_reader(const std::string& path) {
    BERTH_TRY(auto connection, Connection::open(path, Connection::Access::read_write));
    BERTH_CHECK(connection->execute_script(kReaderSettings));
    return connection;
}

class SqliteIndex final : public Index {
  public:
    // `writers` and `readers` may be the same pool.
    SqliteIndex(Pool writers, Pool readers, const SqliteIndexOptions& options, const Clock& clock)
        : grace_(options.grace),
          recorded_(options.events),
          clock_(clock),
          readers_(std::move(readers)),
          writers_(std::move(writers)),
          queue_(*writers_) {}

    Result<bool> has_repository(const RepositoryName& repository) const override {
        return read(&ReadSession::has_repository, repository);
    }
    Result<std::optional<TagRecord>> find_tag(const RepositoryName& repository,
                                              const Tag& tag) const override {
        return read(&ReadSession::find_tag, repository, tag);
    }
    Result<std::optional<ManifestRecord>> find_manifest(const RepositoryName& repository,
                                                        const Digest& digest) const override {
        return read(&ReadSession::find_manifest, repository, digest);
    }
    Result<std::optional<std::uint64_t>> find_blob(const RepositoryName& repository,
                                                   const Digest& digest) const override {
        return read(&ReadSession::find_blob, repository, digest);
    }
    Result<std::optional<std::uint64_t>> find_stored(const Digest& digest) const override {
        return read(&ReadSession::find_stored, digest);
    }
    Result<std::vector<StoredBlob>> stored(const std::string& last,
                                           std::size_t limit) const override {
        return read(&ReadSession::stored, last, limit);
    }
    Result<std::vector<RepositoryName>> repositories_with(const Digest& digest,
                                                          std::size_t limit) const override {
        return read(&ReadSession::repositories_with, digest, limit);
    }
    Result<Page> repositories(const std::string& last, std::size_t limit) const override {
        return read(&ReadSession::repositories, last, limit);
    }
    Result<Page> tags(const RepositoryName& repository, const std::string& last,
                      std::size_t limit) const override {
        return read(&ReadSession::tags, repository, last, limit);
    }
    Result<Page> manifests(const RepositoryName& repository, const std::string& last,
                           std::size_t limit) const override {
        return read(&ReadSession::manifests, repository, last, limit);
    }
    Result<Page> blobs(const RepositoryName& repository, const std::string& last,
                       std::size_t limit) const override {
        return read(&ReadSession::blobs, repository, last, limit);
    }
    Result<std::vector<TagRecord>> tags_of(const RepositoryName& repository,
                                           const Digest& digest) const override {
        return read(&ReadSession::tags_of, repository, digest);
    }
    Result<std::vector<TagMove>> history(const RepositoryName& repository,
                                         const Tag& tag) const override {
        return read(&ReadSession::history, repository, tag);
    }
    Result<std::vector<oci::Referrer>> referrers(const RepositoryName& repository,
                                                 const Digest& subject,
                                                 const std::string& artifact_type,
                                                 const std::string& last,
                                                 std::size_t limit) const override {
        return read(&ReadSession::referrers, repository, subject, artifact_type, last, limit);
    }
    Result<Totals> totals() const override { return read(&ReadSession::totals); }

    std::uint64_t version(const RepositoryName& repository) const override {
        return versions_[slot(repository)].load(std::memory_order_acquire);
    }

    Result<void> link_blob(const RepositoryName& repository, const Digest& digest,
                           std::uint64_t size, const Actor& actor) override {
        return write(actor, &WriteTransaction::link_blob, repository, digest, size);
    }
    Result<void> mount_blob(const RepositoryName& repository, const Digest& digest,
                            std::uint64_t size, const RepositoryName& from,
                            const Actor& actor) override {
        return write(actor, &WriteTransaction::mount_blob, repository, digest, size, from);
    }
    Result<void> unlink_blob(const RepositoryName& repository, const Digest& digest,
                             const Actor& actor) override {
        return write(actor, &WriteTransaction::unlink_blob, repository, digest);
    }
    Result<void> put_manifest(const RepositoryName& repository, const ManifestRecord& record,
                              const std::vector<Tag>& tags, Overwrite overwrite,
                              const Actor& actor) override {
        return write(actor, &WriteTransaction::put_manifest, repository, record, tags, overwrite);
    }
    Result<void> delete_tag(const RepositoryName& repository, const Tag& tag,
                            const Actor& actor) override {
        return write(actor, &WriteTransaction::delete_tag, repository, tag);
    }
    Result<void> delete_manifest(const RepositoryName& repository, const Digest& digest,
                                 const Actor& actor) override {
        return write(actor, &WriteTransaction::delete_manifest, repository, digest);
    }

    std::size_t waiting() const override { return queue_.depth(); }

    Result<void> append_events(const std::vector<Event>& events) override {
        return queue_.run([&](Connection& connection) -> Result<void> {
            for (const Event& event : events)
                BERTH_CHECK(EventRows(connection).append(event));
            return {};
        });
    }
    Result<std::vector<Event>> events(std::int64_t after, std::size_t limit) const override {
        return read(&EventRows::events, after, limit);
    }
    Result<std::int64_t> last_event_before(Time time) const override {
        return read(&EventRows::last_before, time);
    }
    Result<EventQueueState> event_queue_state() const override { return read(&EventRows::state); }
    Result<std::int64_t> cursor(const std::string& endpoint) override {
        // Known but for the first time: then nobody has to wait for the writer.
        BERTH_TRY(const auto known, read(&EventRows::find_cursor, endpoint));
        if (known) return *known;
        return ask_writer(&EventRows::cursor, endpoint);
    }
    Result<bool> move_cursor(const std::string& endpoint, std::int64_t from,
                             std::int64_t to) override {
        return ask_writer(&EventRows::move_cursor, endpoint, from, to);
    }
    Result<void> keep_cursors(const std::vector<std::string>& endpoints) override {
        return queue_.run(
            [&](Connection& connection) { return EventRows(connection).keep_cursors(endpoints); });
    }
    Result<TrimmedEvents> trim_events(Time before, std::uint64_t events_max) override {
        return ask_writer(&EventRows::trim, before, events_max);
    }

    Result<bool> adopted_all() const override {
        BERTH_TRY(auto connection, readers_->acquire());
        return AdoptionRows(*connection).adopted_all();
    }
    Result<bool> adopted(const RepositoryName& repository) const override {
        BERTH_TRY(auto connection, readers_->acquire());
        return AdoptionRows(*connection).adopted(repository);
    }
    Result<void> adopt(const RepositoryName& repository,
                       const RepositoryContent& content) override {
        auto result = queue_.run([&](Connection& connection) {
            return AdoptionRows(connection).adopt(repository, content, clock_.now(), grace_);
        });
        versions_[slot(repository)].fetch_add(1, std::memory_order_release);
        return result;
    }
    Result<void> set_adopted_all() override {
        return queue_.run(
            [](Connection& connection) { return AdoptionRows(connection).set_adopted_all(); });
    }
    Result<void> set_given_back() override {
        return queue_.run(
            [](Connection& connection) { return AdoptionRows(connection).set_given_back(); });
    }

  private:
    // Repositories may share one: then a change of the one empties a cache of the other, no more.
    using Versions = std::array<std::atomic<std::uint64_t>, 1024>;

    std::size_t slot(const RepositoryName& repository) const {
        return std::hash<std::string>()(repository.text()) % versions_.size();
    }

    template <class Session, class Answer, class... Parameters, class... Arguments>
    Answer read(Answer (Session::*question)(Parameters...), const Arguments&... arguments) const {
        BERTH_TRY(auto connection, readers_->acquire());
        return (Session(*connection).*question)(arguments...);
    }

    // A change of the event queue that has an answer.
    template <class Answer, class... Parameters, class... Arguments>
    Answer ask_writer(Answer (EventRows::*question)(Parameters...), const Arguments&... arguments) {
        std::optional<Answer> answer;
        BERTH_CHECK(queue_.run([&](Connection& connection) -> Result<void> {
            answer = (EventRows(connection).*question)(arguments...);
            if (!*answer) return std::unexpected(answer->error());
            return {};
        }));
        return std::move(*answer);
    }

    template <class Change, class... Arguments>
    Result<void> write(const Actor& actor, Change change, const RepositoryName& repository,
                       const Arguments&... arguments) {
        auto result = queue_.run([&](Connection& connection) {
            WriteTransaction transaction(connection, clock_.now(), grace_, actor, recorded_);
            return (transaction.*change)(repository, arguments...);
        });
        // After the commit, before the acknowledgement, which is the return. Also after a failure:
        // of a commit that failed in its fsync nobody knows what a reader has seen.
        versions_[slot(repository)].fetch_add(1, std::memory_order_release);
        return result;
    }

    const std::chrono::seconds grace_;
    const RecordedEvents recorded_;
    const Clock& clock_;
    Versions versions_{};
    Pool readers_;
    Pool writers_;
    WriteQueue queue_;  // last: its thread uses the others
};

}  // namespace

Result<std::unique_ptr<Index>> open_sqlite_index(const SqliteIndexOptions& options,
                                                 const Clock& clock) {
    const std::string& path = options.path;
    auto writers = std::make_shared<ConnectionPool>(1, [path] { return open_writer(path); });
    // A database in memory belongs to its connection: the one that there is serves all, in turn.
    auto readers = path == kInMemory ? writers
                                     : std::make_shared<ConnectionPool>(
                                           kReadersMax, [path] { return open_reader(path); });
    if (auto writer = writers->acquire(); !writer) {
        return std::unexpected(std::move(writer.error()).with_context("the index " + path));
    }
    return std::make_unique<SqliteIndex>(std::move(writers), std::move(readers), options, clock);
}

}  // namespace berth::store
