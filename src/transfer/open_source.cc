#include "transfer/open_source.h"

#include <unistd.h>

#include <algorithm>

#include "io/directory.h"
#include "io/path.h"
#include "store/index/sqlite_index.h"
#include "transfer/bundle.h"
#include "transfer/files_source.h"
#include "transfer/layout_format.h"
#include "transfer/registry_source.h"
#include "transfer/remote_source.h"

namespace berth::transfer {
namespace {

constexpr const char* kRegistryFolder = "docker/registry/v2";
constexpr const char* kDockerManifestFile = "manifest.json";

using SourcePtr = std::unique_ptr<Source>;

// A registry's root that nobody serves from while it is read.
class LockedRoot final : public Source {
  public:
    LockedRoot(io::DirectoryLock lock, SourcePtr inner)
        : lock_(std::move(lock)), inner_(std::move(inner)) {}

    Result<std::vector<RepositoryName>> repositories() override { return inner_->repositories(); }
    Result<SourceRepository> list(const RepositoryName& repository) override {
        return inner_->list(repository);
    }
    Result<SourceManifest> manifest(const RepositoryName& repository,
                                    const Digest& digest) override {
        return inner_->manifest(repository, digest);
    }
    Result<void> read_blob(const RepositoryName& repository, const Digest& digest,
                           const Sink& sink) override {
        return inner_->read_blob(repository, digest, sink);
    }
    Result<std::shared_ptr<io::File>> blob_file(const Digest& digest) override {
        return inner_->blob_file(digest);
    }

