#include "transfer/files.h"

#include <algorithm>
#include <span>
#include <vector>

#include "oci/hasher.h"

namespace berth::transfer {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;

class FolderFiles final : public Files {
  public:
    explicit FolderFiles(std::unique_ptr<io::Directory> folder) : folder_(std::move(folder)) {}

    Result<Slice> open(std::string_view path) const override {
        BERTH_TRY(std::shared_ptr<io::File> file, folder_->open(path));
        BERTH_TRY(const auto size, file->size());
        return Slice{std::move(file), 0, size};
    }

  private:
    std::unique_ptr<io::Directory> folder_;
};

}  // namespace

Result<void> Slice::read(const std::function<Result<void>(Bytes)>& sink) const {
    std::vector<std::byte> block(std::min<std::uint64_t>(kBlockBytes, size));
    for (std::uint64_t at = 0; at < size;) {
        const auto wanted = std::min<std::uint64_t>(block.size(), size - at);
        const auto part = std::span(block).first(static_cast<std::size_t>(wanted));
        BERTH_TRY(const auto got, file->read_at(offset + at, part));
        if (got != part.size()) return fail(Errc::corrupt, "the file became shorter");
        BERTH_CHECK(sink(part));
        at += got;
    }
    return {};
}

Result<oci::Digest> Slice::digest(oci::Algorithm algorithm) const {
    oci::Hasher hasher(algorithm);
    BERTH_CHECK(read([&hasher](Bytes bytes) -> Result<void> {
        hasher.update(bytes);
        return {};
    }));
    return hasher.digest();
}

Result<std::string> Files::read(std::string_view path, std::size_t bytes_max) const {
    BERTH_TRY(const auto slice, open(path));
    if (slice.size > bytes_max) {
        return fail(Errc::too_large,
                    std::string(path) + " is longer than " + std::to_string(bytes_max) + " bytes");
    }
    std::string content;
    BERTH_CHECK(slice.read([&content](Bytes bytes) -> Result<void> {
        content += as_text(bytes);
        return {};
    }));
    return content;
}

std::unique_ptr<Files> files_in(std::unique_ptr<io::Directory> folder) {
    return std::make_unique<FolderFiles>(std::move(folder));
}

}  // namespace berth::transfer
