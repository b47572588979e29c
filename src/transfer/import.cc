#include "transfer/import.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include "base/parallel.h"
#include "oci/hasher.h"
#include "oci/manifest.h"
#include "transfer/import_plan.h"

namespace berth::transfer {
namespace {

// Manifests that are looked at before the first of them is brought in: their bytes are in memory.
constexpr std::size_t kRootsAtOnce = 256;

// Is it of no use to try anything else after this?
bool ends_all(Errc code) {
    return code == Errc::no_space || code == Errc::unavailable || code == Errc::unauthenticated;
}

// Lets one thread at a time bring in a blob; others wait, and then find it there.
class Turns {
  public:
    class Turn {
      public:
        Turn(Turns& turns, const Digest& digest) : turns_(turns), digest_(digest) {
            std::unique_lock lock(turns_.mutex_);
            turns_.ended_.wait(lock, [this] { return turns_.busy_.insert(digest_).second; });
        }
        ~Turn() {
            {
                std::lock_guard lock(turns_.mutex_);
                turns_.busy_.erase(digest_);
            }
            turns_.ended_.notify_all();
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

      private:
        Turns& turns_;
        const Digest digest_;
    };

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::set<Digest> busy_;
};

class Import {
  public:
    Import(Source& source, const Destination& to, const ImportOptions& options)
        : source_(source), to_(to), options_(options), parallel_(options.threads) {}

    Result<ImportTotals> run() {
        BERTH_CHECK(check_needs());
        BERTH_TRY(const auto all, source_.repositories());
        std::vector<RepositoryName> chosen;
        for (const auto& name : all) {
            if (options_.selection.has(name)) chosen.push_back(name);
        }
        for (const auto& image : options_.selection.named()) {
            if (std::ranges::find(chosen, image.repository) == chosen.end()) {
                return fail(Errc::not_found,
                            "the source has no repository " + image.repository.text());
            }
        }
        count([&](auto& totals) { totals.repositories_total = chosen.size(); });
        BERTH_CHECK(parallel_.each(chosen.size(), [&](std::size_t i) { return bring(chosen[i]); }));
        return totals_;
    }

  private:
    // Before anything is written: an image without its layers would help nobody.
    Result<void> check_needs() {
        std::string missing;
        for (const auto& digest : source_.needs()) {
            BERTH_TRY(const auto holders, to_.index.repositories_with(digest, 1));
            if (holders.empty() || !is_whole(digest)) missing += "\n  " + digest.text();
        }
        if (missing.empty()) return {};
        return fail(Errc::not_found,
                    "the bundle leaves out blobs that this registry does not have either: import "
                    "the bundles before it first, or make one without --since" +
                        missing);
    }

    // The blob's file is there, as long as the index says.
    bool is_whole(const Digest& digest) const {
        const auto size = to_.index.find_stored(digest);
        const auto blob = to_.blobs.open(digest);
        return size && *size && blob && blob->size == **size;
    }

    Result<void> bring(const RepositoryName& repository) {
        auto done = bring_repository(repository);
        if (!done && ends_all(done.error().code)) return done;
        if (!done) problem(repository.text(), done.error());
        count([](auto& totals) { ++totals.repositories; });
        return {};
    }

    Result<void> bring_repository(const RepositoryName& repository) {
        BERTH_TRY(auto listed, source_.list(repository));
        BERTH_TRY(const auto tags, resolve(repository, std::move(listed.tags)));
        std::set<Digest> wanted;
        for (const auto& tag : tags)
            wanted.insert(*tag.digest);
        if (options_.selection.has_all_of(repository)) {
            wanted.insert(listed.manifests.begin(), listed.manifests.end());
        }
        const std::vector<Digest> roots(wanted.begin(), wanted.end());
        for (std::size_t at = 0; at < roots.size(); at += kRootsAtOnce) {
            const auto end = std::min(at + kRootsAtOnce, roots.size());
            BERTH_CHECK(bring_manifests(repository, {roots.begin() + std::ptrdiff_t(at),
                                                     roots.begin() + std::ptrdiff_t(end)}));
        }
        return parallel_.each(tags.size(),
                              [&](std::size_t i) { return set_tag(repository, tags[i]); });
    }

