#include "store/index/sqlite_adoption.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "store/index/sqlite_writes.h"

namespace berth::store {
namespace {

constexpr const char* kAdoptedAll =
    "SELECT 1 FROM setting WHERE name = 'adopted' AND value = 'all'";
constexpr const char* kAdopted = R"sql(
    SELECT 1 FROM adopted WHERE repository = ?1
    UNION ALL SELECT 1 FROM setting WHERE name = 'adopted' AND value = 'all')sql";
constexpr const char* kRemember = "INSERT INTO adopted (repository) VALUES (?)";

constexpr const char* kFindRepository = "SELECT id FROM repository WHERE name = ?";
constexpr const char* kInsertRepository = "INSERT INTO repository (name, created_at) VALUES (?, ?)";
constexpr const char* kCountEntries = "UPDATE repository SET entries = entries + ?2 WHERE id = ?1";

// One more link or manifest holds the blob. A size that is known was verified by a push, or is the
// one that the file had when another repository was taken over: it stays.
constexpr const char* kHoldBlob = R"sql(
    INSERT INTO blob (digest, size, references_count, due_at, created_at)
    VALUES (?1, ?2, 1, NULL, ?3)
    ON CONFLICT (digest) DO UPDATE SET references_count = references_count + 1, due_at = NULL
    RETURNING id)sql";
// With no reference yet; kRecountLinks comes last.
constexpr const char* kInsertLink = R"sql(
    INSERT INTO link (repository_id, blob_id, references_count, due_at, linked_at)
    VALUES (?, ?, 0, ?, ?))sql";
constexpr const char* kInsertManifest = R"sql(
    INSERT INTO manifest (repository_id, blob_id, media_type, artifact_type, subject, annotations,
                          pushed_at, actor, references_count, due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?))sql";
constexpr const char* kInsertReferrer =
    "INSERT INTO referrer (repository_id, subject, digest) VALUES (?, ?, ?)";
constexpr const char* kInsertReference = R"sql(
    INSERT INTO manifest_reference (repository_id, parent_id, child_id, kind)
    VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING)sql";
constexpr const char* kPutTag = R"sql(
    INSERT INTO tag (repository_id, name, blob_id, updated_at, actor) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET blob_id = ?3, updated_at = ?4, actor = ?5)sql";
constexpr const char* kInsertMove = R"sql(
    INSERT INTO tag_history (repository_id, name, old_digest, new_digest, at, actor)
    VALUES (?, ?, ?, ?, ?, ?))sql";

constexpr const char* kRecountLinks = R"sql(
    UPDATE link
    SET references_count = counted.references_count,
        due_at = CASE WHEN counted.references_count = 0 THEN ?2 END
    FROM (SELECT blob_id,
                 (SELECT COUNT(*) FROM manifest_reference AS r
                  WHERE r.child_id = l.blob_id AND r.repository_id = ?1
                    AND r.kind = 'blob') AS references_count
          FROM link AS l WHERE l.repository_id = ?1) AS counted
    WHERE link.repository_id = ?1 AND link.blob_id = counted.blob_id
      AND link.references_count <> counted.references_count)sql";
constexpr const char* kRecountManifests = R"sql(
    UPDATE manifest
    SET references_count = counted.references_count,
        due_at = CASE WHEN counted.references_count = 0 THEN ?2 END
    FROM (SELECT blob_id,
                 (SELECT COUNT(*) FROM manifest_reference AS r
                  WHERE r.child_id = m.blob_id AND r.repository_id = ?1
                    AND r.kind = 'manifest') +
                 (SELECT COUNT(*) FROM tag AS t
                  WHERE t.repository_id = ?1 AND t.blob_id = m.blob_id) AS references_count
          FROM manifest AS m WHERE m.repository_id = ?1) AS counted
    WHERE manifest.repository_id = ?1 AND manifest.blob_id = counted.blob_id
      AND manifest.references_count <> counted.references_count)sql";

constexpr const char* kListLinks = R"sql(
    SELECT blob.digest, blob.id FROM link JOIN blob ON blob.id = link.blob_id
    WHERE link.repository_id = ?)sql";
constexpr const char* kListManifests = R"sql(
    SELECT blob.digest, blob.id FROM manifest JOIN blob ON blob.id = manifest.blob_id
    WHERE manifest.repository_id = ?)sql";
