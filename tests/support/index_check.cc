#include "support/index_check.h"

#include "store/index/sqlite.h"

namespace berth::store {
namespace {

struct Invariant {
    const char* name;
    const char* violations;  // SELECT of a text for each row that is wrong
};

constexpr Invariant kInvariants[] = {
    {"repository.entries", R"sql(
        SELECT name || ': ' || entries FROM repository WHERE entries <>
            (SELECT COUNT(*) FROM link WHERE repository_id = repository.id) +
            (SELECT COUNT(*) FROM manifest WHERE repository_id = repository.id))sql"},
    {"blob.references_count", R"sql(
        SELECT digest || ': ' || references_count FROM blob WHERE references_count <>
            (SELECT COUNT(*) FROM link WHERE blob_id = blob.id) +
            (SELECT COUNT(*) FROM manifest WHERE blob_id = blob.id))sql"},
    {"link.references_count", R"sql(
        SELECT repository_id || '/' || blob_id || ': ' || references_count FROM link
        WHERE references_count <>
            (SELECT COUNT(*) FROM manifest_reference AS r
             WHERE r.repository_id = link.repository_id AND r.child_id = link.blob_id
               AND r.kind = 'blob'))sql"},
    {"manifest.references_count", R"sql(
        SELECT repository_id || '/' || blob_id || ': ' || references_count FROM manifest
        WHERE references_count <>
            (SELECT COUNT(*) FROM tag
             WHERE tag.repository_id = manifest.repository_id AND tag.blob_id = manifest.blob_id) +
            (SELECT COUNT(*) FROM manifest_reference AS r
             WHERE r.repository_id = manifest.repository_id AND r.child_id = manifest.blob_id
               AND r.kind = 'manifest'))sql"},
    {"due_at exactly at count zero", R"sql(
        SELECT 'blob ' || id FROM blob WHERE (references_count = 0) <> (due_at IS NOT NULL)
        UNION ALL SELECT 'link ' || blob_id FROM link
            WHERE (references_count = 0) <> (due_at IS NOT NULL)
        UNION ALL SELECT 'manifest ' || blob_id FROM manifest
            WHERE (references_count = 0) <> (due_at IS NOT NULL))sql"},
    {"referrer of each manifest with a subject", R"sql(
        SELECT repository_id || '/' || subject || '/' || digest FROM (
            SELECT repository_id, subject, digest FROM manifest
                JOIN blob ON blob.id = manifest.blob_id WHERE subject IS NOT NULL
            EXCEPT SELECT repository_id, subject, digest FROM referrer))sql"},
    {"manifest of each referrer", R"sql(
        SELECT repository_id || '/' || subject || '/' || digest FROM (
            SELECT repository_id, subject, digest FROM referrer
            EXCEPT SELECT repository_id, subject, digest FROM manifest
                JOIN blob ON blob.id = manifest.blob_id))sql"},
    {"history ends where the tag is", R"sql(
        SELECT tag.repository_id || ':' || tag.name FROM tag JOIN blob ON blob.id = tag.blob_id
        WHERE blob.digest IS NOT
            (SELECT new_digest FROM tag_history AS h
             WHERE h.repository_id = tag.repository_id AND h.name = tag.name
             ORDER BY h.id DESC LIMIT 1))sql"},
    {"each move starts where the last one ended", R"sql(
        SELECT name || ' #' || id FROM (
            SELECT id, name, old_digest, LAG(new_digest) OVER
                (PARTITION BY repository_id, name ORDER BY id) AS before
            FROM tag_history)
        WHERE old_digest IS NOT before)sql"},
    {"foreign keys", "SELECT \"table\" || ' #' || rowid FROM pragma_foreign_key_check"},
    {"integrity", R"sql(
        SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok')sql"},
};

Result<std::vector<std::string>> find(const std::string& index_path) {
    BERTH_TRY(auto connection,
              sqlite::Connection::open(index_path, sqlite::Connection::Access::read_only));
    std::vector<std::string> found;
    for (const Invariant& invariant : kInvariants) {
        BERTH_TRY(auto rows, connection->query(invariant.violations));
        for (;;) {
            BERTH_TRY(const bool row, rows.step());
            if (!row) break;
            found.push_back(std::string(invariant.name) + ": " + rows.text(0));
        }
    }
    return found;
}

}  // namespace

std::vector<std::string> inconsistencies_of(const std::string& index_path) {
    auto found = find(index_path);
    if (!found) return {found.error().detail};
    return std::move(*found);
}

}  // namespace berth::store
