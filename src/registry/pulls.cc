// Pulling: from the cache, else by the index and from the blob store.
#include <optional>
#include <utility>

#include "oci/hasher.h"
#include "registry/state.h"

namespace berth::registry {
namespace {

constexpr std::uint64_t kSmallBytesMax = 64u << 10;
constexpr int kTries = 4;

std::unexpected<Error> corrupt(const Digest& digest, std::string_view how) {
    return fail(Errc::corrupt, "the stored bytes of " + digest.text() + " " + std::string(how));
}

Result<store::OpenBlob> open_whole(const store::BlobStore& blobs, const Digest& digest,
                                   std::uint64_t size) {
    auto blob = blobs.open(digest);
    if (!blob && blob.error().code == Errc::not_found) return corrupt(digest, "are gone");
    if (!blob) return blob;
    if (blob->size != size) {
        return corrupt(digest,
                       "are " + std::to_string(blob->size) + ", not " + std::to_string(size));
    }
    return blob;
}

Result<std::shared_ptr<Content>> read_content(const store::BlobStore& blobs, const Digest& digest,
                                              std::string media_type, std::uint64_t size) {
    auto content = std::make_shared<Content>(Content{digest, std::move(media_type), size, {}, {}});
    if (!content->media_type.empty() || size <= kSmallBytesMax) {
        BERTH_TRY(auto bytes, read_verified(blobs, digest, size));
        content->bytes = std::make_shared<const std::string>(std::move(bytes));
    } else {
        BERTH_TRY(auto blob, open_whole(blobs, digest, size));
        content->file = std::move(blob.file);
    }
    return content;
}

// What looks damaged may have been deleted between two looks (a tag has moved, and its old manifest
// is gone): then a new look tells.
template <class Look>
Result<ContentPtr> look_steadily(const Look& look) {
    for (int tries = 1;; ++tries) {
        auto content = look();
        if (content || content.error().code != Errc::corrupt || tries == kTries) return content;
    }
}

}  // namespace

Result<std::string> read_verified(const store::BlobStore& blobs, const Digest& digest,
                                  std::uint64_t size) {
    BERTH_TRY(const auto blob, open_whole(blobs, digest, size));
    std::string bytes(static_cast<std::size_t>(size), '\0');
    BERTH_TRY(const auto got, blob.file->read_at(0, std::as_writable_bytes(std::span(bytes))));
    if (got != bytes.size() || oci::digest_of(digest.algorithm(), as_bytes(bytes)) != digest)
        return corrupt(digest, "have another digest");
    return bytes;
}

ContentPtr Registry::cached_manifest(std::string_view repository,
                                     std::string_view reference) const {
    return state_->cache.find(PullCache::Kind::manifest, repository, reference);
}

ContentPtr Registry::cached_blob(std::string_view repository, std::string_view digest) const {
    return state_->cache.find(PullCache::Kind::blob, repository, digest);
}

Registry::CacheUsage Registry::cache_usage() const {
    const PullCache::Limits used = state_->cache.used();
    return {used.bytes, used.files};
}

Result<ContentPtr> Registry::manifest(const RepositoryName& repository,
                                      const Reference& reference) {
    return state_->manifest(repository, reference);
}

Result<ContentPtr> Registry::State::manifest(const RepositoryName& repository,
                                             const Reference& reference) {
    constexpr auto kKind = PullCache::Kind::manifest;
    BERTH_CHECK(ensure(repository));
    return look_steadily([&]() -> Result<ContentPtr> {
        const auto version = index.version(repository);
        const auto* tag = std::get_if<Tag>(&reference);
        std::optional<store::TagRecord> tagged;
        if (tag) {
            BERTH_TRY(tagged, index.find_tag(repository, *tag));
            if (!tagged) return not_in(repository, "tag", tag->text());
        }
        const Digest& digest = tag ? tagged->digest : std::get<Digest>(reference);
        BERTH_TRY(const auto record, index.find_manifest(repository, digest));
        if (!record && tag) return corrupt(digest, "are under a tag, but in no manifest");
        if (!record) return not_in(repository, "manifest", digest.text());
        auto content = cache.recall(kKind, repository, digest);
        if (!content || content->media_type != record->media_type) {
            BERTH_TRY(auto fresh, read_content(blobs, digest, record->media_type, record->size));
            if (references) fresh->references = oci::format_references(*fresh->bytes);
            content = std::move(fresh);
        }
        cache.put(kKind, repository, digest.text(), version, content);
        if (tag) cache.put(kKind, repository, tag->text(), version, content);
        return content;
    });
}

Result<std::optional<std::uint64_t>> Registry::State::find_blob(const RepositoryName& repository,
                                                                const Digest& digest,
                                                                std::uint64_t version) {
    if (!descriptors) return index.find_blob(repository, digest);
    if (const auto size = descriptors->find(repository, digest, version)) return size;
    BERTH_TRY(const auto size, index.find_blob(repository, digest));
    if (size) descriptors->put(repository, digest, version, *size);
    return size;
}

Result<ContentPtr> Registry::blob(const RepositoryName& repository, const Digest& digest) {
    constexpr auto kKind = PullCache::Kind::blob;
    auto& [blobs, index, check, cache, references, adoption, descriptors] = *state_;
    BERTH_CHECK(state_->ensure(repository));
    return look_steadily([&]() -> Result<ContentPtr> {
        const auto version = index.version(repository);
        BERTH_TRY(const auto size, state_->find_blob(repository, digest, version));
        if (!size) return not_in(repository, "blob", digest.text());
        auto content = cache.recall(kKind, repository, digest);
        if (!content) {
            BERTH_TRY(content, read_content(blobs, digest, {}, *size));
        }
        cache.put(kKind, repository, digest.text(), version, content);
        return content;
    });
}

}  // namespace berth::registry
