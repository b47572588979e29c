#include "store/links/links.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "store/links/paths.h"

namespace berth::store {
namespace {

using oci::Digest;
using oci::RepositoryName;
using oci::Tag;

// More than the longest digest has.
constexpr std::size_t kLinkBytesMax = 160;

struct Link {
    Digest digest;
    Time modified_at;
};

// Reads one repository's folders. What is damaged becomes a finding.
class LinkReader {
  public:
    LinkReader(const io::Directory& directory, std::vector<Finding>& findings)
        : directory_(directory), findings_(findings) {}

    // The digests of <folder>/<algorithm>/<hex>/link. `lost` ends the sentence of a finding.
    Result<std::vector<Digest>> digests(const std::string& folder, const std::string& lost) {
        std::vector<Digest> digests;
        BERTH_TRY(const auto algorithms, list_if_there(directory_, folder));
        for (const auto& algorithm : algorithms) {
            const std::string path = join(folder, algorithm.name);
            BERTH_TRY(const auto entries, list_if_there(directory_, path));
            for (const auto& entry : entries) {
                const std::string link = path + "/" + entry.name;
                const auto digest = Digest::parse(algorithm.name + ":" + entry.name);
                if (!digest) {
                    report("bad-name", link, digest.error().detail + "; " + lost);
                    continue;
                }
                BERTH_TRY(const bool good, agrees(join(link, kLinkName), *digest, lost));
                if (good) digests.push_back(*digest);
            }
        }
        std::ranges::sort(digests);
        return digests;
    }

    Result<std::vector<LinkedTag>> tags(const RepositoryName& repository) {
        std::vector<LinkedTag> tags;
        const std::string folder = tags_folder(repository);
        BERTH_TRY(const auto entries, list_if_there(directory_, folder));
        for (const auto& entry : entries) {
            const std::string lost = "the tag is left out until it is pushed again";
            auto tag = Tag::parse(entry.name);
            if (!tag) {
                report("bad-name", join(folder, entry.name), tag.error().detail + "; " + lost);
                continue;
            }
            const std::string path = current_link(repository, entry.name);
            BERTH_TRY(const auto link, read(path, lost));
            if (link) tags.push_back({std::move(*tag), link->digest, link->modified_at});
        }
        std::ranges::sort(tags, {}, &LinkedTag::tag);
        return tags;
    }

  private:
    void report(std::string_view kind, std::string path, std::string detail) {
        findings_.push_back({std::string(kind), std::move(path), std::move(detail)});
    }

    // Nullopt: there is none, or it is damaged.
    Result<std::optional<Link>> read(const std::string& path, const std::string& lost) {
        auto file = directory_.open(path);
        std::array<std::byte, kLinkBytesMax> buffer{};
        const auto got =
            file ? (*file)->read_at(0, buffer) : Result<std::size_t>(std::unexpected(file.error()));
        if (!got) {
            // registry:2 leaves the folder when it deletes what the link in it named.
            if (got.error().code == Errc::not_found) return std::nullopt;
            if (!is_damage(got.error())) return std::unexpected(got.error());
            report("unreadable", path, got.error().detail + "; " + lost);
            return std::nullopt;
        }
        if (*got == 0) {
            report("empty-link", path, "the link is empty, as a crash leaves it; " + lost);
            return std::nullopt;
        }
        auto digest = Digest::parse(as_text(Bytes(buffer).first(*got)));
        if (!digest) {
            report("bad-link", path, "the link holds no digest; " + lost);
            return std::nullopt;
        }
        BERTH_TRY(const Time modified_at, (*file)->modified_at());
        return Link{std::move(*digest), modified_at};
    }

    // Does the link hold the digest that its folder is called by?
    Result<bool> agrees(const std::string& path, const Digest& digest, const std::string& lost) {
        BERTH_TRY(const auto link, read(path, lost));
        if (!link) return false;
        if (link->digest == digest) return true;
        report("bad-link", path, "the link is for " + link->digest.text() + "; " + lost);
        return false;
    }

