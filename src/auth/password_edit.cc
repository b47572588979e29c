// The writing half of password_file.h.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

#include "auth/password_file.h"
#include "auth/password_line.h"
#include "base/unique_fd.h"

namespace berth::auth {
namespace {

constexpr ::mode_t kNewFileMode = 0640;

struct OldFile {
    std::string text;
    bool there = false;
    struct ::stat status{};
};

// The path with symbolic links followed, so that a rename replaces the file and not a link to it.
std::string resolve(const std::string& path) {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
    return real ? std::string(real.get()) : path;
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<OldFile> read_old(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return OldFile{};
    if (!fd) return fail_errno("open " + path, errno);
    OldFile old;
    old.there = true;
    if (::fstat(fd.get(), &old.status) != 0) return fail_errno("stat " + path, errno);
    char buffer[4096];
    for (;;) {
        const ::ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + path, errno);
        if (got == 0) return old;
        old.text.append(buffer, static_cast<std::size_t>(got));
    }
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

// Gives the new file the old one's owner and mode. The mode comes last: changing the owner clears
// some of its bits.
Result<void> take_over(int fd, const OldFile& old, const std::string& path) {
    struct ::stat fresh{};
    if (::fstat(fd, &fresh) != 0) return fail_errno("stat " + path, errno);
    const bool differs =
        old.there && (old.status.st_uid != fresh.st_uid || old.status.st_gid != fresh.st_gid);
    if (differs && ::fchown(fd, old.status.st_uid, old.status.st_gid) != 0) {
        return fail_errno("keep the owner of " + path, errno);
    }
    const ::mode_t mode = old.there ? old.status.st_mode & 07777 : kNewFileMode;
    if (::fchmod(fd, mode) != 0) return fail_errno("set the mode of " + path, errno);
    return {};
}

Result<void> fill(int fd, const std::string& temporary, const std::string& path, const OldFile& old,
                  std::string_view text) {
    BERTH_CHECK(take_over(fd, old, path));
    BERTH_CHECK(write_all(fd, text, temporary));
    if (::fsync(fd) != 0) return fail_errno("sync " + temporary, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        return fail_errno("rename to " + path, errno);
    return {};
}

Result<void> replace(const std::string& path, const OldFile& old, std::string_view text) {
    std::string temporary = path + ".XXXXXX";
    const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) return fail_errno("create " + temporary, errno);
    auto done = fill(fd.get(), temporary, path, old, text);
    if (!done) ::unlink(temporary.c_str());
    return done;
}

using Change = std::function<Result<std::string>(std::string_view text)>;

// The lock is on the directory, as the file itself is replaced, and may not be there yet.
Result<void> rewrite(const std::string& given, const Change& change) {
    const std::string path = resolve(given);
    const std::string directory = directory_of(path);
    const UniqueFd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return fail_errno("open " + directory, errno);
    while (::flock(lock.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return fail_errno("lock " + directory, errno);
    }
    BERTH_TRY(const OldFile old, read_old(path));
    BERTH_TRY(const std::string text, change(old.text));
    BERTH_CHECK(replace(path, old, text));
    if (::fsync(lock.get()) != 0) return fail_errno("sync " + directory, errno);
    return {};
}

bool names(std::string_view line, std::string_view user) {
    const PasswordLine parsed = parse_password_line(line);
    return parsed.kind == PasswordLine::Kind::entry && parsed.user == user;
}

// The name must come back as it is when the line is read again.
Result<void> check_user(std::string_view user) {
    for (const char c : user) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return fail(Errc::invalid, "a user name cannot hold control characters");
        }
    }
    if (user.find(':') != user.npos) {
        return fail(Errc::invalid, "a user name cannot hold a colon (:)");
    }
    if (!names(std::string(user) + ":", user)) {
        return fail(Errc::invalid, "a user name cannot be empty, and not start with # or a space");
    }
    return {};
}

void append_line(std::string& text, std::string_view line) {
    text.append(line).append("\n");
}

}  // namespace

Result<void> set_password(const std::string& path, std::string_view user, const std::string& hash) {
    BERTH_CHECK(check_user(user));
    const std::string entry = std::string(user) + ":" + hash;
    return rewrite(path, [user, &entry](std::string_view text) -> Result<std::string> {
        std::string out;
        bool set = false;
        while (const auto line = take_line(text)) {
            const bool here = !set && names(*line, user);
            append_line(out, here ? std::string_view(entry) : *line);
            set = set || here;
        }
        if (!set) append_line(out, entry);
        return out;
    });
}

Result<void> remove_user(const std::string& path, std::string_view user) {
    return rewrite(path, [user, &path](std::string_view text) -> Result<std::string> {
        std::string out;
        bool removed = false;
        while (const auto line = take_line(text)) {
            // All of the user's lines: were one left, its password would count now.
            if (names(*line, user)) {
                removed = true;
            } else {
                append_line(out, *line);
            }
        }
        if (!removed) {
            return fail(Errc::not_found, path + " has no user " + std::string(user));
        }
        return out;
    });
}

}  // namespace berth::auth
