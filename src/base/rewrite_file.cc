#include "base/rewrite_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/unique_fd.h"
#include "base/watched_file.h"

namespace berth {
namespace {

// The path with symbolic links followed, so that a rename replaces the file and not a link to it.
std::string resolve(const std::string& path) {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
    return real ? std::string(real.get()) : path;
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

struct Ownership {
    ::uid_t user{};
    ::gid_t group{};
    ::mode_t mode{};
};

Result<Ownership> ownership_of(const std::string& path, const std::string& folder,
                               ::mode_t new_mode) {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) == 0) {
        return Ownership{found.st_uid, found.st_gid, found.st_mode & 07777};
    }
    if (errno != ENOENT) return fail_errno("stat " + path, errno);
    if (::geteuid() != 0) return Ownership{::geteuid(), ::getegid(), new_mode};
    if (::stat(folder.c_str(), &found) != 0) return fail_errno("stat " + folder, errno);
    return Ownership{found.st_uid, found.st_gid, new_mode};
}

// The mode comes last: changing the owner clears some of its bits.
Result<void> own(int fd, const Ownership& wanted, const std::string& path) {
    struct ::stat fresh{};
    if (::fstat(fd, &fresh) != 0) return fail_errno("stat " + path, errno);
    const bool differs = wanted.user != fresh.st_uid || wanted.group != fresh.st_gid;
    if (differs && ::fchown(fd, wanted.user, wanted.group) != 0) {
        return fail_errno("set the owner of " + path, errno);
    }
    if (::fchmod(fd, wanted.mode) != 0) return fail_errno("set the mode of " + path, errno);
    return {};
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ::ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno("write " + path, errno);
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

Result<void> fill(int fd, const std::string& temporary, const Ownership& ownership,
                  std::string_view text) {
    BERTH_CHECK(own(fd, ownership, temporary));
    BERTH_CHECK(write_all(fd, text, temporary));
    if (::fsync(fd) != 0) return fail_errno("sync " + temporary, errno);
    return {};
}

// Under the lock, so the temporary file of a writer that was killed is nobody's any more.
Result<void> replace(const std::string& path, const Ownership& ownership, std::string_view text) {
    const std::string temporary = path + ".new";
    ::unlink(temporary.c_str());
    const UniqueFd fd(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return fail_errno("create " + temporary, errno);
    auto done = fill(fd.get(), temporary, ownership, text);
    if (done && ::rename(temporary.c_str(), path.c_str()) != 0) {
        done = fail_errno("rename to " + path, errno);
    }
    if (!done) ::unlink(temporary.c_str());
    return done;
}

}  // namespace

// The lock is on the folder, as the file itself is replaced, and may not be there yet.
Result<void> rewrite_file(const std::string& given, ::mode_t new_mode, const TextChange& change) {
    const std::string path = resolve(given);
    const std::string folder = folder_of(path);
    const UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return fail_errno("open " + folder, errno);
    while (::flock(lock.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return fail_errno("lock " + folder, errno);
    }
    auto old = read_text_file(path);
    const bool there = old.has_value();
    if (!there && old.error().code != Errc::not_found) return std::unexpected(old.error());
    const std::string before = there ? std::move(*old) : std::string();
    BERTH_TRY(const std::string after, change(before));
    if (there && after == before) return {};
    BERTH_TRY(const Ownership ownership, ownership_of(path, folder, new_mode));
    BERTH_CHECK(replace(path, ownership, after));
    if (::fsync(lock.get()) != 0) return fail_errno("sync " + folder, errno);
    return {};
}

}  // namespace berth
