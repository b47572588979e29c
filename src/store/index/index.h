// The index: the truth for names. Which repositories there are, which blobs and manifests each may
// serve, where its tags point, who refers to what, and the history of it.
//
// Writers block until their change is durable; the changes of concurrent callers share one
// transaction and one fsync (group commit). Readers never wait for writers. All calls are
// thread-safe and blocking: called from pools. A caller writes to the index only after the bytes it
// names are durable in the blob store.
//
// Counts and due times are kept in the transaction that changes what they count, so that a
// collector's cost follows the garbage: a blob or manifest whose count is zero has a due time,
// after which it may go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/manifest.h"
#include "store/index/adoption_log.h"
#include "store/index/event_queue.h"
#include "store/index/records.h"

namespace berth::store {

class IndexReader {
  public:
    virtual ~IndexReader() = default;

    virtual Result<bool> has_repository(const RepositoryName& repository) const = 0;
    virtual Result<std::optional<TagRecord>> find_tag(const RepositoryName& repository,
                                                      const Tag& tag) const = 0;
    // `blobs` and `manifests` of the record are not filled.
    virtual Result<std::optional<ManifestRecord>> find_manifest(const RepositoryName& repository,
                                                                const Digest& digest) const = 0;
    // The size of a blob that this repository may serve; nullopt when it may not.
    virtual Result<std::optional<std::uint64_t>> find_blob(const RepositoryName& repository,
                                                           const Digest& digest) const = 0;
    // The size of a blob that is stored whole for any repository.
    virtual Result<std::optional<std::uint64_t>> find_stored(const Digest& digest) const = 0;
    // All of them in digest order, after `last` (empty: from the start), at most `limit`.
    virtual Result<std::vector<StoredBlob>> stored(const std::string& last,
                                                   std::size_t limit) const = 0;
    // The first repositories, in byte order, that may serve the blob.
    virtual Result<std::vector<RepositoryName>> repositories_with(const Digest& digest,
                                                                  std::size_t limit) const = 0;
    // Names after `last` (which need not exist), at most `limit`. repositories: those with a
    // manifest or blob.
    virtual Result<Page> repositories(const std::string& last, std::size_t limit) const = 0;
    virtual Result<Page> tags(const RepositoryName& repository, const std::string& last,
                              std::size_t limit) const = 0;
    // The digests of a repository's manifests, or of the blobs that it may serve; paged as names.
    virtual Result<Page> manifests(const RepositoryName& repository, const std::string& last,
                                   std::size_t limit) const = 0;
    virtual Result<Page> blobs(const RepositoryName& repository, const std::string& last,
                               std::size_t limit) const = 0;
    virtual Result<std::vector<TagRecord>> tags_of(const RepositoryName& repository,
                                                   const Digest& digest) const = 0;
    // Newest first. Stays when the tag and its repository are gone.
    virtual Result<std::vector<TagMove>> history(const RepositoryName& repository,
                                                 const Tag& tag) const = 0;
    // Manifests in `repository` whose subject is `subject`, in digest order, after `last` (empty:
    // from the start), at most `limit`. Empty artifact_type: all.
    virtual Result<std::vector<oci::Referrer>> referrers(const RepositoryName& repository,
                                                         const Digest& subject,
                                                         const std::string& artifact_type,
                                                         const std::string& last,
                                                         std::size_t limit) const = 0;
    virtual Result<Totals> totals() const = 0;
    // Changes with every committed write that touches the repository, whoever made it, before that
    // write is acknowledged. Never blocks; a cache that compares it never serves what is older than
    // an acknowledgement.
    virtual std::uint64_t version(const RepositoryName& repository) const = 0;
};

class IndexWriter {
  public:
    virtual ~IndexWriter() = default;

    // The repository may serve this blob from now on; renews the blob's and the link's grace. The
    // repository is made if missing. The caller has verified the bytes: where the index has another
    // size for them, it was that of a damaged file that was taken over, and this one is right.
    virtual Result<void> link_blob(const RepositoryName& repository, const Digest& digest,
                                   std::uint64_t size, const Actor& actor) = 0;
    // The same, for a blob that was taken from another repository (or its own).
    virtual Result<void> mount_blob(const RepositoryName& repository, const Digest& digest,
                                    std::uint64_t size, const RepositoryName& from,
                                    const Actor& actor) = 0;
    // Errc::not_found when it is not linked.
    virtual Result<void> unlink_blob(const RepositoryName& repository, const Digest& digest,
                                     const Actor& actor) = 0;
    // The manifest belongs to the repository and the tags point at it: all or nothing.
    // Errc::conflict when one of record.blobs or record.manifests is no longer in the repository.
    // Errc::already_exists when a tag would have to be moved and may not; the detail is the tag.
    virtual Result<void> put_manifest(const RepositoryName& repository,
                                      const ManifestRecord& record, const std::vector<Tag>& tags,
                                      Overwrite overwrite, const Actor& actor) = 0;
    virtual Result<void> delete_tag(const RepositoryName& repository, const Tag& tag,
                                    const Actor& actor) = 0;
    // The manifest leaves the repository, and its tags with it.
    virtual Result<void> delete_manifest(const RepositoryName& repository, const Digest& digest,
                                         const Actor& actor) = 0;
    // How many changes wait for their transaction.
    virtual std::size_t waiting() const = 0;
};

class Index : public IndexReader, public IndexWriter, public EventQueue, public AdoptionLog {};

}  // namespace berth::store
