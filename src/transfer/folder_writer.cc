// An OCI layout in a folder.
#include <algorithm>

#include "io/path.h"
#include "oci/hasher.h"
#include "transfer/content_writer.h"
#include "transfer/files.h"
#include "transfer/files_source.h"
#include "transfer/layout_format.h"

namespace berth::transfer {
namespace {

Result<bool> has_digest(const Slice& slice, const Digest& digest) {
    BERTH_TRY(const auto actual, slice.digest(digest.algorithm()));
    return actual == digest;
}

class FolderWriter final : public ContentWriter {
  public:
    explicit FolderWriter(std::unique_ptr<io::Directory> folder) : folder_(std::move(folder)) {}

    // The index makes the folder a layout, so everything else is on the disk before it.
    Result<void> put(std::string_view path, std::string_view content) override {
        if (path == kLayoutIndex) BERTH_CHECK(folder_->sync_all());
        return io::replace_file(*folder_, path, content);
    }

    Result<void> put_blob(const Digest& digest, std::shared_ptr<io::File> file,
                          std::uint64_t size) override {
        const std::string path = blob_file_path(digest);
        if (auto there = folder_->open(path)) {
            const std::shared_ptr<io::File> known = std::move(*there);
            BERTH_TRY(const auto known_size, known->size());
            BERTH_TRY(const bool good, has_digest({known, 0, known_size}, digest));
            if (good) return {};
        }
        const std::string temporary = path + ".partial";
        BERTH_CHECK(folder_->make_directories(io::folder_of(path)));
        static_cast<void>(folder_->remove(temporary));
        BERTH_TRY(const bool shared, folder_->share(*file, temporary));
        if (shared) {
            BERTH_TRY(const bool good, has_digest({file, 0, size}, digest));
            if (!good) {
                static_cast<void>(folder_->remove(temporary));
                return fail_damaged(digest);
            }
        } else {
            BERTH_CHECK(copy(digest, {std::move(file), 0, size}, temporary));
        }
        return folder_->rename(temporary, path);
    }

    Result<void> finish() override { return folder_->sync_all(); }

  private:
    Result<void> copy(const Digest& digest, const Slice& from, const std::string& to) {
        BERTH_TRY(const auto file, folder_->create(to));
        oci::Hasher hasher(digest.algorithm());
        std::uint64_t at = 0;
        const auto write = [&](Bytes bytes) -> Result<void> {
            hasher.update(bytes);
            BERTH_CHECK(file->write_at(at, bytes));
            at += bytes.size();
            return {};
        };
        BERTH_CHECK(from.read(write));
        if (hasher.digest() == digest) return {};
        static_cast<void>(folder_->remove(to));
        return fail_damaged(digest);
    }

    std::unique_ptr<io::Directory> folder_;
};

}  // namespace

Result<std::unique_ptr<ContentWriter>> write_folder(const std::string& path) {
    BERTH_TRY(auto folder, io::open_directory(path));
    BERTH_TRY(const auto entries, folder->list(""));
    const auto has = [&entries](std::string_view name) {
        return std::ranges::any_of(entries,
                                   [name](const auto& entry) { return entry.name == name; });
    };
    bool is_ours = entries.empty();
    if (has(kLayoutIndex)) {
        const auto index = io::read_file(*folder, kLayoutIndex, kLayoutIndexBytesMax);
        is_ours = index && index->find(kExportAnnotation) != index->npos;
    } else if (has(kLayoutFile)) {
        // One that was killed before it wrote the index.
        is_ours = std::ranges::all_of(entries, [](const auto& entry) {
            return entry.name == kLayoutFile || entry.name == "blobs";
        });
    }
    if (!is_ours) {
        return fail(Errc::already_exists,
                    path + " has something else in it: choose an empty folder, or a new one");
    }
    BERTH_CHECK(io::replace_file(*folder, kLayoutFile, kLayoutVersion));
    return std::make_unique<FolderWriter>(std::move(folder));
}

}  // namespace berth::transfer
