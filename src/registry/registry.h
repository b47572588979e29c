// Registry: the domain, in the spec's nouns. Push, pull, mount, delete, list, refer.
//
// It ties the blob store (truth for bytes) to the index (truth for names) and keeps the durability
// contract: when a call that changes something returns, bytes, directory entries and the index's
// transaction are on disk, in that order, so a name never stands for bytes that are not there.
//
// It knows neither HTTP nor who may do what: callers have asked the policy. Thread-safe. All calls
// block and belong on a pool, except cached_manifest() and cached_blob(), which answer from memory
// and are made for event loops.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "oci/names.h"
#include "registry/manifest_check.h"
#include "store/blob/blob_store.h"
#include "store/cache/descriptor_cache.h"
#include "store/index/index.h"

namespace berth::registry {

class Adoption;

using oci::Digest;
using oci::Reference;
using oci::RepositoryName;
using oci::Tag;
using store::Actor;
using store::Event;
using store::Page;
using store::Upload;
using store::UploadId;
using store::UploadInfo;

struct RegistryOptions {
    // Takes over what registry:2 has left, repository by repository: each call that names one has
    // it taken over first. Outlives the registry; null: nothing is to be taken over.
    Adoption* adoption = nullptr;
    ManifestRules manifests = {};
    // Manifests, and blobs up to 64 KiB, that are kept in memory; and files that are kept open.
    std::size_t cache_bytes_max = 64u << 20;
    std::size_t cache_files_max = 256;
    // Events are to say what a manifest consists of (Event::references).
    bool references = false;
    // Asked for blobs before the index is. Outlives the registry; null: there is none.
    store::DescriptorCache* descriptors = nullptr;
};

// What a pull gets: a manifest or a blob of one repository, immutable. Either `bytes` or `file`.
struct Content {
    Digest digest;
    std::string media_type;  // of a manifest; empty: a blob
    std::uint64_t size = 0;
    std::shared_ptr<const std::string> bytes;
    std::shared_ptr<io::File> file;
    std::string references = {};  // of a manifest, for its event
};
using ContentPtr = std::shared_ptr<const Content>;

struct ManifestPush {
    RepositoryName repository;
    Reference reference;
    std::vector<Tag> tags;     // more tags to set, besides that of the reference
    std::string content_type;  // as sent; empty: what the manifest says itself
    Bytes bytes;
    Actor actor;
    // May existing tags be moved to another digest? `no`: Errc::already_exists, nothing is changed,
    // and the detail is the tag.
    using Overwrite = store::Overwrite;
    Overwrite overwrite = Overwrite::yes;
};

struct PushedManifest {
    Digest digest;  // of the algorithm that was asked for; sha256 for a tag
    std::optional<Digest> subject;
};

struct ReferrersPage {
    std::vector<oci::Referrer> referrers;
    std::optional<Digest> next;  // go on after this one
};

class Registry {
  public:
    // All references outlive the registry.
    Registry(store::BlobStore& blobs, store::Index& index, RegistryOptions options);
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    // Pulling. From memory: null when it is not there, or the repository has changed since. The
    // arguments need not be valid names. A tag's answer is never older than the last acknowledged
    // push of it.
    ContentPtr cached_manifest(std::string_view repository, std::string_view reference) const;
    ContentPtr cached_blob(std::string_view repository, std::string_view digest) const;
    // What is kept in memory for it.
    struct CacheUsage {
        std::size_t bytes = 0;
        std::size_t files = 0;  // kept open
    };
    CacheUsage cache_usage() const;
    // Errc::not_found. The bytes of small things are checked against the digest when they are read
    // (Errc::corrupt).
    Result<ContentPtr> manifest(const RepositoryName& repository, const Reference& reference);
    Result<ContentPtr> blob(const RepositoryName& repository, const Digest& digest);
    Result<bool> has_repository(const RepositoryName& repository) const;

    // Pushing blobs. An upload belongs to the repository it was begun in: Errc::not_found
    // elsewhere.
    Result<UploadInfo> begin_upload(const RepositoryName& repository, oci::Algorithm algorithm);
    Result<std::unique_ptr<Upload>> open_upload(const RepositoryName& repository,
                                                const UploadId& id);
    Result<UploadInfo> upload_status(const RepositoryName& repository, const UploadId& id) const;
    // The upload becomes the blob `digest` of its repository. Errc::invalid: the bytes have another
    // digest; the upload is gone then.
    Result<void> commit_upload(std::unique_ptr<Upload> upload, const Digest& digest,
                               const Actor& actor);
    // A file's bytes become the blob `digest` of the repository, as commit_upload makes them, and
    // without a copy where the file system can share them (BlobStore::put_file).
    Result<void> put_blob(const RepositoryName& repository, const Digest& digest,
                          const io::File& file, const Actor& actor);
    // Makes the blob, if it is stored, a blob of `repository` too. `may_pull` says from which
    // repositories the caller may take it; `from`: only this one. False: not mounted, and nothing
    // tells why.
    using MayPull = std::function<bool(const RepositoryName&)>;
    Result<bool> mount_blob(const RepositoryName& repository, const Digest& digest,
                            const std::optional<RepositoryName>& from, const MayPull& may_pull,
                            const Actor& actor);

    // Pushing manifests: checked (manifest_check.h), stored, and named, all or nothing.
    // Errc::invalid, Errc::unsupported (its type), Errc::too_large, Errc::not_found (a blob or
    // manifest it names; the detail begins with its digest), Errc::conflict (one of them is being
    // deleted at this moment), Errc::already_exists (see ManifestPush).
    Result<PushedManifest> put_manifest(const ManifestPush& push);

    // Deleting. Errc::not_found.
    Result<void> delete_tag(const RepositoryName& repository, const Tag& tag, const Actor& actor);
    Result<void> delete_manifest(const RepositoryName& repository, const Digest& digest,
                                 const Actor& actor);
    Result<void> delete_blob(const RepositoryName& repository, const Digest& digest,
                             const Actor& actor);
    // The tags that delete_manifest would take along.
    Result<std::vector<Tag>> tags_of(const RepositoryName& repository, const Digest& digest) const;

    // Listing, in byte order, after `last`, which need not exist. Errc::not_found: no such
    // repository. Errc::unavailable: not all repositories are taken over yet; the detail says how
    // many are. Only what may be seen: repositories by their names, or tags.
    using MaySee = std::function<bool(std::string_view name)>;
    Result<Page> tags(const RepositoryName& repository, const std::string& last, std::size_t limit,
                      const MaySee& may_see) const;
    Result<Page> repositories(const std::string& last, std::size_t limit,
                              const MaySee& may_see) const;
    // What refers to `subject`, which need not be there: manifests with that subject, and those
    // listed under the referrers tag of clients that know no referrers API (distribution-spec,
    // "Referrers Tag Schema"). Each once, in digest order. A page's JSON stays under `bytes_max`.
    Result<ReferrersPage> referrers(const RepositoryName& repository, const Digest& subject,
                                    const std::string& artifact_type,
                                    const std::optional<Digest>& after,
                                    std::size_t bytes_max) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::registry
