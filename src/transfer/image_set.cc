#include "transfer/image_set.h"

#include <algorithm>
#include <set>

#include "oci/manifest.h"
#include "transfer/listing.h"

namespace berth::transfer {
namespace {

constexpr std::size_t kReferrersAtOnce = 1000;

class Chooser {
  public:
    Chooser(registry::Registry& registry, const store::IndexReader& index,
            const Selection& selection)
        : registry_(registry), index_(index), selection_(selection) {}

    Result<ImageSet> run() {
        BERTH_TRY(const auto names, all_repositories(index_));
        for (const auto& name : names) {
            if (selection_.has(name)) BERTH_CHECK(choose_from(name));
        }
        BERTH_CHECK(expect_named());
        return std::move(set_);
    }

  private:
    Result<void> choose_from(const RepositoryName& name) {
        ChosenRepository chosen;
        BERTH_TRY(chosen.tags, all_tags(index_, name));
        std::erase_if(chosen.tags,
                      [&](const auto& record) { return !selection_.has(name, record.tag); });
        std::vector<Digest> unread;
        for (const auto& record : chosen.tags)
            unread.push_back(record.digest);
        if (selection_.has_all_of(name)) {
            BERTH_TRY(unread, all_manifests(index_, name));
        }
        std::set<Digest> seen;
        while (!unread.empty()) {
            const Digest digest = std::move(unread.back());
            unread.pop_back();
            if (!seen.insert(digest).second) continue;
            BERTH_CHECK(add_manifest(name, digest, unread));
        }
        chosen.manifests.assign(seen.begin(), seen.end());
        set_.repositories.emplace(name, std::move(chosen));
        return {};
    }

    // Adds to `more` what comes with it.
    Result<void> add_manifest(const RepositoryName& name, const Digest& digest,
                              std::vector<Digest>& more) {
        auto content = registry_.manifest(name, digest);
        if (!content) {
            return std::unexpected(std::move(content.error()).with_context(name.text()));
        }
        BERTH_TRY(const auto manifest,
                  oci::parse_manifest((*content)->media_type, *(*content)->bytes));
        auto& chosen = set_.manifests[digest];
        chosen.media_type = (*content)->media_type;
        chosen.size = (*content)->size;
        if (manifest.config) BERTH_CHECK(add_blob(name, manifest.config->digest));
        for (const auto& layer : manifest.layers)
            BERTH_CHECK(add_blob(name, layer.digest));
        for (const auto& child : manifest.manifests) {
            BERTH_TRY(const auto found, index_.find_manifest(name, child.digest));
            if (found) {
                set_.manifests[child.digest].is_child = true;
                more.push_back(child.digest);
            } else {
                BERTH_CHECK(add_blob(name, child.digest));
            }
        }
        return add_referrers(name, digest, more);
    }

    Result<void> add_referrers(const RepositoryName& name, const Digest& subject,
                               std::vector<Digest>& more) {
        for (std::string last;;) {
            BERTH_TRY(const auto page, index_.referrers(name, subject, "", last, kReferrersAtOnce));
            for (const auto& referrer : page)
                more.push_back(referrer.digest);
            if (page.size() < kReferrersAtOnce) return {};
            last = page.back().digest.text();
        }
    }

    // What is not here lives elsewhere, or nobody missed it when the manifest was pushed.
    Result<void> add_blob(const RepositoryName& name, const Digest& digest) {
        BERTH_TRY(const auto size, index_.find_blob(name, digest));
        if (size) set_.blobs.emplace(digest, *size);
        return {};
    }

    Result<void> expect_named() const {
        for (const auto& image : selection_.named()) {
            const auto found = set_.repositories.find(image.repository);
            if (found == set_.repositories.end()) {
                return fail(Errc::not_found, "there is no repository " + image.repository.text());
            }
            const auto& tags = found->second.tags;
            const bool has_tag = !image.tag || std::ranges::any_of(tags, [&](const auto& record) {
                return record.tag == *image.tag;
            });
            if (!has_tag) {
                return fail(Errc::not_found, "there is no image " + image.repository.text() + ":" +
                                                 image.tag->text());
            }
        }
        return {};
    }

    registry::Registry& registry_;
    const store::IndexReader& index_;
    const Selection& selection_;
    ImageSet set_;
};

}  // namespace

Result<ImageSet> choose_images(registry::Registry& registry, const store::IndexReader& index,
                               const Selection& selection) {
    return Chooser(registry, index, selection).run();
}

}  // namespace berth::transfer
