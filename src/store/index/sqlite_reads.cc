#include "store/index/sqlite_reads.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace berth::store {
namespace {

using sqlite::Statement;

// CROSS JOIN: SQLite keeps the order as written, from the one row that the name gives to those
// wanted.
constexpr const char* kHasRepository = "SELECT 1 FROM repository WHERE name = ? AND entries > 0";
constexpr const char* kFindTag = R"sql(
    SELECT blob.digest, tag.updated_at, tag.actor
    FROM repository
    CROSS JOIN tag ON tag.repository_id = repository.id AND tag.name = ?2
    CROSS JOIN blob ON blob.id = tag.blob_id
    WHERE repository.name = ?1)sql";
constexpr const char* kFindManifest = R"sql(
    SELECT manifest.media_type, blob.size, manifest.artifact_type, manifest.annotations,
           manifest.subject
    FROM repository
    CROSS JOIN blob ON blob.digest = ?2
    CROSS JOIN manifest ON manifest.repository_id = repository.id AND manifest.blob_id = blob.id
    WHERE repository.name = ?1)sql";
constexpr const char* kFindBlob = R"sql(
    SELECT blob.size
    FROM repository
    CROSS JOIN blob ON blob.digest = ?2
    CROSS JOIN link ON link.repository_id = repository.id AND link.blob_id = blob.id
    WHERE repository.name = ?1)sql";
constexpr const char* kFindStored = "SELECT size FROM blob WHERE digest = ?";
constexpr const char* kStored =
    "SELECT digest, size FROM blob WHERE digest > ? AND references_count > 0 ORDER BY digest LIMIT "
    "?";
constexpr const char* kRepositoriesWith = R"sql(
    SELECT repository.name
    FROM blob
    CROSS JOIN link ON link.blob_id = blob.id
    CROSS JOIN repository ON repository.id = link.repository_id
    WHERE blob.digest = ?1
    ORDER BY repository.name LIMIT ?2)sql";
constexpr const char* kRepositories =
    "SELECT name FROM repository WHERE entries > 0 AND name > ? ORDER BY name LIMIT ?";
constexpr const char* kTags = R"sql(
    SELECT name FROM tag
    WHERE repository_id = (SELECT id FROM repository WHERE name = ?1) AND name > ?2
    ORDER BY name LIMIT ?3)sql";
// All of a repository's digests are looked at for each page: they are few against all there are.
constexpr const char* kManifests = R"sql(
    SELECT blob.digest
    FROM manifest
    CROSS JOIN blob ON blob.id = manifest.blob_id
    WHERE manifest.repository_id = (SELECT id FROM repository WHERE name = ?1)
      AND blob.digest > ?2
    ORDER BY blob.digest LIMIT ?3)sql";
constexpr const char* kBlobs = R"sql(
    SELECT blob.digest
    FROM link
    CROSS JOIN blob ON blob.id = link.blob_id
    WHERE link.repository_id = (SELECT id FROM repository WHERE name = ?1)
      AND blob.digest > ?2
    ORDER BY blob.digest LIMIT ?3)sql";
constexpr const char* kTagsOf = R"sql(
    SELECT tag.name, tag.updated_at, tag.actor
    FROM repository
    CROSS JOIN blob ON blob.digest = ?2
    CROSS JOIN tag INDEXED BY tag_by_manifest
        ON tag.repository_id = repository.id AND tag.blob_id = blob.id
    WHERE repository.name = ?1
    ORDER BY tag.name)sql";
constexpr const char* kHistory = R"sql(
    SELECT at, actor, old_digest, new_digest FROM tag_history
    WHERE repository_id = (SELECT id FROM repository WHERE name = ?1) AND name = ?2
    ORDER BY id DESC)sql";
constexpr const char* kReferrers = R"sql(
    SELECT referrer.digest, manifest.media_type, blob.size, manifest.artifact_type,
           manifest.annotations
    FROM referrer
    CROSS JOIN blob ON blob.digest = referrer.digest
    CROSS JOIN manifest ON manifest.repository_id = referrer.repository_id
                       AND manifest.blob_id = blob.id
    WHERE referrer.repository_id = (SELECT id FROM repository WHERE name = ?1)
      AND referrer.subject = ?2 AND referrer.digest > ?3
      AND (?4 = '' OR manifest.artifact_type = ?4)
    ORDER BY referrer.digest LIMIT ?5)sql";
