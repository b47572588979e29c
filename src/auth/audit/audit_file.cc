#include "auth/audit/audit_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <utility>

namespace berth::auth {
namespace {

constexpr mode_t kMode = 0640;
constexpr std::string_view kLineBegin = "{\"seq\":";

std::unexpected<Error> io_error(std::string_view what, int os_errno) {
    auto error = fail_errno("the audit log " + std::string(what), os_errno);
    if (error.error().code != Errc::no_space) error.error().code = Errc::io;
    return error;
}

std::unexpected<Error> no_audit_log(const std::string& path) {
    return fail(Errc::corrupt, path +
                                   " does not end like an audit log: nothing is added to it; "
                                   "move it away, and look into why");
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

// Names in a folder are on the disk only when the folder is. Some file systems cannot; they have no
// names to lose then.
void sync_folder(const std::string& path) {
    const UniqueFd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) ::fsync(folder.get());
}

Result<UniqueFd> open_log(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, kMode));
    if (!fd) return io_error(path, errno);
    struct ::stat found{};
    if (::fstat(fd.get(), &found) != 0) return io_error(path, errno);
    if (!S_ISREG(found.st_mode)) {
        return fail(Errc::io, "the audit log " + path +
                                  " must be a plain file, whose lines can be "
                                  "read again");
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return fail(Errc::conflict, "another process writes to the audit log " + path);
    }
    return fd;
}

