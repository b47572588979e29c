#include "store/index/sqlite_writes.h"

#include <limits>
#include <string>
#include <utility>

#include "store/index/sqlite_events.h"

namespace berth::store {
namespace {

constexpr const char* kFindRepository = "SELECT id FROM repository WHERE name = ?";
constexpr const char* kInsertRepository = "INSERT INTO repository (name, created_at) VALUES (?, ?)";
constexpr const char* kCountEntry = "UPDATE repository SET entries = entries + ?2 WHERE id = ?1";

constexpr const char* kFindBlob = "SELECT id, size FROM blob WHERE digest = ?";
constexpr const char* kSetSize = "UPDATE blob SET size = ?2 WHERE id = ?1";
constexpr const char* kInsertBlob = R"sql(
    INSERT INTO blob (digest, size, references_count, due_at, created_at)
    VALUES (?1, ?2, 0, ?3, ?4))sql";
constexpr const char* kCountBlob = R"sql(
    UPDATE blob
    SET references_count = references_count + ?2,
        due_at = CASE WHEN references_count + ?2 = 0 THEN ?3 END
    WHERE id = ?1)sql";

constexpr const char* kInsertLink = R"sql(
    INSERT INTO link (repository_id, blob_id, references_count, due_at, linked_at)
    VALUES (?, ?, ?, ?, ?))sql";
constexpr const char* kHasLink =
    "SELECT references_count FROM link WHERE repository_id = ? AND blob_id = ?";
constexpr const char* kRenewLink =
    "UPDATE link SET due_at = ?3 WHERE repository_id = ?1 AND blob_id = ?2";
constexpr const char* kDeleteLink = "DELETE FROM link WHERE repository_id = ? AND blob_id = ?";
constexpr const char* kFindLink = R"sql(
    SELECT link.repository_id, link.blob_id
    FROM repository
    JOIN blob ON blob.digest = ?2
    JOIN link ON link.repository_id = repository.id AND link.blob_id = blob.id
    WHERE repository.name = ?1)sql";

constexpr const char* kFindManifest = R"sql(
    SELECT manifest.repository_id, manifest.blob_id, manifest.subject
    FROM repository
    JOIN blob ON blob.digest = ?2
    JOIN manifest ON manifest.repository_id = repository.id AND manifest.blob_id = blob.id
    WHERE repository.name = ?1)sql";
constexpr const char* kInsertManifest = R"sql(
    INSERT INTO manifest (repository_id, blob_id, media_type, artifact_type, subject, annotations,
                          pushed_at, actor, references_count, due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr const char* kRenewManifest = R"sql(
    UPDATE manifest
    SET media_type = ?3, pushed_at = ?4, actor = ?5,
        due_at = CASE WHEN references_count = 0 THEN ?6 END
    WHERE repository_id = ?1 AND blob_id = ?2)sql";
constexpr const char* kDeleteManifest =
    "DELETE FROM manifest WHERE repository_id = ? AND blob_id = ?";
constexpr const char* kInsertReferrer =
    "INSERT INTO referrer (repository_id, subject, digest) VALUES (?, ?, ?)";
constexpr const char* kDeleteReferrer =
    "DELETE FROM referrer WHERE repository_id = ? AND subject = ? AND digest = ?";

constexpr const char* kFindLinkedChild = R"sql(
    SELECT blob.id
    FROM blob
    JOIN link ON link.repository_id = ?1 AND link.blob_id = blob.id
    WHERE blob.digest = ?2)sql";
constexpr const char* kFindManifestChild = R"sql(
    SELECT blob.id
    FROM blob
    JOIN manifest ON manifest.repository_id = ?1 AND manifest.blob_id = blob.id
    WHERE blob.digest = ?2)sql";
constexpr const char* kInsertReference = R"sql(
    INSERT INTO manifest_reference (repository_id, parent_id, child_id, kind)
    VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING)sql";
constexpr const char* kListReferences =
    "SELECT child_id, kind FROM manifest_reference WHERE repository_id = ? AND parent_id = ?";
constexpr const char* kDeleteReferences =
    "DELETE FROM manifest_reference WHERE repository_id = ? AND parent_id = ?";