constexpr const char* kTotals = R"sql(
    SELECT (SELECT COUNT(*) FROM repository WHERE entries > 0),
           (SELECT COUNT(*) FROM manifest),
           (SELECT COUNT(*) FROM tag),
           COUNT(*), COALESCE(SUM(size), 0)
    FROM blob)sql";

// As SQLite counts; nobody asks for more.
std::int64_t clamp(std::size_t limit) {
    constexpr std::size_t kMax = std::numeric_limits<std::int32_t>::max();
    return static_cast<std::int64_t>(std::min(limit, kMax));
}

std::uint64_t unsigned_from(std::int64_t stored) {
    return static_cast<std::uint64_t>(stored);
}

Time time_from(std::int64_t stored) {
    return Time(std::chrono::milliseconds(stored));
}

// It was valid when it was written; if it is not now, the file is damaged.
template <class Value>
Result<Value> parse_stored(const std::string& text) {
    auto value = Value::parse(text);
    if (!value) return fail(Errc::corrupt, "index: a stored name: " + value.error().detail);
    return std::move(*value);
}

Result<std::optional<Digest>> digest_or_none(const std::string& text) {
    if (text.empty()) return std::nullopt;
    BERTH_TRY(Digest digest, parse_stored<Digest>(text));
    return digest;
}

// Calls `row` for each row of the statement, until one fails.
template <class Row>
Result<void> for_each_row(Statement& statement, const Row& row) {
    for (;;) {
        BERTH_TRY(const bool found, statement.step());
        if (!found) return {};
        BERTH_CHECK(row());
    }
}

// `limit` names, of a statement that was asked for one more.
Result<Page> read_page(Statement& statement, std::size_t limit) {
    Page page;
    BERTH_CHECK(for_each_row(statement, [&]() -> Result<void> {
        page.more = page.names.size() == limit;
        if (!page.more) page.names.push_back(statement.text(0));
        return {};
    }));
    return page;
}

std::optional<std::uint64_t> size_or_none(const std::optional<std::int64_t>& stored) {
    return stored ? std::optional(unsigned_from(*stored)) : std::nullopt;
}

}  // namespace

Result<bool> ReadSession::has_repository(const RepositoryName& repository) {
    BERTH_TRY(const auto found, connection_.find_integer(kHasRepository, repository.text()));
    return found.has_value();
}

Result<std::optional<TagRecord>> ReadSession::find_tag(const RepositoryName& repository,
                                                       const Tag& tag) {
    BERTH_TRY(auto row, connection_.query(kFindTag, repository.text(), tag.text()));
    BERTH_TRY(const bool found, row.step());
    if (!found) return std::nullopt;
    BERTH_TRY(Digest digest, parse_stored<Digest>(row.text(0)));
    return TagRecord{tag, std::move(digest), time_from(row.integer(1)), row.text(2)};
}

Result<std::optional<ManifestRecord>> ReadSession::find_manifest(const RepositoryName& repository,
                                                                 const Digest& digest) {
    BERTH_TRY(auto row, connection_.query(kFindManifest, repository.text(), digest.text()));
    BERTH_TRY(const bool found, row.step());
    if (!found) return std::nullopt;
    BERTH_TRY(auto subject, digest_or_none(row.text(4)));
    return ManifestRecord{.digest = digest,
                          .media_type = row.text(0),
                          .size = unsigned_from(row.integer(1)),
                          .artifact_type = row.text(2),
                          .annotations = row.text(3),
                          .subject = std::move(subject),
                          .blobs = {},
                          .manifests = {}};
}

Result<std::optional<std::uint64_t>> ReadSession::find_blob(const RepositoryName& repository,
                                                            const Digest& digest) {
    BERTH_TRY(const auto size,
              connection_.find_integer(kFindBlob, repository.text(), digest.text()));
    return size_or_none(size);
}

Result<std::optional<std::uint64_t>> ReadSession::find_stored(const Digest& digest) {
    BERTH_TRY(const auto size, connection_.find_integer(kFindStored, digest.text()));
    return size_or_none(size);
}

