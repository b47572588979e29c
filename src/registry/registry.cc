#include "registry/registry.h"

#include <algorithm>
#include <utility>

#include "registry/state.h"

namespace berth::registry {
namespace {

constexpr std::size_t kNamesAtOnce = 1000;

Result<void> check_done(const Adoption& adoption) {
    if (adoption.done()) return {};
    const auto progress = adoption.progress();
    return fail(Errc::unavailable,
                "the repositories of registry:2 are being taken over, " +
                    std::to_string(progress.repositories) + " of " +
                    std::to_string(progress.repositories_total) +
                    " so far: they can be pulled from and pushed to, and listed in a moment");
}

// Of the names that `read` brings, page by page, those that may be seen.
template <class Read>
Result<Page> visible(Read read, const std::string& last, std::size_t limit,
                     const Registry::MaySee& may_see) {
    Page seen;
    for (std::string after = last;;) {
        BERTH_TRY(const auto page, read(after));
        for (const auto& name : page.names) {
            if (!may_see(name)) continue;
            seen.more = seen.names.size() == limit;
            if (seen.more) return seen;
            seen.names.push_back(name);
        }
        if (!page.more) return seen;
        after = page.names.back();
    }
}

}  // namespace

Registry::Registry(store::BlobStore& blobs, store::Index& index, RegistryOptions options)
    : state_(new State{blobs,
                       index,
                       ManifestCheck(index, std::move(options.manifests)),
                       {index, {options.cache_bytes_max, options.cache_files_max}},
                       options.references,
                       options.adoption,
                       options.descriptors}) {}

Registry::~Registry() = default;

Result<bool> Registry::has_repository(const RepositoryName& repository) const {
    BERTH_CHECK(state_->ensure(repository));
    return state_->index.has_repository(repository);
}

Result<void> Registry::delete_tag(const RepositoryName& repository, const Tag& tag,
                                  const Actor& actor) {
    BERTH_CHECK(state_->ensure(repository));
    return state_->index.delete_tag(repository, tag, actor);
}

Result<void> Registry::delete_manifest(const RepositoryName& repository, const Digest& digest,
                                       const Actor& actor) {
    BERTH_CHECK(state_->ensure(repository));
    return state_->index.delete_manifest(repository, digest, actor);
}

Result<void> Registry::delete_blob(const RepositoryName& repository, const Digest& digest,
                                   const Actor& actor) {
    BERTH_CHECK(state_->ensure(repository));
    auto unlinked = state_->index.unlink_blob(repository, digest, actor);
    // Nobody would get it any more, but a file that is open keeps its space on the disk.
    state_->cache.forget(PullCache::Kind::blob, repository, digest.text());
    return unlinked;
}

Result<std::vector<Tag>> Registry::tags_of(const RepositoryName& repository,
                                           const Digest& digest) const {
    BERTH_CHECK(state_->ensure(repository));
    BERTH_TRY(auto records, state_->index.tags_of(repository, digest));
    std::vector<Tag> tags;
    tags.reserve(records.size());
    for (auto& record : records)
        tags.push_back(std::move(record.tag));
    return tags;
}

Result<Page> Registry::tags(const RepositoryName& repository, const std::string& last,
                            std::size_t limit, const MaySee& may_see) const {
    BERTH_CHECK(state_->ensure(repository));
    const auto read = [&](const std::string& after) {
        return state_->index.tags(repository, after, kNamesAtOnce);
    };
    BERTH_TRY(auto page, visible(read, last, limit, may_see));
    if (!page.names.empty()) return page;
    // A repository may have lost its last tag and still be there.
    BERTH_TRY(const bool known, state_->index.has_repository(repository));
    if (!known) return fail(Errc::not_found, "there is no repository " + repository.text());
    return page;
}

Result<Page> Registry::repositories(const std::string& last, std::size_t limit,
                                    const MaySee& may_see) const {
    if (state_->adoption) BERTH_CHECK(check_done(*state_->adoption));
    const auto read = [&](const std::string& after) {
        return state_->index.repositories(after, kNamesAtOnce);
    };
    return visible(read, last, limit, may_see);
}

}  // namespace berth::registry