    // The chosen tags, each with its digest.
    Result<std::vector<SourceTag>> resolve(const RepositoryName& repository,
                                           std::vector<SourceTag> tags) {
        std::erase_if(
            tags, [&](const auto& tag) { return !options_.selection.has(repository, tag.tag); });
        for (const auto& image : options_.selection.named()) {
            const bool found =
                !image.tag || image.repository != repository ||
                std::ranges::any_of(tags, [&](const auto& tag) { return tag.tag == *image.tag; });
            if (!found) return fail(Errc::not_found, "there is no tag " + image.tag->text());
        }
        BERTH_CHECK(parallel_.each(tags.size(), [&](std::size_t i) -> Result<void> {
            if (tags[i].digest) return {};
            auto digest = source_.resolve(repository, tags[i].tag);
            if (digest) {
                tags[i].digest = std::move(*digest);
                return {};
            }
            return failed(repository, ":" + tags[i].tag.text(), digest.error());
        }));
        std::erase_if(tags, [](const auto& tag) { return !tag.digest; });
        return tags;
    }

    Result<void> bring_manifests(const RepositoryName& repository, std::vector<Digest> roots) {
        ImportPlan plan;
        for (std::vector<Digest> front = std::move(roots); !front.empty();) {
            std::vector<std::optional<PlannedManifest>> found(front.size());
            BERTH_CHECK(parallel_.each(front.size(), [&](std::size_t i) -> Result<void> {
                auto manifest = look_at(repository, front[i]);
                if (manifest) {
                    found[i] = std::move(*manifest);
                    return {};
                }
                return failed(repository, "@" + front[i].text(), manifest.error());
            }));
            for (std::size_t i = 0; i < front.size(); ++i)
                plan.add(front[i], std::move(found[i]));
            front = plan.take_unknown();
        }
        const auto blobs = plan.blobs();
        BERTH_CHECK(parallel_.each(
            blobs.size(), [&](std::size_t i) { return bring_blob(repository, blobs[i]); }));
        for (const auto& level : plan.levels()) {
            BERTH_CHECK(parallel_.each(
                level.size(), [&](std::size_t i) { return put_manifest(repository, *level[i]); }));
        }
        return {};
    }

    // From the registry itself where it has it: then it is only to be seen that it is whole.
    Result<PlannedManifest> look_at(const RepositoryName& repository, const Digest& digest) {
        PlannedManifest planned{.digest = digest};
        if (const auto mine = to_.registry.manifest(repository, digest)) {
            planned.is_present = true;
            planned.media_type = (*mine)->media_type;
            planned.bytes = *(*mine)->bytes;
        } else {
            BERTH_TRY(auto manifest, source_.manifest(repository, digest));
            const auto actual = oci::digest_of(digest.algorithm(), as_bytes(manifest.bytes));
            if (actual != digest)
                return fail(Errc::corrupt, "the source's bytes have the digest " + actual.text());
            planned.media_type = std::move(manifest.media_type);
            planned.bytes = std::move(manifest.bytes);
        }
        BERTH_TRY(planned.manifest, oci::parse_manifest(planned.media_type, planned.bytes));
        BERTH_TRY(planned.referrers, source_.referrers(repository, digest));
        return planned;
    }

    // What fails here is told by the manifests that need it.
    Result<void> bring_blob(const RepositoryName& repository, const PlannedBlob& blob) {
        const Turns::Turn turn(turns_, blob.digest);
        BERTH_TRY(const auto linked, to_.index.find_blob(repository, blob.digest));
        const bool whole = is_whole(blob.digest);
        if (linked && whole) {
            count([](auto& totals) { ++totals.blobs_present; });
            return {};
        }
        if (whole) {
            const auto anywhere = [](const RepositoryName&) { return true; };
            BERTH_TRY(const bool mounted,
                      to_.registry.mount_blob(repository, blob.digest, std::nullopt, anywhere,
                                              options_.actor));
            if (mounted) {
                count([](auto& totals) { ++totals.blobs_present; });
                return {};
            }
        }
        auto copied = copy_blob(repository, blob.digest);
        if (copied || ends_all(copied.error().code)) return copied;
        // A foreign layer lives elsewhere.
        if (!blob.is_foreign) problem(repository.text() + "@" + blob.digest.text(), copied.error());
        return {};
    }

