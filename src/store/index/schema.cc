#include "store/index/schema.h"

#include <string>

namespace berth::store {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE repository (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    entries    INTEGER NOT NULL DEFAULT 0 CHECK (entries >= 0),
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX repository_listed ON repository (name) WHERE entries > 0;

CREATE TABLE blob (
    id               INTEGER PRIMARY KEY,
    digest           TEXT NOT NULL UNIQUE,
    size             INTEGER NOT NULL,
    references_count INTEGER NOT NULL CHECK (references_count >= 0),
    due_at           INTEGER,
    created_at       INTEGER NOT NULL,
    CHECK ((references_count = 0) = (due_at IS NOT NULL))
) STRICT;
CREATE INDEX blob_due ON blob (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE link (
    repository_id    INTEGER NOT NULL REFERENCES repository (id),
    blob_id          INTEGER NOT NULL REFERENCES blob (id),
    references_count INTEGER NOT NULL CHECK (references_count >= 0),
    due_at           INTEGER,
    linked_at        INTEGER NOT NULL,
    PRIMARY KEY (repository_id, blob_id),
    CHECK ((references_count = 0) = (due_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX link_by_blob ON link (blob_id);
CREATE INDEX link_due ON link (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE manifest (
    repository_id    INTEGER NOT NULL REFERENCES repository (id),
    blob_id          INTEGER NOT NULL REFERENCES blob (id),
    media_type       TEXT NOT NULL,
    artifact_type    TEXT,
    subject          TEXT,
    annotations      TEXT,
    pushed_at        INTEGER NOT NULL,
    actor            TEXT NOT NULL,
    references_count INTEGER NOT NULL CHECK (references_count >= 0),
    due_at           INTEGER,
    PRIMARY KEY (repository_id, blob_id),
    CHECK ((references_count = 0) = (due_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_by_blob ON manifest (blob_id);
CREATE INDEX manifest_due ON manifest (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE manifest_reference (
    repository_id INTEGER NOT NULL,
    parent_id     INTEGER NOT NULL,
    child_id      INTEGER NOT NULL REFERENCES blob (id) ON DELETE CASCADE,
    kind          TEXT NOT NULL CHECK (kind IN ('blob', 'manifest')),
    PRIMARY KEY (repository_id, parent_id, child_id, kind),
    FOREIGN KEY (repository_id, parent_id) REFERENCES manifest (repository_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_reference_by_child ON manifest_reference (child_id, repository_id, kind);

-- The digest is the key, not the blob's id, so that a page costs what it shows. It has no foreign
-- key: that would need one more index.
CREATE TABLE referrer (
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    subject       TEXT NOT NULL,
    digest        TEXT NOT NULL,
    PRIMARY KEY (repository_id, subject, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
    repository_id INTEGER NOT NULL,
    name          TEXT NOT NULL,
    blob_id       INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    PRIMARY KEY (repository_id, name),
    FOREIGN KEY (repository_id, blob_id) REFERENCES manifest (repository_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_by_manifest ON tag (repository_id, blob_id, name);

CREATE TABLE tag_history (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository (id),
    name          TEXT NOT NULL,
    old_digest    TEXT,
    new_digest    TEXT,
    at            INTEGER NOT NULL,
    actor         TEXT NOT NULL
) STRICT;
CREATE INDEX tag_history_by_tag ON tag_history (repository_id, name);

CREATE TABLE event (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
)sql";

// An index that has repositories already has the truth about them: it was never beside link files.
constexpr const char* kVersion2 = R"sql(
DROP TABLE event;
CREATE TABLE event (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    at              INTEGER NOT NULL,
    action          TEXT NOT NULL CHECK (action IN ('push', 'pull', 'mount', 'delete')),
    repository      TEXT NOT NULL,
    digest          TEXT,
    media_type      TEXT,
    size            INTEGER NOT NULL,
    tag             TEXT,
    from_repository TEXT,
    reference_list  TEXT,
    actor           TEXT NOT NULL,
    request         TEXT
) STRICT;

CREATE TABLE endpoint (
    name TEXT NOT NULL PRIMARY KEY,
    told INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE adopted (
    repository TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO setting (name, value)
    SELECT 'adopted', 'all' WHERE EXISTS (SELECT 1 FROM repository);
)sql";

constexpr const char* kSteps[] = {kVersion1, kVersion2};

// One SELECT, and so one state of a file that another process may be changing.
constexpr const char* kReadVersion = R"sql(
    SELECT user_version, application_id, (SELECT COUNT(*) FROM sqlite_schema)
    FROM pragma_user_version, pragma_application_id)sql";

// Of a file that is an index or empty.
Result<std::int64_t> stored_version(sqlite::Connection& connection) {
    BERTH_TRY(auto row, connection.query(kReadVersion));
    BERTH_TRY(const bool found, row.step());
    const std::int64_t version = row.integer(0);
    const std::int64_t application = row.integer(1);
    const std::int64_t objects = row.integer(2);
    if (found && application == kApplicationId) return version;
    if (!found || application != 0 || version != 0 || objects != 0) {
        return fail(Errc::corrupt, "the file is a database, but not an index of Berth");
    }
    return 0;
}

// Inside a transaction.
Result<void> apply_missing(sqlite::Connection& connection, std::span<const char* const> steps) {
    BERTH_TRY(const auto version, schema_version(connection, steps));
    for (const char* step : steps.subspan(static_cast<std::size_t>(version))) {
        BERTH_CHECK(connection.execute_script(step));
    }
    return connection.execute_script("PRAGMA application_id = " + std::to_string(kApplicationId) +
                                     "; PRAGMA user_version = " + std::to_string(steps.size()) +
                                     "; COMMIT");
}

}  // namespace

std::span<const char* const> schema_steps() {
    return kSteps;
}

Result<std::int64_t> schema_version(sqlite::Connection& connection,
                                    std::span<const char* const> steps) {
    BERTH_TRY(const auto version, stored_version(connection));
    if (version > std::ssize(steps)) {
        return fail(Errc::unsupported, "written by a newer Berth: its schema is version " +
                                           std::to_string(version) + ", this program knows up to " +
                                           std::to_string(steps.size()));
    }
    return version;
}

Result<void> migrate(sqlite::Connection& connection, std::span<const char* const> steps) {
    BERTH_TRY(const auto version, schema_version(connection, steps));
    if (version == std::ssize(steps)) return {};
    // Between the look and the lock another process may have been faster: what counts is read again
    // inside.
    BERTH_CHECK(connection.execute("BEGIN IMMEDIATE"));
    auto applied = apply_missing(connection, steps);
    if (!applied && connection.in_transaction()) {
        BERTH_CHECK(connection.execute("ROLLBACK"));
    }
    return applied;
}

}  // namespace berth::store
