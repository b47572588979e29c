// ReadSession: the index's questions as SQL, on a connection that its maker has alone.
//
// Each answer is one SELECT and so one state of the index, whatever is written meanwhile. The
// answers are those of IndexReader.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/index/index.h"
#include "store/index/sqlite.h"

namespace berth::store {

class ReadSession {
  public:
    explicit ReadSession(sqlite::Connection& connection) : connection_(connection) {}

    Result<bool> has_repository(const RepositoryName& repository);
    Result<std::optional<TagRecord>> find_tag(const RepositoryName& repository, const Tag& tag);
    Result<std::optional<ManifestRecord>> find_manifest(const RepositoryName& repository,
                                                        const Digest& digest);
    Result<std::optional<std::uint64_t>> find_blob(const RepositoryName& repository,
                                                   const Digest& digest);
    Result<std::optional<std::uint64_t>> find_stored(const Digest& digest);
    Result<std::vector<StoredBlob>> stored(const std::string& last, std::size_t limit);
    Result<std::vector<RepositoryName>> repositories_with(const Digest& digest, std::size_t limit);
    Result<Page> repositories(const std::string& last, std::size_t limit);
    Result<Page> tags(const RepositoryName& repository, const std::string& last, std::size_t limit);
    Result<Page> manifests(const RepositoryName& repository, const std::string& last,
                           std::size_t limit);
    Result<Page> blobs(const RepositoryName& repository, const std::string& last,
                       std::size_t limit);
    Result<std::vector<TagRecord>> tags_of(const RepositoryName& repository, const Digest& digest);
    Result<std::vector<TagMove>> history(const RepositoryName& repository, const Tag& tag);
    Result<std::vector<oci::Referrer>> referrers(const RepositoryName& repository,
                                                 const Digest& subject,
                                                 const std::string& artifact_type,
                                                 const std::string& last, std::size_t limit);
    Result<Totals> totals();

  private:
    sqlite::Connection& connection_;
};

}  // namespace berth::store
