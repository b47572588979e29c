// Exports that are registry:2's link files.
#include <algorithm>
#include <mutex>
#include <set>

#include "base/parallel.h"
#include "store/links/links.h"
#include "transfer/export.h"
#include "transfer/files.h"
#include "transfer/listing.h"

namespace berth::transfer {
namespace {

using store::Links;

class Counter {
  public:
    Counter(ExportTotals totals, const ExportOptions& options)
        : totals_(totals), options_(options) {}

    template <class Change>
    void count(Change change) {
        std::lock_guard lock(mutex_);
        change(totals_);
        options_.on_progress(totals_);
    }
    const ExportTotals& totals() const { return totals_; }

  private:
    std::mutex mutex_;
    ExportTotals totals_;
    const ExportOptions& options_;
};

// The original makes digests by sha256 only.
bool is_servable(const Digest& digest) {
    return digest.algorithm() == oci::Algorithm::sha256;
}

void count_links(Counter& counter, const Links& links) {
    counter.count([&links](ExportTotals& totals) {
        ++totals.repositories;
        totals.tags += links.tags.size();
        totals.manifests += links.manifests.size();
        totals.blobs += links.blobs.size();
        for (const auto& digest : links.manifests)
            totals.not_servable += is_servable(digest) ? 0 : 1;
    });
}

Result<Links> links_of(const store::IndexReader& index, const RepositoryName& repository) {
    Links links;
    BERTH_TRY(links.blobs, all_blobs(index, repository));
    BERTH_TRY(links.manifests, all_manifests(index, repository));
    BERTH_TRY(auto tags, all_tags(index, repository));
    for (auto& record : tags)
        links.tags.push_back({std::move(record.tag), std::move(record.digest), record.updated_at});
    return links;
}

// Those of the chosen images, and those that are there; Errc::already_exists when a tag would move.
class Merge {
  public:
    Merge(const ImageSet& set, io::Directory& root) : set_(set), root_(root) {}

    Result<std::vector<std::pair<RepositoryName, Links>>> run(const store::BlobStore& blobs) {
        std::vector<std::pair<RepositoryName, Links>> merged;
        for (const auto& [name, content] : set_.repositories) {
            std::vector<store::Finding> ignored;
            BERTH_TRY(auto links, store::read_links(root_, name, ignored));
            BERTH_CHECK(add_tags(name, content, links));
            add(links.manifests, content.manifests);
            BERTH_TRY(const auto named, blobs_of(content, blobs));
            add(links.blobs, named);
            merged.emplace_back(name, std::move(links));
        }
        return merged;
    }

  private:
    static void add(std::vector<Digest>& known, const std::vector<Digest>& more) {
        std::set<Digest> all(known.begin(), known.end());
        all.insert(more.begin(), more.end());
        known.assign(all.begin(), all.end());
    }

    static Result<void> add_tags(const RepositoryName& name, const ChosenRepository& content,
                                 Links& links) {
        for (const auto& record : content.tags) {
            const auto known = std::ranges::find(links.tags, record.tag, &store::LinkedTag::tag);
            if (known == links.tags.end()) {
                links.tags.push_back({record.tag, record.digest, record.updated_at});
            } else if (known->digest != record.digest) {
                return fail(Errc::already_exists,
                            name.text() + ":" + record.tag.text() + " is another image there");
            }
        }
        std::ranges::sort(links.tags, {}, &store::LinkedTag::tag);
        return {};
    }