    Result<void> copy_blob(const RepositoryName& repository, const Digest& digest) {
        const auto file = source_.blob_file(digest);
        std::uint64_t size = 0;
        if (file && *file) {
            BERTH_CHECK(to_.registry.put_blob(repository, digest, **file, options_.actor));
            BERTH_TRY(size, (*file)->size());
            count([](auto& totals) { ++totals.blobs_shared; });
        } else {
            BERTH_TRY(const auto info, to_.registry.begin_upload(repository, digest.algorithm()));
            BERTH_TRY(auto upload, to_.registry.open_upload(repository, info.id));
            const auto append = [&](Bytes bytes) -> Result<void> {
                size += bytes.size();
                return upload->append(bytes);
            };
            auto read = source_.read_blob(repository, digest, append);
            if (!read) {
                static_cast<void>(upload->abort());
                return read;
            }
            BERTH_CHECK(to_.registry.commit_upload(std::move(upload), digest, options_.actor));
        }
        count([&](auto& totals) {
            ++totals.blobs;
            totals.bytes += size;
        });
        return {};
    }

    Result<void> put_manifest(const RepositoryName& repository, const PlannedManifest& planned) {
        if (planned.is_present) {
            count([](auto& totals) { ++totals.manifests_present; });
            return {};
        }
        const auto pushed = to_.registry.put_manifest({.repository = repository,
                                                       .reference = planned.digest,
                                                       .tags = {},
                                                       .content_type = planned.media_type,
                                                       .bytes = as_bytes(planned.bytes),
                                                       .actor = options_.actor});
        if (!pushed) return failed(repository, "@" + planned.digest.text(), pushed.error());
        count([](auto& totals) { ++totals.manifests; });
        return {};
    }

    Result<void> set_tag(const RepositoryName& repository, const SourceTag& tag) {
        BERTH_TRY(const auto mine, to_.index.find_tag(repository, tag.tag));
        if (mine && mine->digest == *tag.digest) {
            count([](auto& totals) { ++totals.tags_present; });
            return {};
        }
        if (mine && options_.keep_tags) {
            count([](auto& totals) { ++totals.tags_kept; });
            return {};
        }
        const auto manifest = to_.registry.manifest(repository, *tag.digest);
        if (!manifest) return failed(repository, ":" + tag.tag.text(), manifest.error());
        const auto set = to_.registry.put_manifest({.repository = repository,
                                                    .reference = *tag.digest,
                                                    .tags = {tag.tag},
                                                    .content_type = (*manifest)->media_type,
                                                    .bytes = as_bytes(*(*manifest)->bytes),
                                                    .actor = options_.actor});
        if (!set) return failed(repository, ":" + tag.tag.text(), set.error());
        count([](auto& totals) { ++totals.tags; });
        return {};
    }

    // The error itself when nothing can go on.
    Result<void> failed(const RepositoryName& repository, const std::string& what,
                        const Error& error) {
        if (ends_all(error.code)) return std::unexpected(error);
        problem(repository.text() + what, error);
        return {};
    }

    void problem(const std::string& what, const Error& error) {
        count([](auto& totals) { ++totals.failed; });
        std::lock_guard lock(report_mutex_);
        options_.on_problem(what + ": " + error.detail);
    }

    template <class Change>
    void count(Change change) {
        std::lock_guard lock(report_mutex_);
        change(totals_);
        options_.on_progress(totals_);
    }

    Source& source_;
    const Destination to_;
    const ImportOptions& options_;
    Parallel parallel_;
    Turns turns_;
    std::mutex report_mutex_;
    ImportTotals totals_;
};

}  // namespace

Result<ImportTotals> import_images(Source& source, const Destination& to,
                                   const ImportOptions& options) {
    return Import(source, to, options).run();
}

}  // namespace berth::transfer