Result<std::string> read_from(int fd, const std::string& path, std::uint64_t offset,
                              std::size_t size) {
    std::string text(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const ::ssize_t got =
            ::pread(fd, text.data() + have, size - have, static_cast<::off_t>(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(path, errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    return text;
}

// The last line of the file, after what a crash left behind it was cut off.
Result<AuditFile::End> cut_to_end(int fd, const std::string& path, std::uint64_t size) {
    AuditFile::End end;
    constexpr std::uint64_t kTail = 2 * (kAuditLineMax + 1);
    const std::uint64_t offset = size > kTail ? size - kTail : 0;
    BERTH_TRY(const std::string text,
              read_from(fd, path, offset, static_cast<std::size_t>(size - offset)));
    const std::size_t whole = text.rfind('\n') + 1;  // npos + 1 is 0
    end.bytes_cut = text.size() - whole;
    if (end.bytes_cut > kAuditLineMax) return no_audit_log(path);
    if (whole > 0) {
        const std::size_t before = whole > 1 ? text.rfind('\n', whole - 2) : std::string::npos;
        const std::size_t begin = before == std::string::npos ? 0 : before + 1;
        const auto line = read_audit_line(std::string_view(text).substr(begin, whole - 1 - begin));
        if (!line) return no_audit_log(path);
        end.seq = line->seq;
        end.hash = line->hash;
    } else if (std::string_view(text).substr(0, kLineBegin.size()) !=
               kLineBegin.substr(0, text.size())) {
        return no_audit_log(path);
    }
    if (end.bytes_cut > 0) {
        if (::ftruncate(fd, static_cast<::off_t>(offset + whole)) != 0 || ::fsync(fd) != 0) {
            return io_error(path, errno);
        }
    }
    return end;
}

Result<std::uint64_t> size_of(int fd, const std::string& path) {
    const ::off_t size = ::lseek(fd, 0, SEEK_END);
    if (size < 0) return io_error(path, errno);
    return static_cast<std::uint64_t>(size);
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

Result<void> rename_file(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return io_error("cannot be rotated: rename " + from + " to " + to, errno);
}

}  // namespace

std::string AuditFile::rotated(std::size_t number) const {
    return path_ + "." + std::to_string(number);
}

Result<AuditFile> AuditFile::open(std::string path, std::size_t files_max) {
    AuditFile file(std::move(path), files_max);
    BERTH_TRY(file.fd_, open_log(file.path_));
    BERTH_CHECK(file.find_end());
    sync_folder(file.path_);
    return file;
}

Result<void> AuditFile::find_end() {
    BERTH_TRY(const std::uint64_t size, size_of(fd_.get(), path_));
    if (size > 0) {
        BERTH_TRY(end_, cut_to_end(fd_.get(), path_, size));
        size_ = size - end_.bytes_cut;
    }
    // A new file, or one that got no whole line: the chain comes from the one before.
    for (std::size_t number = 1; end_.seq == 0; ++number) {
        const std::string name = rotated(number);
        const UniqueFd fd(::open(name.c_str(), O_RDWR | O_CLOEXEC));
        if (!fd && errno == ENOENT) break;
        if (!fd) return io_error(name, errno);
        BERTH_TRY(const std::uint64_t rotated_size, size_of(fd.get(), name));
        const std::uint64_t bytes_cut = end_.bytes_cut;
        BERTH_TRY(end_, cut_to_end(fd.get(), name, rotated_size));
        end_.bytes_cut += bytes_cut;
    }
    return {};
}

Result<void> AuditFile::append(std::string_view lines) {
    if (torn_at_) {
        if (::ftruncate(fd_.get(), static_cast<::off_t>(*torn_at_)) != 0) {
            return io_error(path_, errno);
        }
        torn_at_.reset();
    }
    BERTH_TRY(const std::uint64_t begin, size_of(fd_.get(), path_));
    size_ = begin + lines.size();
    while (!lines.empty()) {
        const ::ssize_t n = ::write(fd_.get(), lines.data(), lines.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            torn_at_ = size_ = begin;
            return io_error(path_, errno);
        }
        lines.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

// Frees the name path.1; only if there is no room below files_max, the oldest file goes. Whenever a
// crash ends this, no file but that one is gone, and the next time goes on from there.
Result<void> AuditFile::make_room() {
    std::size_t free = 1;
    while (free < files_max_ && exists(rotated(free)))
        ++free;
    for (; free > 1; --free)
        BERTH_CHECK(rename_file(rotated(free - 1), rotated(free)));
    return {};
}

Result<bool> AuditFile::rotate() {
    BERTH_TRY(const bool renamed, reopen());
    if (renamed) return true;
    BERTH_CHECK(sync());
    BERTH_CHECK(make_room());
    BERTH_CHECK(rename_file(path_, rotated(1)));
    auto fd = open_log(path_);
    if (!fd) {
        BERTH_CHECK(rename_file(rotated(1), path_));
        return std::unexpected(std::move(fd.error()));
    }
    if (files_max_ == 0) ::unlink(rotated(1).c_str());
    fd_ = std::move(*fd);
    size_ = 0;
    sync_folder(path_);
    return true;
}

Result<bool> AuditFile::reopen() {
    struct ::stat named{}, ours{};
    const bool is_there = ::stat(path_.c_str(), &named) == 0;
    if (::fstat(fd_.get(), &ours) != 0) return io_error(path_, errno);
    if (is_there && named.st_dev == ours.st_dev && named.st_ino == ours.st_ino) return false;
    BERTH_CHECK(append({}));  // takes out what was written in part
    BERTH_CHECK(sync());
    BERTH_TRY(UniqueFd fd, open_log(path_));
    BERTH_TRY(const std::uint64_t size, size_of(fd.get(), path_));
    if (size > 0) {
        return fail(Errc::conflict, "the audit log cannot go on in " + path_ +
                                        ", which is not empty: the file that was renamed stays in "
                                        "use");
    }
    fd_ = std::move(fd);
    size_ = 0;
    sync_folder(path_);
    return true;
}

Result<void> AuditFile::sync() {
    if (::fdatasync(fd_.get()) != 0) return io_error(path_, errno);
    return {};
}

Result<std::vector<std::string>> audit_files(const std::string& path) {
    const std::string prefix = path.substr(path.rfind('/') + 1) + ".";
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(folder_of(path).c_str()),
                                                     ::closedir);
    if (!folder) return fail_errno("open " + folder_of(path), errno);
    std::vector<std::size_t> numbers;
    while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(*-mt-unsafe): our own DIR
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix)) continue;
        std::size_t number = 0;
        const auto [end, error] =
            std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
        if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
    }
    std::ranges::sort(numbers, std::greater<>());
    std::vector<std::string> files;
    for (const std::size_t number : numbers)
        files.push_back(path + "." + std::to_string(number));
    if (exists(path)) files.push_back(path);
    if (files.empty()) return fail(Errc::not_found, "there is no audit log " + path);
    return files;
}

}  // namespace berth::auth
