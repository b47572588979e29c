// Pushing blobs: uploads and mounts.
#include <utility>

#include "registry/state.h"

namespace berth::registry {
namespace {

// Repositories that an anonymous mount looks at.
constexpr std::size_t kSourcesMax = 100;

Result<UploadInfo> find_upload(const store::BlobStore& blobs, const RepositoryName& repository,
                               const UploadId& id) {
    BERTH_TRY(auto info, blobs.find_upload(id));
    if (info.repository != repository)
        return fail(Errc::not_found, "there is no upload " + id.text());
    return info;
}

// Whether the blob need not be written again. A file that is gone or cut short is: the push then
// mends it.
Result<Upload::Known> find_known(const store::Index& index, const store::BlobStore& blobs,
                                 const Digest& digest, std::uint64_t sent_bytes) {
    BERTH_TRY(const auto size, index.find_stored(digest));
    if (!size || *size != sent_bytes) return Upload::Known::no;
    const auto blob = blobs.open(digest);
    return blob && blob->size == *size ? Upload::Known::yes : Upload::Known::no;
}

}  // namespace

Result<UploadInfo> Registry::begin_upload(const RepositoryName& repository,
                                          oci::Algorithm algorithm) {
    return state_->blobs.begin(repository, algorithm);
}

Result<std::unique_ptr<Upload>> Registry::open_upload(const RepositoryName& repository,
                                                      const UploadId& id) {
    BERTH_CHECK(find_upload(state_->blobs, repository, id));
    return state_->blobs.open_upload(id);
}

Result<UploadInfo> Registry::upload_status(const RepositoryName& repository,
                                           const UploadId& id) const {
    return find_upload(state_->blobs, repository, id);
}

Result<void> Registry::commit_upload(std::unique_ptr<Upload> upload, const Digest& digest,
                                     const Actor& actor) {
    const RepositoryName repository = upload->info().repository;
    BERTH_CHECK(state_->ensure_for_push(repository));
    BERTH_TRY(const auto known,
              find_known(state_->index, state_->blobs, digest, upload->info().offset));
    BERTH_TRY(const auto size, upload->commit(digest, known));
    return state_->index.link_blob(repository, digest, size, actor);
}

Result<void> Registry::put_blob(const RepositoryName& repository, const Digest& digest,
                                const io::File& file, const Actor& actor) {
    BERTH_CHECK(state_->ensure_for_push(repository));
    BERTH_TRY(const auto size, state_->blobs.put_file(digest, file));
    return state_->index.link_blob(repository, digest, size, actor);
}

Result<bool> Registry::mount_blob(const RepositoryName& repository, const Digest& digest,
                                  const std::optional<RepositoryName>& from,
                                  const MayPull& may_pull, const Actor& actor) {
    const auto& index = state_->index;
    BERTH_CHECK(state_->ensure_for_push(repository));
    if (from) BERTH_CHECK(state_->ensure(*from));
    std::vector<RepositoryName> sources;
    if (from) {
        sources = {*from, repository};
    } else {
        // The repository itself first: what is there need not be taken from elsewhere.
        sources = {repository};
        BERTH_TRY(const auto others, index.repositories_with(digest, kSourcesMax));
        sources.insert(sources.end(), others.begin(), others.end());
    }
    for (const auto& source : sources) {
        if (source != repository && !may_pull(source)) continue;
        BERTH_TRY(const auto size, index.find_blob(source, digest));
        if (!size) continue;
        BERTH_CHECK(state_->index.mount_blob(repository, digest, *size, source, actor));
        return true;
    }
    return false;
}

}  // namespace berth::registry
