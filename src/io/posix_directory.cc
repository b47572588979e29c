#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "io/directory.h"
#include "io/fd_file.h"
#include "io/path.h"

namespace berth::io {
namespace {

// What a umask of 022 turns into registry:2's 0644 and 0755.
constexpr mode_t kFileMode = 0666;
constexpr mode_t kFolderMode = 0777;

std::unexpected<Error> fail_at_path(std::string_view what, std::string_view path, int os_errno) {
    return fail_errno(std::string(what) + " " + (path.empty() ? "." : std::string(path)), os_errno);
}

struct CloseDirectory {
    void operator()(DIR* stream) const { ::closedir(stream); }
};

class PosixDirectory final : public Directory {
  public:
    explicit PosixDirectory(UniqueFd root) : root_(std::move(root)) {}

    Result<std::unique_ptr<File>> open(std::string_view path) const override {
        BERTH_TRY(UniqueFd fd, open_fd(path, O_RDONLY | O_NONBLOCK));  // a FIFO must not block us
        struct stat status{};
        if (::fstat(fd.get(), &status) < 0) return fail_at_path("stat", path, errno);
        if (S_ISDIR(status.st_mode)) return fail_at_path("open", path, EISDIR);
        if (!S_ISREG(status.st_mode)) return fail_at_path("open", path, EINVAL);
        return std::make_unique<FdFile>(std::move(fd));
    }

    Result<std::unique_ptr<File>> open_to_write(std::string_view path) override {
        BERTH_TRY(UniqueFd fd, open_fd(path, O_RDWR));
        return std::make_unique<FdFile>(std::move(fd));
    }

    Result<std::unique_ptr<File>> create(std::string_view path) override {
        BERTH_TRY(UniqueFd fd, open_fd(path, O_RDWR | O_CREAT | O_EXCL));
        return std::make_unique<FdFile>(std::move(fd));
    }

    Result<void> rename(std::string_view from, std::string_view to) override {
        BERTH_CHECK(check_path(from));
        BERTH_CHECK(check_path(to));
        const std::string old_name(from), new_name(to);
        if (::renameat(root_.get(), old_name.c_str(), root_.get(), new_name.c_str()) < 0)
            return fail_errno("rename " + old_name + " to " + new_name, errno);
        return {};
    }

    Result<void> remove(std::string_view path) override {
        BERTH_CHECK(check_path(path));
        const std::string name(path);
        if (::unlinkat(root_.get(), name.c_str(), 0) == 0) return {};
        const int os_errno = errno;
        if (os_errno == EISDIR && ::unlinkat(root_.get(), name.c_str(), AT_REMOVEDIR) == 0)
            return {};
        return fail_at_path("remove", path, os_errno == EISDIR ? errno : os_errno);
    }

    Result<std::vector<std::string>> make_directories(std::string_view path) override {
        BERTH_CHECK(check_path(path));
        std::vector<std::string> changed;
        const std::string name(path);
        if (::mkdirat(root_.get(), name.c_str(), kFolderMode) == 0) {
            changed.emplace_back(folder_of(path));
            return changed;
        }
        if (errno == EEXIST) {
            BERTH_CHECK(expect_folder(name));
            return changed;
        }
        if (errno != ENOENT || folder_of(path).empty())
            return fail_at_path("make directory", path, errno);
        BERTH_TRY(auto above, make_directories(folder_of(path)));
        if (::mkdirat(root_.get(), name.c_str(), kFolderMode) == 0) {
            changed.emplace_back(folder_of(path));
        } else if (errno != EEXIST) {
            return fail_at_path("make directory", path, errno);
        }
        changed.insert(changed.end(), above.begin(), above.end());
        return changed;
    }

    Result<void> sync_directory(std::string_view path) override {
        BERTH_TRY(UniqueFd fd, open_folder(path));
        if (retry([&] { return ::fsync(fd.get()); }) < 0)
            return fail_at_path("sync directory", path, errno);
        return {};
    }

    // The whole file system: there is no call for less.
    Result<void> sync_all() override {
        if (retry([&] { return ::syncfs(root_.get()); }) < 0)
            return fail_errno("sync the file system", errno);
        return {};
    }

    Result<std::vector<Entry>> list(std::string_view path) const override {
        BERTH_TRY(UniqueFd fd, open_folder(path));
        std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(fd.get()));
        if (!stream) return fail_at_path("list", path, errno);
        const int folder = fd.release();  // the stream has it now
        std::vector<Entry> entries;
        for (;;) {
            errno = 0;
            // A stream of our own: only readdir of a shared one is unsafe.
            const dirent* found = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe)
            if (!found) break;
            const std::string_view name = found->d_name;
            if (name == "." || name == "..") continue;
            entries.push_back(
                {std::string(name), is_folder(folder, *found), is_link(folder, *found)});
        }
        if (errno != 0) return fail_at_path("list", path, errno);
        return entries;
    }

