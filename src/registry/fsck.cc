#include "registry/fsck.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/parallel.h"
#include "base/pool.h"
#include "io/path.h"
#include "oci/hasher.h"
#include "registry/link_content.h"
#include "store/blob/paths.h"
#include "store/links/paths.h"

namespace berth::registry {
namespace {

using oci::Digest;
using oci::RepositoryName;
using store::Finding;
using store::StoredBlob;

constexpr std::size_t kStoredAtOnce = 5000;
constexpr std::size_t kReadBytes = 1u << 20;

class Check {
  public:
    Check(const io::Directory& directory, const store::BlobStore& blobs, const store::Index* index,
          const FsckOptions& options)
        : directory_(directory),
          blobs_(blobs),
          index_(index),
          options_(options),
          parallel_(options.threads > 0 ? options.threads : 2 * cores()) {}

    Result<FsckReport> run() {
        bool indexed = false;
        if (index_) {
            BERTH_TRY(indexed, index_->adopted_all());
        }
        BERTH_CHECK(read_links(indexed ? report_.left_out : report_.findings, !indexed));
        if (index_) BERTH_CHECK(check_index());
        BERTH_CHECK(find_orphans());
        BERTH_TRY(report_.uploads, store::list_uploads(directory_));
        for (auto* list : {&report_.findings, &report_.left_out}) {
            std::ranges::sort(*list, {}, [](const Finding& finding) {
                return std::tie(finding.kind, finding.path, finding.detail);
            });
        }
        return std::move(report_);
    }

  private:
    // Runs `work` for each of the items, in threads; ends early at an error.
    template <class Item, class Work>
    Result<void> each(const std::vector<Item>& items, const Work& work) {
        return parallel_.each(items.size(), [&](std::size_t i) { return work(items[i]); });
    }

    // With `are_truth` the blobs that they name are checked, and count as needed.
    Result<void> read_links(std::vector<Finding>& findings, bool are_truth) {
        std::vector<RepositoryName> names;
        BERTH_CHECK(store::list_repositories(
            directory_, [&names](RepositoryName name) { names.push_back(std::move(name)); },
            findings));
        return each(names, [&](const RepositoryName& name) -> Result<void> {
            std::vector<Finding> found;
            BERTH_TRY(const auto content, read_linked_content(directory_, blobs_, name, found));
            std::vector<StoredBlob> named;
            {
                const std::lock_guard lock(mutex_);
                std::ranges::move(found, std::back_inserter(findings));
                if (!are_truth) return {};
                for (const auto& [digest, size] : content.blobs)
                    if (needed_.insert(digest).second) named.push_back({digest, size});
                for (const auto& manifest : content.manifests)
                    if (needed_.insert(manifest.digest).second)
                        named.push_back({manifest.digest, manifest.size});
            }
            for (const auto& blob : named)
                BERTH_CHECK(check_blob(blob));
            return {};
        });
    }

    Result<void> check_index() {
        std::string last;
        for (;;) {
            BERTH_TRY(auto stored, index_->stored(last, kStoredAtOnce));
            if (stored.empty()) return {};
            last = stored.back().digest.text();
            std::erase_if(stored, [this](const StoredBlob& blob) {
                return needed_.contains(blob.digest);  // checked as a link's
            });
            BERTH_CHECK(each(stored, [this](const StoredBlob& blob) { return check_blob(blob); }));
        }
    }

    Result<void> check_blob(const StoredBlob& expected) {
        std::string kind, detail;
        const auto blob = blobs_.open(expected.digest);
        if (!blob && blob.error().code == Errc::not_found) {
            kind = "missing-blob";
            detail = "the blob is not there: push an image with it again";
        } else if (!blob) {
            if (!store::is_damage(blob.error())) return std::unexpected(blob.error());
            kind = "unreadable";
            detail = blob.error().detail;
        } else if (blob->size != expected.size) {
            kind = "wrong-size";
            detail = "the blob has " + std::to_string(blob->size) + " bytes, not " +
                     std::to_string(expected.size) + ": push an image with it again";
        } else if (options_.digests) {
            const auto digest = digest_of(expected.digest.algorithm(), *blob);
            if (!digest) {
                if (!store::is_damage(digest.error())) return std::unexpected(digest.error());
                kind = "unreadable";
                detail = digest.error().detail;
            } else if (*digest != expected.digest) {
                kind = "wrong-digest";
                detail = "the blob's bytes have the digest " + digest->text() +
                         ": remove the file and push an image with it again";
            }
        }
        if (!kind.empty()) {
            BERTH_TRY(const bool needed, is_still_needed(expected.digest));
            if (!needed) return {};
            BERTH_TRY(const auto owner, owner_of(expected.digest));
            detail.insert(0, owner);
        }
        const std::lock_guard lock(mutex_);
        ++report_.blobs;
        report_.bytes += expected.size;
        if (options_.on_progress) options_.on_progress(report_.blobs, report_.bytes);
        if (!kind.empty()) {
            report_.findings.push_back(
                {std::move(kind), store::blob_path(expected.digest), std::move(detail)});
        }
        return {};
    }