constexpr const char* kListTags = R"sql(
    SELECT tag.name, blob.digest FROM tag JOIN blob ON blob.id = tag.blob_id
    WHERE tag.repository_id = ?)sql";

// Makes a repository's rows those of a content. What is added is added in bulk and counted in the
// end; then what is too much goes, by the same changes as a client's.
class Takeover {
  public:
    Takeover(sqlite::Connection& connection, const RepositoryName& name,
             const RepositoryContent& content, Time now, std::chrono::seconds grace)
        : connection_(connection),
          name_(name),
          content_(content),
          now_(now),
          grace_(grace),
          now_ms_(now.time_since_epoch().count()),
          due_ms_((now + grace).time_since_epoch().count()) {}

    Result<void> run() {
        const bool is_empty = content_.blobs.empty() && content_.manifests.empty();
        BERTH_TRY(const auto known, connection_.find_integer(kFindRepository, name_.text()));
        if (!known && is_empty) return {};
        if (known) {
            repository_ = *known;
            BERTH_CHECK(load());
        } else {
            BERTH_CHECK(connection_.execute(kInsertRepository, name_.text(), now_ms_));
            repository_ = connection_.last_insert_id();
        }
        BERTH_CHECK(add_links());
        BERTH_CHECK(add_manifests());
        BERTH_CHECK(connection_.execute(kCountEntries, repository_, added_));
        BERTH_CHECK(add_references());
        BERTH_CHECK(move_tags());
        BERTH_CHECK(connection_.execute(kRecountLinks, repository_, due_ms_));
        BERTH_CHECK(connection_.execute(kRecountManifests, repository_, due_ms_));
        return remove_rest();
    }

  private:
    using Id = std::int64_t;
    using Ids = std::unordered_map<std::string, Id>;  // of blobs, by digest

    Result<void> load() {
        BERTH_CHECK(load_ids(kListLinks, links_, rest_of_links_));
        BERTH_CHECK(load_ids(kListManifests, manifests_, rest_of_manifests_));
        BERTH_TRY(auto rows, connection_.query(kListTags, repository_));
        for (;;) {
            BERTH_TRY(const bool row, rows.step());
            if (!row) return {};
            rest_of_tags_.emplace(rows.text(0), rows.text(1));
        }
    }

    Result<void> load_ids(const char* sql, Ids& ids, std::set<std::string>& rest) {
        BERTH_TRY(auto rows, connection_.query(sql, repository_));
        for (;;) {
            BERTH_TRY(const bool row, rows.step());
            if (!row) return {};
            ids.emplace(rows.text(0), rows.integer(1));
            rest.insert(rows.text(0));
        }
    }

    Result<void> add_links() {
        for (const auto& [digest, size] : content_.blobs) {
            rest_of_links_.erase(digest.text());
            if (links_.contains(digest.text())) continue;
            BERTH_TRY(const Id blob, hold_blob(digest, size));
            BERTH_CHECK(connection_.execute(kInsertLink, repository_, blob, due_ms_, now_ms_));
            links_.emplace(digest.text(), blob);
        }
        return {};
    }

    Result<void> add_manifests() {
        for (const ManifestRecord& record : content_.manifests) {
            const std::string& digest = record.digest.text();
            rest_of_manifests_.erase(digest);
            if (manifests_.contains(digest)) continue;
            BERTH_TRY(const Id blob, hold_blob(record.digest, record.size));
            const std::string subject = record.subject ? record.subject->text() : std::string();
            BERTH_CHECK(connection_.execute(
                kInsertManifest, repository_, blob, record.media_type,
                sqlite::NullIfEmpty{record.artifact_type}, sqlite::NullIfEmpty{subject},
                sqlite::NullIfEmpty{record.annotations}, now_ms_, kAdoptionActor, due_ms_));
            if (record.subject) {
                BERTH_CHECK(connection_.execute(kInsertReferrer, repository_, subject, digest));
            }
            manifests_.emplace(digest, blob);
        }
        return {};
    }

    Result<Id> hold_blob(const Digest& digest, std::uint64_t size) {
        if (std::cmp_greater(size, std::numeric_limits<std::int64_t>::max())) {
            return fail(Errc::too_large, "the size of " + digest.text() + " is beyond all limits");
        }
        BERTH_TRY(auto row, connection_.query(kHoldBlob, digest.text(),
                                              static_cast<std::int64_t>(size), now_ms_));
        BERTH_TRY(const bool held, row.step());
        if (!held) return fail(Errc::corrupt, "index: no row for " + digest.text());
        const Id id = row.integer(0);
        BERTH_TRY([[maybe_unused]] const bool more, row.step());
        ++added_;
        return id;
    }