Result<std::vector<StoredBlob>> ReadSession::stored(const std::string& last, std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kStored, last, clamp(limit)));
    std::vector<StoredBlob> stored;
    BERTH_CHECK(for_each_row(rows, [&]() -> Result<void> {
        BERTH_TRY(Digest digest, parse_stored<Digest>(rows.text(0)));
        stored.push_back({std::move(digest), static_cast<std::uint64_t>(rows.integer(1))});
        return {};
    }));
    return stored;
}

Result<std::vector<RepositoryName>> ReadSession::repositories_with(const Digest& digest,
                                                                   std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kRepositoriesWith, digest.text(), clamp(limit)));
    std::vector<RepositoryName> repositories;
    BERTH_CHECK(for_each_row(rows, [&]() -> Result<void> {
        BERTH_TRY(RepositoryName name, parse_stored<RepositoryName>(rows.text(0)));
        repositories.push_back(std::move(name));
        return {};
    }));
    return repositories;
}

Result<Page> ReadSession::repositories(const std::string& last, std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kRepositories, last, clamp(limit) + 1));
    return read_page(rows, limit);
}

Result<Page> ReadSession::tags(const RepositoryName& repository, const std::string& last,
                               std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kTags, repository.text(), last, clamp(limit) + 1));
    return read_page(rows, limit);
}

Result<Page> ReadSession::manifests(const RepositoryName& repository, const std::string& last,
                                    std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kManifests, repository.text(), last, clamp(limit) + 1));
    return read_page(rows, limit);
}

Result<Page> ReadSession::blobs(const RepositoryName& repository, const std::string& last,
                                std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kBlobs, repository.text(), last, clamp(limit) + 1));
    return read_page(rows, limit);
}

Result<std::vector<TagRecord>> ReadSession::tags_of(const RepositoryName& repository,
                                                    const Digest& digest) {
    BERTH_TRY(auto rows, connection_.query(kTagsOf, repository.text(), digest.text()));
    std::vector<TagRecord> tags;
    BERTH_CHECK(for_each_row(rows, [&]() -> Result<void> {
        BERTH_TRY(Tag tag, parse_stored<Tag>(rows.text(0)));
        tags.push_back({std::move(tag), digest, time_from(rows.integer(1)), rows.text(2)});
        return {};
    }));
    return tags;
}

Result<std::vector<TagMove>> ReadSession::history(const RepositoryName& repository,
                                                  const Tag& tag) {
    BERTH_TRY(auto rows, connection_.query(kHistory, repository.text(), tag.text()));
    std::vector<TagMove> moves;
    BERTH_CHECK(for_each_row(rows, [&]() -> Result<void> {
        BERTH_TRY(auto old_digest, digest_or_none(rows.text(2)));
        BERTH_TRY(auto new_digest, digest_or_none(rows.text(3)));
        moves.push_back({time_from(rows.integer(0)), rows.text(1), std::move(old_digest),
                         std::move(new_digest)});
        return {};
    }));
    return moves;
}

Result<std::vector<oci::Referrer>> ReadSession::referrers(const RepositoryName& repository,
                                                          const Digest& subject,
                                                          const std::string& artifact_type,
                                                          const std::string& last,
                                                          std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kReferrers, repository.text(), subject.text(), last,
                                           artifact_type, clamp(limit)));
    std::vector<oci::Referrer> referrers;
    BERTH_CHECK(for_each_row(rows, [&]() -> Result<void> {
        BERTH_TRY(Digest digest, parse_stored<Digest>(rows.text(0)));
        referrers.push_back({rows.text(1), std::move(digest), unsigned_from(rows.integer(2)),
                             rows.text(3), rows.text(4)});
        return {};
    }));
    return referrers;
}

Result<Totals> ReadSession::totals() {
    BERTH_TRY(auto row, connection_.query(kTotals));
    BERTH_TRY(const bool found, row.step());
    if (!found) return fail(Errc::corrupt, "index: no totals");
    return Totals{.repositories = unsigned_from(row.integer(0)),
                  .manifests = unsigned_from(row.integer(1)),
                  .tags = unsigned_from(row.integer(2)),
                  .blobs = unsigned_from(row.integer(3)),
                  .blob_bytes = unsigned_from(row.integer(4))};
}

}  // namespace berth::store