    static Result<Digest> digest_of(oci::Algorithm algorithm, const store::OpenBlob& blob) {
        oci::Hasher hasher(algorithm);
        std::vector<std::byte> buffer(kReadBytes);
        for (std::uint64_t at = 0; at < blob.size;) {
            BERTH_TRY(const auto got, blob.file->read_at(at, buffer));
            if (got == 0) break;
            hasher.update(Bytes(buffer).first(got));
            at += got;
        }
        return hasher.digest();
    }

    // A server may have removed it since it was listed.
    Result<bool> is_still_needed(const Digest& digest) const {
        if (!index_) return true;
        {
            const std::lock_guard lock(mutex_);
            if (needed_.contains(digest)) return true;
        }
        BERTH_TRY(const auto size, index_->find_stored(digest));
        return size.has_value();
    }

    Result<std::string> owner_of(const Digest& digest) const {
        if (!index_) return std::string();
        BERTH_TRY(const auto owners, index_->repositories_with(digest, 1));
        return owners.empty() ? std::string() : owners.front().text() + ": ";
    }

    Result<void> find_orphans() {
        for (const auto algorithm : {oci::Algorithm::sha256, oci::Algorithm::sha512}) {
            const std::string folder =
                "docker/registry/v2/blobs/" + std::string(name_of(algorithm));
            BERTH_TRY(const auto fans, store::list_if_there(directory_, folder));
            for (const auto& fan : fans) {
                BERTH_TRY(const auto entries,
                          store::list_if_there(directory_, store::join(folder, fan.name)));
                for (const auto& entry : entries) {
                    const auto digest =
                        Digest::parse(std::string(name_of(algorithm)) + ":" + entry.name);
                    if (digest) BERTH_CHECK(look_at(*digest));
                }
            }
        }
        // What was pushed meanwhile is known by now.
        std::vector<StoredBlob> orphans;
        for (auto& orphan : report_.orphans) {
            BERTH_TRY(const bool named, is_named(orphan.digest));
            if (!named) orphans.push_back(std::move(orphan));
        }
        report_.orphans = std::move(orphans);
        return {};
    }

    Result<void> look_at(const Digest& digest) {
        BERTH_TRY(const bool named, is_named(digest));
        if (named) return {};
        const auto blob = blobs_.open(digest);
        if (blob) report_.orphans.push_back({digest, blob->size});
        return {};
    }

    Result<bool> is_named(const Digest& digest) const {
        if (needed_.contains(digest)) return true;
        if (!index_) return false;
        BERTH_TRY(const auto size, index_->find_stored(digest));
        return size.has_value();
    }

    const io::Directory& directory_;
    const store::BlobStore& blobs_;
    const store::Index* index_;
    const FsckOptions& options_;
    Parallel parallel_;
    mutable std::mutex mutex_;
    std::unordered_set<Digest> needed_;  // by links
    FsckReport report_;
};

// A link file that holds no digest; what else is damaged may be of use to somebody.
bool is_useless_link(const Finding& finding) {
    return (finding.kind == "empty-link" || finding.kind == "bad-link") &&
           finding.path.starts_with(store::kRepositoriesFolder) &&
           io::last_component(finding.path) == store::kLinkName;
}

}  // namespace

Result<FsckReport> check(const io::Directory& directory, const store::BlobStore& blobs,
                         const store::Index* index, const FsckOptions& options) {
    return Check(directory, blobs, index, options).run();
}

Result<std::vector<std::string>> repair(io::Directory& directory, const FsckReport& report,
                                        Time latest) {
    std::vector<std::string> removed;
    for (const auto* list : {&report.findings, &report.left_out}) {
        for (const Finding& finding : *list) {
            if (!is_useless_link(finding)) continue;
            BERTH_CHECK(directory.remove(finding.path));
            removed.push_back(finding.path);
        }
    }
    for (const auto& upload : report.uploads) {
        if (upload.updated_at > latest) continue;
        BERTH_CHECK(store::remove_tree(directory, upload.path));
        removed.push_back(upload.path);
    }
    if (!removed.empty()) BERTH_CHECK(directory.sync_all());
    return removed;
}

}  // namespace berth::registry