    Result<std::vector<Digest>> blobs_of(const ChosenRepository& content,
                                         const store::BlobStore& blobs) const {
        std::set<Digest> named;
        for (const auto& digest : content.manifests) {
            BERTH_TRY(const auto blob, blobs.open(digest));
            std::string bytes;
            const Slice slice{blob.file, 0, blob.size};
            BERTH_CHECK(slice.read([&bytes](Bytes part) -> Result<void> {
                bytes += as_text(part);
                return {};
            }));
            const auto& type = set_.manifests.at(digest).media_type;
            BERTH_TRY(const auto manifest, oci::parse_manifest(type, bytes));
            const auto take = [&](const oci::Descriptor& blob_of_manifest) {
                if (set_.blobs.contains(blob_of_manifest.digest))
                    named.insert(blob_of_manifest.digest);
            };
            if (manifest.config) take(*manifest.config);
            std::ranges::for_each(manifest.layers, take);
            std::ranges::for_each(manifest.manifests, take);
        }
        return std::vector<Digest>(named.begin(), named.end());
    }

    const ImageSet& set_;
    io::Directory& root_;
};

// A file that is there proves nothing; one with the right bytes does.
Result<bool> has_blob(const store::BlobStore& blobs, const Digest& digest, std::uint64_t size) {
    const auto there = blobs.open(digest);
    if (!there || there->size != size) return false;
    BERTH_TRY(const auto actual, Slice{there->file, 0, size}.digest(digest.algorithm()));
    return actual == digest;
}

Result<void> copy_blob(const store::BlobStore& from, store::BlobStore& to, const Digest& digest,
                       std::uint64_t size) {
    BERTH_TRY(const bool there, has_blob(to, digest, size));
    if (there) return {};
    auto blob = from.open(digest);
    if (!blob) return std::unexpected(std::move(blob.error()).with_context(digest.text()));
    BERTH_CHECK(to.put_file(digest, *blob->file));
    return {};
}

}  // namespace

Result<ExportTotals> export_root(const ImageSet& set, const store::BlobStore& blobs,
                                 io::Directory& root, store::BlobStore& to,
                                 const ExportOptions& options) {
    BERTH_TRY(const auto links, Merge(set, root).run(blobs));
    std::vector<std::pair<Digest, std::uint64_t>> contents(set.blobs.begin(), set.blobs.end());
    for (const auto& [digest, manifest] : set.manifests)
        contents.emplace_back(digest, manifest.size);
    ExportTotals totals;
    for (const auto& [digest, size] : contents)
        totals.bytes_total += size;
    Counter counter(totals, options);
    Parallel parallel(options.threads);
    const auto bring = [&](std::size_t i) -> Result<void> {
        const auto& [digest, size] = contents[i];
        BERTH_CHECK(copy_blob(blobs, to, digest, size));
        counter.count([size = size](ExportTotals& now) { now.bytes += size; });
        return {};
    };
    const auto link = [&](std::size_t i) -> Result<void> {
        BERTH_CHECK(store::write_links(root, links[i].first, links[i].second));
        count_links(counter, links[i].second);
        return {};
    };
    BERTH_CHECK(parallel.each(contents.size(), bring));
    BERTH_CHECK(parallel.each(links.size(), link));
    return counter.totals();
}

Result<ExportTotals> export_in_place(io::Directory& root, store::Index& index,
                                     const ExportOptions& options) {
    BERTH_TRY(const auto indexed, all_repositories(index));
    std::set<RepositoryName> names(indexed.begin(), indexed.end());
    // What is deleted in the index must not come back by its old links.
    std::vector<store::Finding> ignored;
    BERTH_CHECK(store::list_repositories(
        root, [&names](RepositoryName name) { names.insert(std::move(name)); }, ignored));
    const std::vector<RepositoryName> all(names.begin(), names.end());
    Counter counter({}, options);
    Parallel parallel(options.threads);
    const auto write = [&](std::size_t i) -> Result<void> {
        BERTH_TRY(const auto links, links_of(index, all[i]));
        BERTH_CHECK(store::write_links(root, all[i], links));
        if (!links.manifests.empty() || !links.blobs.empty()) count_links(counter, links);
        return {};
    };
    BERTH_CHECK(parallel.each(all.size(), write));
    BERTH_CHECK(index.set_given_back());
    return counter.totals();
}

}  // namespace berth::transfer