constexpr const char* kCountParents = R"sql(
    SELECT COUNT(*) FROM manifest_reference
    WHERE child_id = ?2 AND repository_id = ?1 AND kind = ?3)sql";
constexpr const char* kCountLink = R"sql(
    UPDATE link
    SET references_count = references_count + ?3,
        due_at = CASE WHEN references_count + ?3 = 0 THEN ?4 END
    WHERE repository_id = ?1 AND blob_id = ?2)sql";
constexpr const char* kCountManifest = R"sql(
    UPDATE manifest
    SET references_count = references_count + ?3,
        due_at = CASE WHEN references_count + ?3 = 0 THEN ?4 END
    WHERE repository_id = ?1 AND blob_id = ?2)sql";

constexpr const char* kFindTag = R"sql(
    SELECT tag.blob_id, blob.digest
    FROM tag
    JOIN blob ON blob.id = tag.blob_id
    WHERE tag.repository_id = ? AND tag.name = ?)sql";
constexpr const char* kPutTag = R"sql(
    INSERT INTO tag (repository_id, name, blob_id, updated_at, actor) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET blob_id = ?3, updated_at = ?4, actor = ?5)sql";
constexpr const char* kDeleteTag = "DELETE FROM tag WHERE repository_id = ? AND name = ?";
constexpr const char* kListTags =
    "SELECT name FROM tag WHERE repository_id = ? AND blob_id = ? ORDER BY name";
constexpr const char* kDeleteTags = "DELETE FROM tag WHERE repository_id = ? AND blob_id = ?";
constexpr const char* kInsertMove = R"sql(
    INSERT INTO tag_history (repository_id, name, old_digest, new_digest, at, actor)
    VALUES (?, ?, ?, ?, ?, ?))sql";

// Of blobs in events, as distribution has it.
constexpr const char* kBlobMediaType = "application/octet-stream";

std::unexpected<Error> fail_absent(std::string_view what, const std::string& name,
                                   const RepositoryName& repository, Errc code) {
    return fail(code,
                std::string(what) + " " + name + " is not in the repository " + repository.text());
}

}  // namespace

WriteTransaction::WriteTransaction(sqlite::Connection& connection, Time now,
                                   std::chrono::seconds grace, const Actor& actor,
                                   RecordedEvents recorded)
    : connection_(connection),
      now_(now.time_since_epoch().count()),
      due_((now + grace).time_since_epoch().count()),
      actor_(actor),
      recorded_(recorded) {}

Result<void> WriteTransaction::link_blob(const RepositoryName& repository, const Digest& digest,
                                         std::uint64_t size) {
    BERTH_CHECK(put_link(repository, digest, size));
    if (!recorded_.push) return {};
    return record_blob(EventAction::push, repository, digest, size, {});
}

Result<void> WriteTransaction::mount_blob(const RepositoryName& repository, const Digest& digest,
                                          std::uint64_t size, const RepositoryName& from) {
    BERTH_CHECK(put_link(repository, digest, size));
    if (!recorded_.mount) return {};
    return record_blob(EventAction::mount, repository, digest, size, from.text());
}

Result<void> WriteTransaction::put_link(const RepositoryName& repository, const Digest& digest,
                                        std::uint64_t size) {
    BERTH_TRY(const Id repository_id, ensure_repository(repository));
    BERTH_TRY(const Id blob, ensure_blob(digest, size));
    BERTH_TRY(const auto references, connection_.find_integer(kHasLink, repository_id, blob));
    if (references) {
        // The link holds the blob itself: only the link can be on its way out.
        if (*references == 0) {
            BERTH_CHECK(connection_.execute(kRenewLink, repository_id, blob, due_));
        }
        return {};
    }
    BERTH_TRY(const auto parents, count_parents(repository_id, {blob, Kind::blob}));
    BERTH_CHECK(
        connection_.execute(kInsertLink, repository_id, blob, parents, due_if_zero(parents), now_));
    return count_entry(repository_id, blob, +1);
}

