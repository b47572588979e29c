// Files in a tar.
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <vector>

#include "base/release.h"
#include "io/path.h"
#include "transfer/files.h"

namespace berth::transfer {
namespace {

constexpr std::size_t kEntriesMax = 2'000'000;
constexpr std::size_t kPathBytesMax = 4096;
constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::uint64_t kRecordBytes = 512;
constexpr int kLinksMax = 8;  // one after the other

using Reader = std::unique_ptr<archive, Release<archive_read_free>>;

struct Entry {
    std::string link;  // the path of another one; empty: a file
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};
using Entries = std::map<std::string, Entry, std::less<>>;

std::unexpected<Error> bad_tar(const std::string& what) {
    return fail(Errc::invalid, "the tar " + what);
}

// `path`, seen from `folder`, without `.` and `..`; nothing where it leads outside.
std::optional<std::string> normal_path(std::string_view folder, std::string_view path) {
    if (path.starts_with('/') || path.size() > kPathBytesMax) return std::nullopt;
    std::string joined(folder);
    for (std::string_view rest = path; !rest.empty();) {
        const auto slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        rest = slash == rest.npos ? "" : rest.substr(slash + 1);
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (joined.empty()) return std::nullopt;
            joined = io::folder_of(joined);
        } else {
            joined += (joined.empty() ? "" : "/") + std::string(part);
        }
    }
    return joined;
}

class TarFiles final : public Files {
  public:
    TarFiles(std::shared_ptr<io::File> tar, Entries entries)
        : tar_(std::move(tar)), entries_(std::move(entries)) {}

    Result<Slice> open(std::string_view path) const override {
        std::string name(path);
        for (int links = 0; links <= kLinksMax; ++links) {
            const auto found = entries_.find(name);
            if (found == entries_.end()) {
                return fail(Errc::not_found, "the tar has no " + std::string(path));
            }
            const Entry& entry = found->second;
            if (entry.link.empty()) return Slice{tar_, entry.offset, entry.size};
            name = entry.link;
        }
        return bad_tar("has too many links on the way to " + std::string(path));
    }

  private:
    std::shared_ptr<io::File> tar_;
    Entries entries_;
};

// Goes through a tar's headers. libarchive does not say where an entry's bytes are, but where the
// next header is: they end there, filled up to whole records.
class TarScan {
  public:
    TarScan(archive* reader, std::uint64_t tar_bytes) : reader_(reader), tar_bytes_(tar_bytes) {}

    Result<Entries> run() {
        archive_entry* header = nullptr;
        for (;;) {
            const int outcome = archive_read_next_header(reader_, &header);
            BERTH_CHECK(end_open_file());
            if (outcome == ARCHIVE_EOF) break;
            if (outcome < ARCHIVE_WARN) {
                const char* reason = archive_error_string(reader_);
                return bad_tar(std::string("cannot be read: ") + (reason ? reason : "damaged"));
            }
            if (archive_filter_count(reader_) > 1) {
                return bad_tar("is compressed: unpack it first (gunzip, zstd -d, xz -d)");
            }
            if (entries_.size() == kEntriesMax) return bad_tar("has too many files");
            BERTH_CHECK(add(header));
        }
        return std::move(entries_);
    }

  private:
    Result<void> add(archive_entry* header) {
        const char* written = archive_entry_pathname(header);
        const auto path = normal_path("", written ? written : "/");
        if (!path) return bad_tar("names a file outside of it");
        const auto type = archive_entry_filetype(header);
        if (path->empty() || type == AE_IFDIR) return {};
        Entry entry;
        const char* hard = archive_entry_hardlink(header);
        const char* symbolic = type == AE_IFLNK ? archive_entry_symlink(header) : nullptr;
        if (hard || symbolic) {
            const auto target =
                hard ? normal_path("", hard) : normal_path(io::folder_of(*path), symbolic);
            if (!target || target->empty()) return bad_tar("has a link to the outside of it");
            entry.link = *target;
        } else if (type != AE_IFREG || archive_entry_sparse_count(header) > 0) {
            return {};  // no bytes that an image could be made of
        } else {
            entry.size = static_cast<std::uint64_t>(archive_entry_size(header));
        }
        const bool is_file = entry.link.empty();
        const auto [place, is_new] = entries_.emplace(*path, std::move(entry));
        if (!is_new) return bad_tar("has two files of the name " + *path);
        if (is_file) open_file_ = &place->second;
        return {};
    }

    Result<void> end_open_file() {
        if (!open_file_) return {};
        const auto end = static_cast<std::uint64_t>(archive_read_header_position(reader_));
        const auto size = open_file_->size;
        if (size > tar_bytes_ || end > tar_bytes_) return bad_tar("is cut short");
        const auto records = (size + kRecordBytes - 1) / kRecordBytes * kRecordBytes;
        if (records > end) return bad_tar("is cut short");
        open_file_->offset = end - records;
        open_file_ = nullptr;
        return {};
    }

    archive* reader_;
    const std::uint64_t tar_bytes_;
    Entries entries_;
    Entry* open_file_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Files>> files_in_tar(std::shared_ptr<io::File> tar) {
    BERTH_TRY(const auto size, tar->size());
    const Reader reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_all(reader.get());
    if (::lseek(tar->fd(), 0, SEEK_SET) < 0) return fail_errno("seek", errno);
    if (archive_read_open_fd(reader.get(), tar->fd(), kReadBytes) != ARCHIVE_OK) {
        return bad_tar("cannot be read: " + std::string(archive_error_string(reader.get())));
    }
    BERTH_TRY(auto entries, TarScan(reader.get(), size).run());
    if (entries.empty()) return bad_tar("has no files");
    return std::make_unique<TarFiles>(std::move(tar), std::move(entries));
}

}  // namespace berth::transfer
