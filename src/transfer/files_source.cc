#include "transfer/files_source.h"

#include "oci/manifest.h"

namespace berth::transfer {
namespace {

class FilesSource final : public Source {
  public:
    FilesSource(std::shared_ptr<Files> files, Contents contents)
        : files_(std::move(files)), contents_(std::move(contents)) {}

    Result<std::vector<RepositoryName>> repositories() override {
        std::vector<RepositoryName> names;
        for (const auto& [name, content] : contents_.repositories)
            names.push_back(name);
        return names;
    }

    Result<SourceRepository> list(const RepositoryName& repository) override {
        const auto found = contents_.repositories.find(repository);
        if (found != contents_.repositories.end()) return found->second;
        return fail(Errc::not_found, "there is no repository " + repository.text());
    }

    Result<SourceManifest> manifest(const RepositoryName&, const Digest& digest) override {
        const auto built = contents_.built.find(digest);
        if (built != contents_.built.end()) return built->second;
        BERTH_TRY(auto bytes, files_->read(path_of(digest), oci::kManifestBytesMax));
        return SourceManifest{{}, std::move(bytes)};
    }

    Result<void> read_blob(const RepositoryName&, const Digest& digest, const Sink& sink) override {
        BERTH_TRY(const auto slice, files_->open(path_of(digest)));
        return slice.read(sink);
    }

    // In a tar no file begins at 0.
    Result<std::shared_ptr<io::File>> blob_file(const Digest& digest) override {
        BERTH_TRY(auto slice, files_->open(path_of(digest)));
        if (slice.offset != 0) return std::shared_ptr<io::File>();
        return std::move(slice.file);
    }

    std::vector<Digest> needs() const override { return contents_.needs; }

  private:
    std::string path_of(const Digest& digest) const {
        const auto found = contents_.paths.find(digest);
        return found == contents_.paths.end() ? blob_file_path(digest) : found->second;
    }

    std::shared_ptr<Files> files_;
    const Contents contents_;
};

}  // namespace

std::string blob_file_path(const Digest& digest) {
    return "blobs/" + std::string(name_of(digest.algorithm())) + "/" + std::string(digest.hex());
}

std::unique_ptr<Source> make_files_source(std::shared_ptr<Files> files, Contents contents) {
    return std::make_unique<FilesSource>(std::move(files), std::move(contents));
}

}  // namespace berth::transfer