Result<void> WriteTransaction::unlink_blob(const RepositoryName& repository, const Digest& digest) {
    Id repository_id = 0;
    Id blob = 0;
    {
        BERTH_TRY(auto link, connection_.query(kFindLink, repository.text(), digest.text()));
        BERTH_TRY(const bool found, link.step());
        if (!found) return fail_absent("blob", digest.text(), repository, Errc::not_found);
        repository_id = link.integer(0);
        blob = link.integer(1);
    }
    BERTH_CHECK(connection_.execute(kDeleteLink, repository_id, blob));
    BERTH_CHECK(count_entry(repository_id, blob, -1));
    return record_removal(repository, digest.text(), {});
}

Result<void> WriteTransaction::put_manifest(const RepositoryName& repository,
                                            const ManifestRecord& record,
                                            const std::vector<Tag>& tags, Overwrite overwrite) {
    BERTH_TRY(const Id repository_id, ensure_repository(repository));
    BERTH_TRY(const auto children, find_children(repository_id, record));
    BERTH_TRY(const Id blob, ensure_blob(record.digest, record.size));
    BERTH_CHECK(put_manifest_row(repository_id, blob, record));
    for (const Reference& child : children) {
        BERTH_TRY(const auto added,
                  connection_.execute(kInsertReference, repository_id, blob, child.child,
                                      child.kind == Kind::blob ? "blob" : "manifest"));
        // Named twice, or known from the push before: counted already.
        if (added > 0) BERTH_CHECK(count_reference(repository_id, child, +1));
    }
    for (const Tag& tag : tags) {
        BERTH_CHECK(put_tag(repository_id, blob, record.digest, tag, overwrite));
    }
    return record_manifest(repository, record, tags);
}

Result<void> WriteTransaction::delete_tag(const RepositoryName& repository, const Tag& tag) {
    BERTH_TRY(const auto repository_id,
              connection_.find_integer(kFindRepository, repository.text()));
    if (!repository_id) return fail_absent("tag", tag.text(), repository, Errc::not_found);
    Id manifest = 0;
    std::string digest;
    {
        BERTH_TRY(auto row, connection_.query(kFindTag, *repository_id, tag.text()));
        BERTH_TRY(const bool found, row.step());
        if (!found) return fail_absent("tag", tag.text(), repository, Errc::not_found);
        manifest = row.integer(0);
        digest = row.text(1);
    }
    BERTH_CHECK(connection_.execute(kDeleteTag, *repository_id, tag.text()));
    BERTH_CHECK(count_reference(*repository_id, {manifest, Kind::manifest}, -1));
    BERTH_CHECK(record_move(*repository_id, tag.text(), digest, {}));
    return record_removal(repository, {}, {tag.text()});
}

Result<void> WriteTransaction::delete_manifest(const RepositoryName& repository,
                                               const Digest& digest) {
    Id repository_id = 0;
    Id blob = 0;
    std::string subject;
    {
        BERTH_TRY(auto row, connection_.query(kFindManifest, repository.text(), digest.text()));
        BERTH_TRY(const bool found, row.step());
        if (!found) return fail_absent("manifest", digest.text(), repository, Errc::not_found);
        repository_id = row.integer(0);
        blob = row.integer(1);
        subject = row.text(2);
    }
    BERTH_TRY(const auto tags, drop_tags(repository_id, blob, digest));
    BERTH_CHECK(drop_references(repository_id, blob));
    if (!subject.empty()) {
        BERTH_CHECK(connection_.execute(kDeleteReferrer, repository_id, subject, digest.text()));
    }
    BERTH_CHECK(connection_.execute(kDeleteManifest, repository_id, blob));
    BERTH_CHECK(count_entry(repository_id, blob, -1));
    return record_removal(repository, digest.text(), tags);
}

Result<WriteTransaction::Id> WriteTransaction::ensure_repository(const RepositoryName& name) {
    BERTH_TRY(const auto known, connection_.find_integer(kFindRepository, name.text()));
    if (known) return *known;
    BERTH_CHECK(connection_.execute(kInsertRepository, name.text(), now_));
    return connection_.last_insert_id();
}

