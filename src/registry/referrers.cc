// Referrers: what refers to a manifest, by `subject` or by the referrers tag.
#include <algorithm>
#include <utility>

#include "registry/state.h"

namespace berth::registry {
namespace {

using oci::Referrer;

// Each may carry megabytes of annotations.
constexpr std::size_t kReferrersAtOnce = 16;
constexpr std::size_t kTagHexMax = 64;

// distribution-spec, "Referrers Tag Schema"
Result<Tag> referrers_tag(const Digest& subject) {
    return Tag::parse(std::string(name_of(subject.algorithm())) + "-" +
                      std::string(subject.hex().substr(0, kTagHexMax)));
}

// The children, in digest order and each once. A manifest that was taken over from other software
// and is no index to us has none.
std::vector<Digest> children_of(const Content& content) {
    std::vector<Digest> digests;
    const auto manifest = oci::parse_manifest(content.media_type, *content.bytes);
    if (!manifest) return digests;
    for (const auto& child : manifest->manifests)
        digests.push_back(child.digest);
    std::ranges::sort(digests);
    const auto twice = std::ranges::unique(digests);
    digests.erase(twice.begin(), twice.end());
    return digests;
}

// The referrers that the index knows, merged with those listed under the referrers tag, in digest
// order.
class ReferrerMerge {
  public:
    ReferrerMerge(const store::IndexReader& index, const RepositoryName& repository,
                  const Digest& subject, const std::string& artifact_type,
                  const std::optional<Digest>& after, std::vector<Digest> tagged)
        : index_(index),
          repository_(repository),
          subject_(subject),
          artifact_type_(artifact_type),
          last_(after ? after->text() : std::string()),
          tagged_(std::move(tagged)),
          next_tagged_(std::ranges::upper_bound(tagged_, last_, {}, &Digest::text)) {}

    // Nullopt: that was all.
    Result<std::optional<Referrer>> next() {
        for (;;) {
            BERTH_CHECK(fetch());
            const bool is_known = at_ < known_.size();
            if (next_tagged_ != tagged_.end() &&
                (!is_known || *next_tagged_ < known_[at_].digest)) {
                BERTH_TRY(auto tagged, find_tagged(*next_tagged_++));
                if (tagged) return tagged;
                continue;
            }
            if (!is_known) return std::nullopt;
            auto& known = known_[at_++];
            if (next_tagged_ != tagged_.end() && *next_tagged_ == known.digest) ++next_tagged_;
            return std::move(known);
        }
    }

  private:
    Result<void> fetch() {
        if (at_ < known_.size() || exhausted_) return {};
        BERTH_TRY(known_,
                  index_.referrers(repository_, subject_, artifact_type_, last_, kReferrersAtOnce));
        at_ = 0;
        exhausted_ = known_.size() < kReferrersAtOnce;
        if (!known_.empty()) last_ = known_.back().digest.text();
        return {};
    }

    // What has left the repository refers to nothing any more, though the tag's list still has it.
    Result<std::optional<Referrer>> find_tagged(const Digest& digest) const {
        BERTH_TRY(auto record, index_.find_manifest(repository_, digest));
        if (!record || (!artifact_type_.empty() && record->artifact_type != artifact_type_))
            return std::nullopt;
        return Referrer{std::move(record->media_type), digest, record->size,
                        std::move(record->artifact_type), std::move(record->annotations)};
    }

    const store::IndexReader& index_;
    const RepositoryName& repository_;
    const Digest& subject_;
    const std::string& artifact_type_;
    std::string last_;  // of the known ones
    const std::vector<Digest> tagged_;
    std::vector<Digest>::const_iterator next_tagged_;
    std::vector<Referrer> known_;
    std::size_t at_ = 0;
    bool exhausted_ = false;
};

}  // namespace

Result<ReferrersPage> Registry::referrers(const RepositoryName& repository, const Digest& subject,
                                          const std::string& artifact_type,
                                          const std::optional<Digest>& after,
                                          std::size_t bytes_max) const {
    BERTH_TRY(const auto tag, referrers_tag(subject));
    const auto content = state_->manifest(repository, tag);
    if (!content && content.error().code != Errc::not_found)
        return std::unexpected(content.error());
    ReferrerMerge merge(state_->index, repository, subject, artifact_type, after,
                        content ? children_of(**content) : std::vector<Digest>());

    ReferrersPage page;
    const std::size_t frame_bytes = oci::format_referrers({}).size();
    std::size_t bytes = frame_bytes;
    for (;;) {
        BERTH_TRY(auto referrer, merge.next());
        if (!referrer) return page;
        // With the comma before it. One always fits, or the listing would not get on.
        bytes += oci::format_referrers({*referrer}).size() - frame_bytes + 1;
        if (!page.referrers.empty() && bytes > bytes_max) {
            page.next = page.referrers.back().digest;
            return page;
        }
        page.referrers.push_back(std::move(*referrer));
    }
}

}  // namespace berth::registry