    Result<Space> space() const override {
        struct statvfs status{};
        if (::fstatvfs(root_.get(), &status) < 0) return fail_errno("statvfs", errno);
        return Space{std::uint64_t{status.f_blocks} * status.f_frsize,
                     std::uint64_t{status.f_bavail} * status.f_frsize};
    }

    Result<bool> share(const File& file, std::string_view path) override {
        BERTH_CHECK(check_path(path));
        const std::string name(path);
        {
            BERTH_TRY(const UniqueFd clone, open_fd(path, O_RDWR | O_CREAT | O_EXCL));
            if (retry([&] { return ::ioctl(clone.get(), FICLONE, file.fd()); }) == 0) return true;
        }
        if (::unlinkat(root_.get(), name.c_str(), 0) < 0)
            return fail_at_path("remove", path, errno);
        // Whoever owns a file may write to it, whatever other names it has.
        struct stat status{};
        if (::fstat(file.fd(), &status) < 0 || status.st_uid != ::geteuid()) return false;
        const std::string open_file = "/proc/self/fd/" + std::to_string(file.fd());
        return ::linkat(AT_FDCWD, open_file.c_str(), root_.get(), name.c_str(),
                        AT_SYMLINK_FOLLOW) == 0;
    }

  private:
    // A symbolic link in place of a file is refused: nothing of ours is one, so somebody else put
    // it there. Folders may be links: administrators move them to other disks.
    Result<UniqueFd> open_fd(std::string_view path, int flags) const {
        BERTH_CHECK(check_path(path));
        const std::string name(path);
        UniqueFd fd(retry([&] {
            return ::openat(root_.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, kFileMode);
        }));
        if (!fd) return fail_at_path((flags & O_CREAT) != 0 ? "create" : "open", path, errno);
        return fd;
    }

    Result<UniqueFd> open_folder(std::string_view path) const {
        BERTH_CHECK(check_path(path, RootAllowed::yes));
        const std::string name(path.empty() ? "." : path);
        UniqueFd fd(retry([&] {
            return ::openat(root_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }));
        if (!fd) return fail_at_path("open directory", path, errno);
        return fd;
    }

    Result<void> expect_folder(const std::string& path) const {
        struct stat status{};
        if (::fstatat(root_.get(), path.c_str(), &status, 0) < 0)
            return fail_at_path("make directory", path, errno);
        if (!S_ISDIR(status.st_mode)) return fail_at_path("make directory", path, ENOTDIR);
        return {};
    }

    static bool is_folder(int parent, const dirent& entry) {
        if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return entry.d_type == DT_DIR;
        struct stat status{};
        return ::fstatat(parent, entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
    }

    static bool is_link(int parent, const dirent& entry) {
        if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_LNK;
        struct stat status{};
        return ::fstatat(parent, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
               S_ISLNK(status.st_mode);
    }

    UniqueFd root_;
};

// Makes the root itself durable when we are the ones who made it: each new folder's parent is
// synced.
Result<void> make_root(const std::filesystem::path& root) {
    std::error_code error;
    if (std::filesystem::is_directory(root, error)) return {};
    const auto parent = root.parent_path();
    if (!parent.empty() && parent != root) BERTH_CHECK(make_root(parent));
    if (::mkdir(root.c_str(), kFolderMode) < 0 && errno != EEXIST)
        return fail_errno("make directory " + root.string(), errno);
    UniqueFd above(retry([&] {
        return ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }));
    if (!above || retry([&] { return ::fsync(above.get()); }) < 0)
        return fail_errno("sync directory " + parent.string(), errno);
    return {};
}

}  // namespace

Result<std::unique_ptr<Directory>> open_directory(std::string_view root) {
    if (root.empty()) return fail(Errc::invalid, "the root directory has no name");
    std::string name(root);
    while (name.size() > 1 && name.back() == '/')
        name.pop_back();
    BERTH_CHECK(make_root(name));
    return open_existing_directory(name);
}

Result<std::unique_ptr<Directory>> open_existing_directory(std::string_view root) {
    const std::string name(root);
    UniqueFd fd(retry([&] { return ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) return fail_errno("open directory " + name, errno);
    return std::make_unique<PosixDirectory>(std::move(fd));
}

}  // namespace berth::io