Result<WriteTransaction::Id> WriteTransaction::ensure_blob(const Digest& digest,
                                                           std::uint64_t size) {
    if (std::cmp_greater(size, std::numeric_limits<std::int64_t>::max())) {
        return fail(Errc::too_large, "the size of " + digest.text() + " is beyond all limits");
    }
    const auto stored_size = static_cast<std::int64_t>(size);
    std::optional<Id> known;
    bool agrees = false;
    {
        BERTH_TRY(auto row, connection_.query(kFindBlob, digest.text()));
        BERTH_TRY(const bool found, row.step());
        if (found) known = row.integer(0);
        agrees = found && row.integer(1) == stored_size;
    }
    if (known && !agrees) BERTH_CHECK(connection_.execute(kSetSize, *known, stored_size));
    if (known) return *known;
    BERTH_CHECK(connection_.execute(kInsertBlob, digest.text(), stored_size, due_, now_));
    return connection_.last_insert_id();
}

Result<void> WriteTransaction::count_entry(Id repository, Id blob, std::int64_t change) {
    BERTH_CHECK(connection_.execute(kCountEntry, repository, change));
    BERTH_CHECK(connection_.execute(kCountBlob, blob, change, due_));
    return {};
}

Result<void> WriteTransaction::count_reference(Id repository, const Reference& reference,
                                               std::int64_t change) {
    const char* sql = reference.kind == Kind::blob ? kCountLink : kCountManifest;
    BERTH_CHECK(connection_.execute(sql, repository, reference.child, change, due_));
    return {};
}

Result<std::int64_t> WriteTransaction::count_parents(Id repository, const Reference& reference) {
    const char* kind = reference.kind == Kind::blob ? "blob" : "manifest";
    BERTH_TRY(const auto count,
              connection_.find_integer(kCountParents, repository, reference.child, kind));
    return count.value_or(0);
}

std::optional<std::int64_t> WriteTransaction::due_if_zero(std::int64_t count) const {
    return count == 0 ? std::optional(due_) : std::nullopt;
}

Result<std::vector<WriteTransaction::Reference>> WriteTransaction::find_children(
    Id repository, const ManifestRecord& record) {
    std::vector<Reference> children;
    children.reserve(record.blobs.size() + record.manifests.size());
    for (const Digest& digest : record.blobs) {
        BERTH_TRY(const auto id,
                  connection_.find_integer(kFindLinkedChild, repository, digest.text()));
        if (!id) return fail(Errc::conflict, "blob " + digest.text() + " is not in the repository");
        children.push_back({*id, Kind::blob});
    }
    for (const Digest& digest : record.manifests) {
        BERTH_TRY(const auto id,
                  connection_.find_integer(kFindManifestChild, repository, digest.text()));
        if (!id) {
            return fail(Errc::conflict, "manifest " + digest.text() + " is not in the repository");
        }
        children.push_back({*id, Kind::manifest});
    }
    return children;
}

Result<void> WriteTransaction::put_manifest_row(Id repository, Id blob,
                                                const ManifestRecord& record) {
    // The bytes are the same, and what they say; only the media type may have come with the
    // request.
    BERTH_TRY(const auto renewed, connection_.execute(kRenewManifest, repository, blob,
                                                      record.media_type, now_, actor_.name, due_));
    if (renewed > 0) return {};

    const std::string subject = record.subject ? record.subject->text() : std::string();
    BERTH_TRY(const auto parents, count_parents(repository, {blob, Kind::manifest}));
    BERTH_CHECK(connection_.execute(
        kInsertManifest, repository, blob, record.media_type,
        sqlite::NullIfEmpty{record.artifact_type}, sqlite::NullIfEmpty{subject},
        sqlite::NullIfEmpty{record.annotations}, now_, actor_.name, parents, due_if_zero(parents)));
    if (record.subject) {
        BERTH_CHECK(
            connection_.execute(kInsertReferrer, repository, subject, record.digest.text()));
    }
    return count_entry(repository, blob, +1);
}

