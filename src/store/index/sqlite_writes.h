// WriteTransaction: the index's changes as SQL, within a transaction that the caller began and
// ends.
//
// Each keeps the counts of schema.h. On an error the caller rolls back: rows may have changed by
// then.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/index/index.h"
#include "store/index/sqlite.h"

namespace berth::store {

class WriteTransaction {
  public:
    // `grace`: from count zero to due. The connection and the actor outlive this.
    WriteTransaction(sqlite::Connection& connection, Time now, std::chrono::seconds grace,
                     const Actor& actor, RecordedEvents recorded);

    Result<void> link_blob(const RepositoryName& repository, const Digest& digest,
                           std::uint64_t size);
    Result<void> mount_blob(const RepositoryName& repository, const Digest& digest,
                            std::uint64_t size, const RepositoryName& from);
    Result<void> unlink_blob(const RepositoryName& repository, const Digest& digest);
    Result<void> put_manifest(const RepositoryName& repository, const ManifestRecord& record,
                              const std::vector<Tag>& tags, Overwrite overwrite);
    Result<void> delete_tag(const RepositoryName& repository, const Tag& tag);
    Result<void> delete_manifest(const RepositoryName& repository, const Digest& digest);

  private:
    using Id = std::int64_t;
    enum class Kind {
        blob,
        manifest
    };  // of what a manifest names, or of what lets a repository serve bytes
    struct Reference {
        Id child;
        Kind kind;
    };

    Result<void> put_link(const RepositoryName& repository, const Digest& digest,
                          std::uint64_t size);
    Result<Id> ensure_repository(const RepositoryName& name);
    Result<Id> ensure_blob(const Digest& digest, std::uint64_t size);
    // A link or a manifest row was made or removed.
    Result<void> count_entry(Id repository, Id blob, std::int64_t change);
    // To the count of a link or a manifest; nothing where that row is away.
    Result<void> count_reference(Id repository, const Reference& reference, std::int64_t change);
    Result<std::int64_t> count_parents(Id repository, const Reference& reference);
    std::optional<std::int64_t> due_if_zero(std::int64_t count) const;

    Result<std::vector<Reference>> find_children(Id repository, const ManifestRecord& record);
    Result<void> put_manifest_row(Id repository, Id blob, const ManifestRecord& record);
    Result<void> put_tag(Id repository, Id manifest, const Digest& digest, const Tag& tag,
                         Overwrite overwrite);
    // Their names.
    Result<std::vector<std::string>> drop_tags(Id repository, Id manifest, const Digest& digest);
    Result<void> drop_references(Id repository, Id parent);
    // An empty digest: there was none, there is none any more.
    Result<void> record_move(Id repository, std::string_view tag, std::string_view old_digest,
                             std::string_view new_digest);

    // An event of this transaction, for its other fields to be filled.
    Event event_of(EventAction action, const RepositoryName& repository) const;
    Result<void> record_blob(EventAction action, const RepositoryName& repository,
                             const Digest& digest, std::uint64_t size, const std::string& from);
    Result<void> record_manifest(const RepositoryName& repository, const ManifestRecord& record,
                                 const std::vector<Tag>& tags);
    Result<void> record_removal(const RepositoryName& repository, const std::string& digest,
                                const std::vector<std::string>& tags);

    sqlite::Connection& connection_;
    const std::int64_t now_;
    const std::int64_t due_;
    const Actor& actor_;
    const RecordedEvents recorded_;
};

}  // namespace berth::store