    const io::Directory& directory_;
    std::vector<Finding>& findings_;
};

}  // namespace

Result<std::vector<io::Entry>> list_if_there(const io::Directory& directory,
                                             std::string_view path) {
    auto entries = directory.list(path);
    if (!entries && entries.error().code == Errc::not_found) return std::vector<io::Entry>();
    return entries;
}

bool is_damage(const Error& error) {
    switch (error.os_errno) {
        case EIO:
        case EISDIR:
        case ELOOP:   // a symbolic link
        case EINVAL:  // a FIFO
        case ENXIO:   // a socket
            return true;
        default:
            return false;
    }
}

namespace {

using Entries = std::vector<io::Entry>;

// Calls `visit` for each folder that can be a repository, with what is in it.
Result<void> walk(const io::Directory& directory, std::vector<Finding>& findings,
                  const std::function<Result<void>(RepositoryName, const Entries&)>& visit) {
    std::vector<std::string> folders;  // to look into; the empty name is the top
    folders.emplace_back();
    while (!folders.empty()) {
        const std::string name = std::move(folders.back());
        folders.pop_back();
        const std::string path =
            name.empty() ? std::string(kRepositoriesFolder) : join(kRepositoriesFolder, name);
        BERTH_TRY(const auto entries, list_if_there(directory, path));
        auto repository = RepositoryName::parse(name);
        if (!name.empty() && !repository) {
            if (!entries.empty())
                findings.push_back({"bad-name", path, repository.error().detail + "; left out"});
            continue;  // what is below has no name either
        }
        for (const auto& entry : entries) {
            if (!entry.is_directory || entry.name.starts_with('_')) continue;
            if (entry.is_link) {
                findings.push_back({"unreadable", join(path, entry.name),
                                    "a symbolic link is not followed: mount the folder here; "
                                    "what is in it is left out"});
                continue;
            }
            folders.push_back(name.empty() ? entry.name : join(name, entry.name));
        }
        if (repository) BERTH_CHECK(visit(std::move(*repository), entries));
    }
    return {};
}

// The time of the newest file in the folder and those in it, and the size of the one that has the
// bytes.
Result<LinkedUpload> read_upload(const io::Directory& directory, std::string path) {
    LinkedUpload upload{std::move(path), 0, Time()};
    BERTH_TRY(const auto entries, list_if_there(directory, upload.path));
    for (const auto& entry : entries) {
        const auto file = directory.open(join(upload.path, entry.name));
        if (!file) continue;  // a folder, or gone meanwhile
        BERTH_TRY(const Time modified_at, (*file)->modified_at());
        upload.updated_at = std::max(upload.updated_at, modified_at);
        if (entry.name != "data") continue;
        BERTH_TRY(upload.size, (*file)->size());
    }
    return upload;
}

}  // namespace

Result<void> list_repositories(const io::Directory& directory,
                               const std::function<void(RepositoryName)>& found,
                               std::vector<Finding>& findings) {
    const auto is_link_folder = [](const io::Entry& entry) {
        return entry.name == kLayersFolder || entry.name == kManifestsFolder;
    };
    return walk(directory, findings, [&](RepositoryName name, const Entries& entries) {
        if (std::ranges::any_of(entries, is_link_folder)) found(std::move(name));
        return Result<void>();
    });
}

Result<std::vector<LinkedUpload>> list_uploads(const io::Directory& directory) {
    std::vector<LinkedUpload> uploads;
    std::vector<Finding> ignored;
    const auto visit = [&](const RepositoryName& name, const Entries&) -> Result<void> {
        const std::string folder = uploads_folder(name);
        BERTH_TRY(const auto entries, list_if_there(directory, folder));
        for (const auto& entry : entries) {
            BERTH_TRY(auto upload, read_upload(directory, join(folder, entry.name)));
            uploads.push_back(std::move(upload));
        }
        return {};
    };
    BERTH_CHECK(walk(directory, ignored, visit));
    return uploads;
}

Result<Links> read_links(const io::Directory& directory, const RepositoryName& repository,
                         std::vector<Finding>& findings) {
    LinkReader reader(directory, findings);
    Links links;
    BERTH_TRY(links.blobs, reader.digests(layers_folder(repository),
                                          "the blob is left out until it is pushed again"));
    BERTH_TRY(links.manifests, reader.digests(revisions_folder(repository),
                                              "the manifest is left out until it is pushed again"));
    BERTH_TRY(links.tags, reader.tags(repository));
    return links;
}

}  // namespace berth::store