Result<void> WriteTransaction::put_tag(Id repository, Id manifest, const Digest& digest,
                                       const Tag& tag, Overwrite overwrite) {
    Id old_manifest = 0;
    std::string old_digest;
    {
        BERTH_TRY(auto row, connection_.query(kFindTag, repository, tag.text()));
        BERTH_TRY(const bool found, row.step());
        if (found) {
            old_manifest = row.integer(0);
            old_digest = row.text(1);
        }
    }
    const bool moves = !old_digest.empty() && old_digest != digest.text();
    if (moves && overwrite == Overwrite::no) return fail(Errc::already_exists, tag.text());
    BERTH_CHECK(connection_.execute(kPutTag, repository, tag.text(), manifest, now_, actor_.name));
    if (old_digest == digest.text()) return {};  // pushed again: no move
    if (moves) {
        BERTH_CHECK(count_reference(repository, {old_manifest, Kind::manifest}, -1));
    }
    BERTH_CHECK(count_reference(repository, {manifest, Kind::manifest}, +1));
    return record_move(repository, tag.text(), old_digest, digest.text());
}

Result<std::vector<std::string>> WriteTransaction::drop_tags(Id repository, Id manifest,
                                                             const Digest& digest) {
    std::vector<std::string> names;
    {
        BERTH_TRY(auto rows, connection_.query(kListTags, repository, manifest));
        for (;;) {
            BERTH_TRY(const bool row, rows.step());
            if (!row) break;
            names.push_back(rows.text(0));
        }
    }
    for (const std::string& name : names) {
        BERTH_CHECK(record_move(repository, name, digest.text(), {}));
    }
    BERTH_CHECK(connection_.execute(kDeleteTags, repository, manifest));
    return names;
}

Result<void> WriteTransaction::drop_references(Id repository, Id parent) {
    std::vector<Reference> children;
    {
        BERTH_TRY(auto rows, connection_.query(kListReferences, repository, parent));
        for (;;) {
            BERTH_TRY(const bool row, rows.step());
            if (!row) break;
            const Kind kind = rows.text(1) == "blob" ? Kind::blob : Kind::manifest;
            children.push_back({rows.integer(0), kind});
        }
    }
    for (const Reference& child : children) {
        BERTH_CHECK(count_reference(repository, child, -1));
    }
    BERTH_CHECK(connection_.execute(kDeleteReferences, repository, parent));
    return {};
}

Result<void> WriteTransaction::record_move(Id repository, std::string_view tag,
                                           std::string_view old_digest,
                                           std::string_view new_digest) {
    BERTH_CHECK(connection_.execute(kInsertMove, repository, tag, sqlite::NullIfEmpty{old_digest},
                                    sqlite::NullIfEmpty{new_digest}, now_, actor_.name));
    return {};
}

Event WriteTransaction::event_of(EventAction action, const RepositoryName& repository) const {
    Event event;
    event.at = Time(std::chrono::milliseconds(now_));
    event.action = action;
    event.repository = repository.text();
    event.actor = actor_.name;
    event.request = actor_.request;
    return event;
}

Result<void> WriteTransaction::record_blob(EventAction action, const RepositoryName& repository,
                                           const Digest& digest, std::uint64_t size,
                                           const std::string& from) {
    Event event = event_of(action, repository);
    event.digest = digest.text();
    event.media_type = kBlobMediaType;
    event.size = size;
    event.from_repository = from;
    return EventRows(connection_).append(event);
}

// Also where a tag stayed as it was: it was pushed.
Result<void> WriteTransaction::record_manifest(const RepositoryName& repository,
                                               const ManifestRecord& record,
                                               const std::vector<Tag>& tags) {
    if (!recorded_.push) return {};
    Event event = event_of(EventAction::push, repository);
    event.digest = record.digest.text();
    event.media_type = record.media_type;
    event.size = record.size;
    event.references = record.references;
    if (tags.empty()) return EventRows(connection_).append(event);
    for (const Tag& tag : tags) {
        event.tag = tag.text();
        BERTH_CHECK(EventRows(connection_).append(event));
    }
    return {};
}

// Of what has a digest, and then of the tags that went with it.
Result<void> WriteTransaction::record_removal(const RepositoryName& repository,
                                              const std::string& digest,
                                              const std::vector<std::string>& tags) {
    if (!recorded_.remove) return {};
    Event event = event_of(EventAction::remove, repository);
    event.digest = digest;
    if (!digest.empty()) BERTH_CHECK(EventRows(connection_).append(event));
    event.digest.clear();
    for (const std::string& tag : tags) {
        event.tag = tag;
        BERTH_CHECK(EventRows(connection_).append(event));
    }
    return {};
}

}  // namespace berth::store