  private:
    io::DirectoryLock lock_;
    SourcePtr inner_;
};

Result<SourcePtr> open_root(const std::string& path, const SourceOptions& options,
                            const Clock& clock) {
    BERTH_TRY(auto root, io::open_existing_directory(path));
    if (!root->list(kRegistryFolder)) {
        return fail(Errc::not_found, "there is no registry in " + path + ": it has no " +
                                         std::string(kRegistryFolder));
    }
    if (!root->open(options.index_path))
        return open_registry_root(std::move(root), nullptr, options.report);
    BERTH_TRY(auto lock, io::DirectoryLock::acquire(path, options.lock_path,
                                                    "process " + std::to_string(getpid())));
    BERTH_TRY(auto index,
              store::open_sqlite_index({.path = path + "/" + options.index_path}, clock));
    BERTH_TRY(auto source, open_registry_root(std::move(root), std::move(index), options.report));
    return std::make_unique<LockedRoot>(std::move(lock), std::move(source));
}

Result<std::shared_ptr<io::File>> open_file(const std::string& path) {
    const bool is_absolute = path.rfind('/') == 0;
    const std::string folder(io::folder_of(path));
    BERTH_TRY(const auto directory, io::open_existing_directory(is_absolute      ? "/"
                                                                : folder.empty() ? "."
                                                                                 : folder));
    BERTH_TRY(std::shared_ptr<io::File> file, directory->open(io::last_component(path)));
    return file;
}

// A folder, or a tar.
Result<std::shared_ptr<Files>> open_files(const std::string& path) {
    auto folder = io::open_existing_directory(path);
    if (folder) return std::shared_ptr<Files>(files_in(std::move(*folder)));
    auto file = open_file(path);
    if (!file) return std::unexpected(std::move(file.error()).with_context(path));
    auto tar = files_in_tar(std::move(*file));
    if (!tar) return std::unexpected(std::move(tar.error()).with_context(path));
    return std::shared_ptr<Files>(std::move(*tar));
}

// `PATH:REPOSITORY`, where that is no path itself.
struct NamedPath {
    std::string path;
    Fallback repository;
};

Result<NamedPath> split_name(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos) return NamedPath{text, std::nullopt};
    BERTH_TRY(auto repository, RepositoryName::parse(text.substr(colon + 1)));
    return NamedPath{text.substr(0, colon), std::move(repository)};
}

Result<SourcePtr> open_layout_at(const std::string& text, const SourceOptions& options) {
    BERTH_TRY(const auto named, split_name(text));
    BERTH_TRY(auto files, open_files(named.path));
    return open_layout(std::move(files), named.repository, options.report);
}

// What newer versions of docker save is both: the layout has the images as they are.
Result<SourcePtr> open_archive_at(const std::string& text, const SourceOptions& options) {
    BERTH_TRY(const auto named, split_name(text));
    BERTH_TRY(auto files, open_files(named.path));
    const bool is_layout = files->has(kLayoutIndex) && files->has(kLayoutFile);
    const auto open = is_layout ? open_layout : open_docker_archive;
    return open(std::move(files), named.repository, options.report);
}

Result<SourcePtr> open_bundle_at(const std::string& path, const SourceOptions&) {
    BERTH_TRY(auto files, open_files(path));
    return open_bundle(std::move(files));
}

Result<SourcePtr> open_any(const std::string& path, const SourceOptions& options,
                           const Clock& clock) {
    const auto folder = io::open_existing_directory(path);
    if (folder && (*folder)->list(kRegistryFolder)) return open_root(path, options, clock);
    BERTH_TRY(auto files, open_files(path));
    if (files->has(kBundleFile)) return open_bundle(std::move(files));
    if (files->has(kLayoutFile)) return open_layout(std::move(files), {}, options.report);
    if (files->has(kDockerManifestFile))
        return open_docker_archive(std::move(files), {}, options.report);
    return fail(Errc::invalid,
                path +
                    " is neither a registry's root nor an OCI layout, what docker save wrote, "
                    "or a bundle");
}

// scheme://HOST[/PREFIX]
struct RemoteName {
    std::string scheme, host, prefix;
};

std::optional<RemoteName> parse_remote(const std::string& text) {
    const auto colon = text.find("://");
    if (colon == text.npos) return std::nullopt;
    const auto rest = text.substr(colon + 3);
    const auto slash = rest.find('/');
    RemoteName name{text.substr(0, colon), rest.substr(0, slash), {}};
    if (slash != rest.npos) name.prefix = rest.substr(slash + 1);
    while (name.prefix.ends_with('/'))
        name.prefix.pop_back();
    return name;
}

// docker.io is not where its images are.
std::string server_of(const std::string& host) {
    const bool is_hub =
        host == "docker.io" || host == "index.docker.io" || host == "hub.docker.com";
    return is_hub ? "registry-1.docker.io" : host;
}

Result<SourcePtr> open_remote_name(const RemoteName& name, const SourceOptions& options) {
    const bool known = name.scheme == "docker" || name.scheme == "https" || name.scheme == "http";
    if (!known || name.host.empty()) {
        return fail(Errc::invalid, name.scheme + "://" + name.host + " is no registry's address");
    }
    if (name.host.find('@') != name.host.npos) {
        return fail(Errc::invalid, "a login is not part of the address: use --user");
    }
    if (name.scheme == "http" && !options.plain_http) {
        return fail(Errc::invalid, "http without TLS must be asked for, by --plain-http");
    }
    std::optional<RepositoryName> prefix;
    if (!name.prefix.empty()) {
        BERTH_TRY(prefix, RepositoryName::parse(name.prefix));
    }
    const bool plain = options.plain_http && name.scheme != "https";
    std::vector<RepositoryName> repositories;
    if (options.selection.is_named_only()) {
        for (auto& image : options.selection.named())
            repositories.push_back(std::move(image.repository));
        std::ranges::sort(repositories);
        const auto [first, last] = std::ranges::unique(repositories);
        repositories.erase(first, last);
    }
    return open_remote({.origin = (plain ? "http://" : "https://") + server_of(name.host),
                        .login = options.login,
                        .ca = options.ca},
                       std::move(prefix), std::move(repositories));
}

}  // namespace

std::string remote_host(const std::string& text) {
    const auto name = parse_remote(text);
    return name ? name->host : "";
}

Result<std::unique_ptr<Source>> open_source(const std::string& text, const SourceOptions& options,
                                            const Clock& clock) {
    if (const auto remote = parse_remote(text)) return open_remote_name(*remote, options);
    const auto colon = text.find(':');
    const auto prefix = text.substr(0, colon);
    const auto rest = colon == text.npos ? "" : text.substr(colon + 1);
    if (prefix == "registry") return open_root(rest, options, clock);
    if (prefix == "oci") return open_layout_at(rest, options);
    if (prefix == "docker-archive") return open_archive_at(rest, options);
    if (prefix == "bundle") return open_bundle_at(rest, options);
    return open_any(text, options, clock);
}

}  // namespace berth::transfer
