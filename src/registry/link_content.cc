#include "registry/link_content.h"

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "oci/hasher.h"
#include "oci/manifest.h"
#include "oci/media_type.h"
#include "registry/manifest_check.h"
#include "store/blob/paths.h"
#include "store/links/paths.h"

namespace berth::registry {
namespace {

using oci::Descriptor;
using oci::Digest;
using oci::RepositoryName;
using store::ManifestRecord;

class ContentReader {
  public:
    ContentReader(const io::Directory& directory, const store::BlobStore& blobs,
                  const RepositoryName& repository, std::vector<store::Finding>& findings)
        : directory_(directory), blobs_(blobs), repository_(repository), findings_(findings) {}

    Result<store::RepositoryContent> read() {
        BERTH_TRY(const auto links, store::read_links(directory_, repository_, findings_));
        for (const Digest& digest : links.blobs)
            BERTH_CHECK(measure(digest));
        for (const Digest& digest : links.manifests)
            BERTH_CHECK(read_manifest(digest));
        for (ManifestRecord& record : content_.manifests)
            resolve(record);
        for (const Digest& digest : links.blobs) {
            const auto size = sizes_.find(digest);
            if (size != sizes_.end()) content_.blobs.push_back({digest, size->second});
        }
        for (const store::LinkedTag& tag : links.tags)
            add_tag(tag);
        return std::move(content_);
    }

  private:
    void report(std::string_view kind, std::string path, const std::string& detail) {
        findings_.push_back(
            {std::string(kind), std::move(path), repository_.text() + ": " + detail});
    }

    // One line for each thing, however many manifests name it.
    void report_once(std::string_view kind, const Digest& digest, const std::string& detail) {
        if (reported_.insert(digest).second) report(kind, store::blob_path(digest), detail);
    }

    // A link to what is not there says nothing yet: registry:2's garbage collection leaves such
    // links. It matters where a manifest names it.
    Result<void> measure(const Digest& digest) {
        const auto blob = blobs_.open(digest);
        if (!blob) {
            if (blob.error().code == Errc::not_found) return {};
            if (!store::is_damage(blob.error())) return std::unexpected(blob.error());
            report_once("unreadable", digest, blob.error().detail + "; the blob is left out");
        } else if (blob->size == 0 && digest != oci::digest_of(digest.algorithm(), {})) {
            report_once("wrong-size", digest,
                        "the blob is empty, as a crash leaves it; it is left out until it is "
                        "pushed again");
        } else {
            sizes_.emplace(digest, blob->size);
        }
        return {};
    }

    Result<void> read_manifest(const Digest& digest) {
        const auto blob = blobs_.open(digest);
        Result<std::string> bytes = blob ? read_bytes(*blob) : std::unexpected(blob.error());
        if (!bytes) {
            if (bytes.error().code == Errc::not_found) {
                report("missing-manifest", store::blob_path(digest),
                       "the manifest is not there; it is left out until it is pushed again");
                return {};
            }
            const bool is_large = bytes.error().code == Errc::too_large;
            if (!is_large && !store::is_damage(bytes.error()))
                return std::unexpected(bytes.error());
            report(is_large ? "bad-manifest" : "unreadable", store::blob_path(digest),
                   bytes.error().detail + "; the manifest is left out");
            return {};
        }
        if (bytes->empty()) {
            report("bad-manifest", store::blob_path(digest),
                   "the manifest is empty, as a crash leaves it; it is left out until it is pushed "
                   "again");
        } else if (oci::digest_of(digest.algorithm(), as_bytes(*bytes)) != digest) {
            report("wrong-digest", store::blob_path(digest),
                   "the manifest's bytes have another digest; it is left out until it is pushed "
                   "again");
        } else if (const auto manifest = oci::parse_manifest({}, *bytes); !manifest) {
            report("bad-manifest", store::blob_path(digest),
                   manifest.error().detail + "; the manifest is left out");
        } else {
            add_manifest(*manifest, digest, bytes->size());
        }
        return {};
    }

