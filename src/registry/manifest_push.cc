// Pushing manifests.
#include <utility>

#include "oci/hasher.h"
#include "registry/state.h"

namespace berth::registry {
namespace {

constexpr int kTries = 4;

// For a tag the digest is of the usual algorithm, for a digest of the one that is asked for.
Result<Digest> digest_for(const Reference& reference, Bytes bytes) {
    const auto* asked = std::get_if<Digest>(&reference);
    auto digest = oci::digest_of(asked ? asked->algorithm() : oci::Algorithm::sha256, bytes);
    if (asked && digest != *asked) {
        return fail(Errc::invalid,
                    digest.text() + " is the digest of the bytes, not " + asked->text());
    }
    return digest;
}

// Pushed again, a manifest costs a read; what has been damaged on the disk is mended.
Result<void> store_bytes(store::BlobStore& blobs, const store::Index& index, const Digest& digest,
                         Bytes bytes) {
    BERTH_TRY(const auto stored, index.find_stored(digest));
    if (stored && read_verified(blobs, digest, *stored)) return {};
    return blobs.put(digest, bytes);
}

}  // namespace

Result<PushedManifest> Registry::put_manifest(const ManifestPush& push) {
    auto& [blobs, index, check, cache, references, adoption, descriptors] = *state_;
    BERTH_CHECK(state_->ensure_for_push(push.repository));
    BERTH_TRY(const auto digest, digest_for(push.reference, push.bytes));
    BERTH_TRY(const auto manifest, oci::parse_manifest(push.content_type, as_text(push.bytes)));
    auto tags = push.tags;
    if (const auto* tag = std::get_if<Tag>(&push.reference)) tags.push_back(*tag);
    for (int tries = 1;; ++tries) {
        BERTH_TRY(auto record, check.check(push.repository, manifest, digest, push.bytes.size()));
        if (references) record.references = oci::format_references(as_text(push.bytes));
        if (tries == 1) BERTH_CHECK(store_bytes(blobs, index, digest, push.bytes));
        const auto named =
            index.put_manifest(push.repository, record, tags, push.overwrite, push.actor);
        if (named) return PushedManifest{digest, record.subject};
        // What the manifest names was deleted after the check: the next check says whether that
        // matters.
        if (named.error().code != Errc::conflict || tries == kTries)
            return std::unexpected(named.error());
    }
}

}  // namespace berth::registry