    // Also of manifests that are known: what they name may have come since.
    Result<void> add_references() {
        for (const ManifestRecord& record : content_.manifests) {
            const Id parent = manifests_.at(record.digest.text());
            BERTH_CHECK(add_references(parent, record.blobs, links_, "blob"));
            BERTH_CHECK(add_references(parent, record.manifests, manifests_, "manifest"));
        }
        return {};
    }

    Result<void> add_references(Id parent, const std::vector<Digest>& digests, const Ids& ids,
                                std::string_view kind) {
        for (const Digest& digest : digests) {
            const auto child = ids.find(digest.text());
            if (child == ids.end()) continue;
            BERTH_CHECK(
                connection_.execute(kInsertReference, repository_, parent, child->second, kind));
        }
        return {};
    }

    Result<void> move_tags() {
        for (const TagRecord& record : content_.tags) {
            const std::string& name = record.tag.text();
            const auto manifest = manifests_.find(record.digest.text());
            if (manifest == manifests_.end()) continue;
            const auto known = rest_of_tags_.extract(name);
            const std::string old_digest = known ? known.mapped() : std::string();
            if (old_digest == record.digest.text()) continue;
            const std::int64_t at = record.updated_at.time_since_epoch().count();
            BERTH_CHECK(connection_.execute(kPutTag, repository_, name, manifest->second, at,
                                            record.actor));
            BERTH_CHECK(connection_.execute(kInsertMove, repository_, name,
                                            sqlite::NullIfEmpty{old_digest}, record.digest.text(),
                                            at, record.actor));
        }
        return {};
    }

    Result<void> remove_rest() {
        const Actor actor{kAdoptionActor};
        WriteTransaction writes(connection_, now_, grace_, actor, {});
        for (const auto& [name, digest] : rest_of_tags_) {
            BERTH_TRY(const auto tag, Tag::parse(name));
            BERTH_CHECK(writes.delete_tag(name_, tag));
        }
        for (const auto& text : rest_of_manifests_) {
            BERTH_TRY(const auto digest, Digest::parse(text));
            BERTH_CHECK(writes.delete_manifest(name_, digest));
        }
        for (const auto& text : rest_of_links_) {
            BERTH_TRY(const auto digest, Digest::parse(text));
            BERTH_CHECK(writes.unlink_blob(name_, digest));
        }
        return {};
    }

    sqlite::Connection& connection_;
    const RepositoryName& name_;
    const RepositoryContent& content_;
    const Time now_;
    const std::chrono::seconds grace_;
    const std::int64_t now_ms_, due_ms_;
    Id repository_ = 0;
    std::int64_t added_ = 0;  // links and manifests
    Ids links_, manifests_;   // of the repository now
    // Of the index, and not of the content.
    std::set<std::string> rest_of_links_, rest_of_manifests_;
    std::map<std::string, std::string> rest_of_tags_;  // name → digest
};

}  // namespace

Result<bool> AdoptionRows::adopted_all() {
    BERTH_TRY(const auto row, connection_.find_integer(kAdoptedAll));
    return row.has_value();
}

Result<bool> AdoptionRows::adopted(const RepositoryName& repository) {
    BERTH_TRY(const auto row, connection_.find_integer(kAdopted, repository.text()));
    return row.has_value();
}

Result<void> AdoptionRows::adopt(const RepositoryName& repository, const RepositoryContent& content,
                                 Time now, std::chrono::seconds grace) {
    BERTH_TRY(const bool known, adopted(repository));
    if (known) return {};
    BERTH_CHECK(Takeover(connection_, repository, content, now, grace).run());
    BERTH_CHECK(connection_.execute(kRemember, repository.text()));
    return {};
}

Result<void> AdoptionRows::set_adopted_all() {
    return connection_.execute_script(
        "INSERT INTO setting (name, value) VALUES ('adopted', 'all') "
        "ON CONFLICT DO UPDATE SET value = 'all'; "
        "DELETE FROM adopted;");
}

Result<void> AdoptionRows::set_given_back() {
    return connection_.execute_script(
        "DELETE FROM setting WHERE name = 'adopted'; DELETE FROM adopted;");
}

}  // namespace berth::store
