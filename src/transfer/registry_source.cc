#include "transfer/registry_source.h"

#include <mutex>
#include <set>

#include "oci/manifest.h"
#include "store/blob/paths.h"
#include "store/index/index.h"
#include "store/links/links.h"
#include "transfer/files.h"
#include "transfer/listing.h"

namespace berth::transfer {
namespace {

class RegistryRoot final : public Source {
  public:
    RegistryRoot(std::unique_ptr<io::Directory> root, std::unique_ptr<store::Index> index,
                 Report report)
        : root_(std::move(root)), index_(std::move(index)), report_(std::move(report)) {}

    Result<std::vector<RepositoryName>> repositories() override {
        std::set<RepositoryName> names;
        if (index_) {
            BERTH_TRY(auto indexed, all_repositories(*index_));
            names.insert(indexed.begin(), indexed.end());
        }
        BERTH_TRY(const bool all_indexed, is_all_indexed());
        if (!all_indexed) {
            std::vector<store::Finding> findings;
            BERTH_TRY(const auto linked, linked_repositories(findings));
            names.insert(linked.begin(), linked.end());
            tell(findings);
        }
        return std::vector<RepositoryName>(names.begin(), names.end());
    }

    Result<SourceRepository> list(const RepositoryName& repository) override {
        SourceRepository listed;
        BERTH_TRY(const bool indexed, is_indexed(repository));
        if (indexed) {
            BERTH_TRY(auto tags, all_tags(*index_, repository));
            for (auto& record : tags)
                listed.tags.push_back({std::move(record.tag), std::move(record.digest)});
            BERTH_TRY(listed.manifests, all_manifests(*index_, repository));
            return listed;
        }
        std::vector<store::Finding> findings;
        BERTH_TRY(auto links, store::read_links(*root_, repository, findings));
        tell(findings);
        for (auto& link : links.tags)
            listed.tags.push_back({std::move(link.tag), std::move(link.digest)});
        listed.manifests = std::move(links.manifests);
        return listed;
    }

    Result<SourceManifest> manifest(const RepositoryName&, const Digest& digest) override {
        BERTH_TRY(auto bytes,
                  io::read_file(*root_, store::blob_path(digest), oci::kManifestBytesMax));
        return SourceManifest{{}, std::move(bytes)};
    }

    Result<void> read_blob(const RepositoryName&, const Digest& digest, const Sink& sink) override {
        BERTH_TRY(std::shared_ptr<io::File> file, root_->open(store::blob_path(digest)));
        BERTH_TRY(const auto size, file->size());
        return Slice{std::move(file), 0, size}.read(sink);
    }

    Result<std::shared_ptr<io::File>> blob_file(const Digest& digest) override {
        BERTH_TRY(std::shared_ptr<io::File> file, root_->open(store::blob_path(digest)));
        return file;
    }

  private:
    Result<bool> is_all_indexed() const { return index_ ? index_->adopted_all() : false; }
    Result<bool> is_indexed(const RepositoryName& repository) const {
        BERTH_TRY(const bool all, is_all_indexed());
        if (all) return true;
        return index_ ? index_->adopted(repository) : false;
    }

    // Those that the index does not speak for.
    Result<std::vector<RepositoryName>> linked_repositories(
        std::vector<store::Finding>& findings) const {
        std::vector<RepositoryName> all, names;
        BERTH_CHECK(store::list_repositories(
            *root_, [&all](RepositoryName name) { all.push_back(std::move(name)); }, findings));
        for (auto& name : all) {
            BERTH_TRY(const bool indexed, is_indexed(name));
            if (!indexed) names.push_back(std::move(name));
        }
        return names;
    }

    void tell(const std::vector<store::Finding>& findings) {
        std::lock_guard lock(report_mutex_);
        for (const auto& finding : findings)
            report_(finding.path + ": " + finding.detail);
    }

    std::unique_ptr<io::Directory> root_;
    std::unique_ptr<store::Index> index_;
    std::mutex report_mutex_;
    Report report_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_registry_root(std::unique_ptr<io::Directory> root,
                                                   std::unique_ptr<store::Index> index,
                                                   Source::Report report) {
    return std::make_unique<RegistryRoot>(std::move(root), std::move(index), std::move(report));
}

}  // namespace berth::transfer