    static Result<std::string> read_bytes(const store::OpenBlob& blob) {
        if (blob.size > oci::kManifestBytesMax) {
            return fail(Errc::too_large, "a manifest has at most " +
                                             std::to_string(oci::kManifestBytesMax) +
                                             " bytes, this one has " + std::to_string(blob.size));
        }
        std::string bytes(static_cast<std::size_t>(blob.size), '\0');
        BERTH_TRY(const auto got, blob.file->read_at(0, std::as_writable_bytes(std::span(bytes))));
        bytes.resize(got);
        return bytes;
    }

    // With all that it names; resolve() looks at what there is of it.
    void add_manifest(const oci::Manifest& manifest, const Digest& digest, std::uint64_t size) {
        ManifestRecord record = record_of(manifest, digest, size);
        if (manifest.config) add_blob(*manifest.config, record);
        for (const Descriptor& layer : manifest.layers)
            add_blob(layer, record);
        for (const Descriptor& child : manifest.manifests)
            record.manifests.push_back(child.digest);
        manifests_.insert(digest);
        content_.manifests.push_back(std::move(record));
    }

    void add_blob(const Descriptor& descriptor, ManifestRecord& record) {
        const bool elsewhere =
            oci::is_foreign_layer(descriptor.media_type) && !descriptor.urls.empty();
        const auto size = sizes_.find(descriptor.digest);
        if (size == sizes_.end()) {
            if (!elsewhere) {
                report_once("missing-blob", descriptor.digest,
                            "the blob is not there, or not in this repository, but manifest " +
                                record.digest.text() +
                                " names it: it cannot be pulled whole until the blob is pushed "
                                "again");
            }
        } else if (size->second != descriptor.size) {
            report_once("wrong-size", descriptor.digest,
                        "the blob has " + std::to_string(size->second) + " bytes, manifest " +
                            record.digest.text() + " says " + std::to_string(descriptor.size) +
                            "; it is left out until it is pushed again");
            sizes_.erase(size);
        } else {
            record.blobs.push_back(descriptor.digest);
        }
    }

    void resolve(ManifestRecord& record) {
        std::erase_if(record.blobs, [this](const Digest& digest) {
            return !sizes_.contains(digest);  // another manifest has told that it is damaged
        });
        std::erase_if(record.manifests, [this, &record](const Digest& digest) {
            if (manifests_.contains(digest)) return false;
            // BuildKit's caches are indexes whose children are layers.
            if (sizes_.contains(digest)) {
                record.blobs.push_back(digest);
            } else {
                report_once("missing-manifest", digest,
                            "the manifest is not there, or not in this repository, but index " +
                                record.digest.text() + " names it");
            }
            return true;
        });
    }

    void add_tag(const store::LinkedTag& tag) {
        if (manifests_.contains(tag.digest)) {
            content_.tags.push_back({tag.tag, tag.digest, tag.updated_at, store::kAdoptionActor});
            return;
        }
        report("missing-manifest", store::current_link(repository_, tag.tag.text()),
               "the tag " + tag.tag.text() + " points to " + tag.digest.text() +
                   ", which the repository does not have; the tag is left out until it is pushed "
                   "again");
    }

    const io::Directory& directory_;
    const store::BlobStore& blobs_;
    const RepositoryName& repository_;
    std::vector<store::Finding>& findings_;
    store::RepositoryContent content_;
    std::unordered_map<Digest, std::uint64_t> sizes_;  // of the blobs that are good
    std::unordered_set<Digest> manifests_;             // that are good
    std::unordered_set<Digest> reported_;
};

}  // namespace

Result<store::RepositoryContent> read_linked_content(const io::Directory& directory,
                                                     const store::BlobStore& blobs,
                                                     const RepositoryName& repository,
                                                     std::vector<store::Finding>& findings) {
    return ContentReader(directory, blobs, repository, findings).read();
}

}  // namespace berth::registry
