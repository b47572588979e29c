// Writing link files: what is missing is added, what is too much goes.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "io/path.h"
#include "store/links/links.h"
#include "store/links/paths.h"

namespace berth::store {
namespace {

using oci::Digest;
using oci::RepositoryName;

constexpr std::size_t kLinkBytesMax = 160;
constexpr std::string_view kTemporarySuffix = ".tmp";

// What must be done to one repository's folders.
class Changes {
  public:
    Changes(io::Directory& directory, const RepositoryName& repository)
        : directory_(directory), repository_(repository) {}

    // The folder is to have links for exactly these digests.
    Result<void> plan_digests(const std::string& folder, const std::vector<Digest>& digests) {
        std::set<std::string> wanted;  // paths of their folders
        for (const Digest& digest : digests) {
            const std::string link = digest_link(folder, digest);
            wanted.emplace(io::folder_of(link));
            BERTH_CHECK(plan_link(link, digest));
        }
        BERTH_TRY(const auto algorithms, list_if_there(directory_, folder));
        for (const auto& algorithm : algorithms) {
            const std::string path = join(folder, algorithm.name);
            BERTH_TRY(const auto entries, list_if_there(directory_, path));
            for (const auto& entry : entries) {
                if (!wanted.contains(join(path, entry.name)))
                    removed_.push_back(join(path, entry.name));
            }
        }
        return {};
    }

    Result<void> plan_tags(const std::vector<LinkedTag>& tags) {
        const std::string folder = tags_folder(repository_);
        std::set<std::string> wanted;  // names
        for (const LinkedTag& tag : tags) {
            wanted.insert(tag.tag.text());
            BERTH_CHECK(plan_link(current_link(repository_, tag.tag.text()), tag.digest));
            BERTH_CHECK(plan_link(digest_link(folder + "/" + tag.tag.text() + "/index", tag.digest),
                                  tag.digest));
        }
        BERTH_TRY(const auto entries, list_if_there(directory_, folder));
        for (const auto& entry : entries) {
            if (!wanted.contains(entry.name)) removed_.push_back(join(folder, entry.name));
        }
        return {};
    }

    // The bytes of all new links are on the disk before the first gets its name, so that none is
    // ever seen empty; and all names are before this returns.
    Result<void> make() {
        if (written_.empty() && removed_.empty()) return {};
        for (const auto& [path, digest] : written_)
            BERTH_CHECK(write_temporary(path + std::string(kTemporarySuffix), digest.text()));
        if (!written_.empty()) BERTH_CHECK(directory_.sync_all());
        for (const auto& [path, digest] : written_)
            BERTH_CHECK(directory_.rename(path + std::string(kTemporarySuffix), path));
        for (const auto& path : removed_) {
            BERTH_CHECK(remove_tree(directory_, path));
            remove_empty_above(path);
        }
        return directory_.sync_all();
    }

  private:
    Result<void> plan_link(std::string path, const Digest& digest) {
        const auto content = io::read_file(directory_, path, kLinkBytesMax);
        if (content && *content == digest.text()) return {};
        written_.emplace_back(std::move(path), digest);
        return {};
    }

    Result<void> write_temporary(const std::string& path, std::string_view content) {
        BERTH_CHECK(directory_.make_directories(io::folder_of(path)));
        auto file = directory_.create(path);
        if (!file && file.error().code == Errc::already_exists) {
            BERTH_CHECK(directory_.remove(path));  // a crash left it
            file = directory_.create(path);
        }
        if (!file) return std::unexpected(std::move(file.error()));
        return (*file)->write_at(0, as_bytes(content));
    }

    // The folders above, up to the tree's, as far as nothing else is in them.
    void remove_empty_above(std::string_view path) {
        for (auto folder = io::folder_of(path); folder != kRepositoriesFolder;
             folder = io::folder_of(folder)) {
            if (!directory_.remove(folder)) return;
        }
    }

    io::Directory& directory_;
    const RepositoryName& repository_;
    std::vector<std::pair<std::string, Digest>> written_;
    std::vector<std::string> removed_;
};

}  // namespace

Result<void> remove_tree(io::Directory& directory, std::string_view path) {
    // What is no folder, or an empty one, goes as it is.
    auto removed = directory.remove(path);
    if (removed || removed.error().code == Errc::not_found) return {};
    BERTH_TRY(const auto entries, directory.list(path));
    for (const auto& entry : entries)
        BERTH_CHECK(remove_tree(directory, join(path, entry.name)));
    return directory.remove(path);
}

Result<void> write_links(io::Directory& directory, const RepositoryName& repository,
                         const Links& links) {
    Changes changes(directory, repository);
    BERTH_CHECK(changes.plan_digests(layers_folder(repository), links.blobs));
    BERTH_CHECK(changes.plan_digests(revisions_folder(repository), links.manifests));
    BERTH_CHECK(changes.plan_tags(links.tags));
    return changes.make();
}

}  // namespace berth::store
