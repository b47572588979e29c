// An OCI layout or a bundle in a tar.
#include <archive.h>
#include <archive_entry.h>

#include "base/release.h"
#include "io/path.h"
#include "oci/hasher.h"
#include "transfer/content_writer.h"
#include "transfer/files.h"
#include "transfer/files_source.h"

namespace berth::transfer {
namespace {

using Writer = std::unique_ptr<archive, Release<archive_write_free>>;
using Entry = std::unique_ptr<archive_entry, Release<archive_entry_free>>;

constexpr int kFileMode = 0644;
constexpr int kBlockBytes = 1 << 20;

class TarWriter final : public ContentWriter {
  public:
    TarWriter(std::unique_ptr<io::Directory> folder, std::string name,
              std::unique_ptr<io::File> file)
        : folder_(std::move(folder)), name_(std::move(name)), file_(std::move(file)) {
        archive_write_set_format_pax_restricted(writer_.get());
        archive_write_set_bytes_per_block(writer_.get(), kBlockBytes);
        archive_write_set_bytes_in_last_block(writer_.get(), 1);
    }
    ~TarWriter() override {
        writer_.reset();
        if (!finished_) static_cast<void>(folder_->remove(partial_name(name_)));
    }

    static std::string partial_name(const std::string& name) { return "." + name + ".partial"; }

    Result<void> open() { return check(archive_write_open_fd(writer_.get(), file_->fd()), "open"); }

    Result<void> put(std::string_view path, std::string_view content) override {
        BERTH_CHECK(begin(std::string(path), content.size()));
        return write(as_bytes(content));
    }

    Result<void> put_blob(const Digest& digest, std::shared_ptr<io::File> file,
                          std::uint64_t size) override {
        BERTH_CHECK(begin(blob_file_path(digest), size));
        oci::Hasher hasher(digest.algorithm());
        const Slice from{std::move(file), 0, size};
        BERTH_CHECK(from.read([&](Bytes bytes) -> Result<void> {
            hasher.update(bytes);
            return write(bytes);
        }));
        if (hasher.digest() == digest) return {};
        return fail_damaged(digest);
    }

    Result<void> finish() override {
        BERTH_CHECK(check(archive_write_close(writer_.get()), "end"));
        BERTH_CHECK(file_->sync());
        if (folder_->open(name_)) return fail(Errc::already_exists, name_ + " is there by now");
        BERTH_CHECK(folder_->rename(partial_name(name_), name_));
        finished_ = true;
        return folder_->sync_directory("");
    }

  private:
    Result<void> begin(const std::string& path, std::uint64_t size) {
        const Entry entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), path.c_str());
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), kFileMode);
        archive_entry_set_mtime(entry.get(), 0, 0);
        return check(archive_write_header(writer_.get(), entry.get()), path.c_str());
    }

    Result<void> write(Bytes bytes) {
        while (!bytes.empty()) {
            const auto written = archive_write_data(writer_.get(), bytes.data(), bytes.size());
            if (written <= 0) return check(ARCHIVE_FATAL, "write");
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }

    Result<void> check(int outcome, const char* what) {
        if (outcome == ARCHIVE_OK) return {};
        const int os_errno = archive_errno(writer_.get());
        if (os_errno > 0) return fail_errno(name_, os_errno);
        const char* reason = archive_error_string(writer_.get());
        return fail(Errc::io, name_ + ": " + (reason ? reason : what));
    }

    std::unique_ptr<io::Directory> folder_;
    const std::string name_;
    std::unique_ptr<io::File> file_;
    Writer writer_{archive_write_new()};
    bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<ContentWriter>> write_tar(const std::string& path) {
    const std::string above(io::folder_of(path));
    BERTH_TRY(auto folder, io::open_existing_directory(path.rfind('/') == 0 ? "/"
                                                       : above.empty()      ? "."
                                                                            : above));
    const std::string name(io::last_component(path));
    if (folder->open(name)) {
        return fail(Errc::already_exists, path + " is there already: choose another name");
    }
    const auto partial = TarWriter::partial_name(name);
    static_cast<void>(folder->remove(partial));  // of a run that was killed
    BERTH_TRY(auto file, folder->create(partial));
    auto writer = std::make_unique<TarWriter>(std::move(folder), name, std::move(file));
    BERTH_CHECK(writer->open());
    return writer;
}

}  // namespace berth::transfer
