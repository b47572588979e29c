#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>

#include "io/directory.h"
#include "io/fd_file.h"
#include "io/path.h"

namespace berth::io {
namespace {

constexpr std::size_t kOwnerLengthMax = 256;

}  // namespace

Result<DirectoryLock> DirectoryLock::acquire(std::string_view root, std::string_view path,
                                             std::string_view owner) {
    BERTH_TRY(const auto directory, open_directory(root));
    BERTH_CHECK(check_path(path));
    if (!folder_of(path).empty()) BERTH_CHECK(directory->make_directories(folder_of(path)));
    const std::string name = std::string(root) + "/" + std::string(path);
    UniqueFd fd(retry(
        [&] { return ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644); }));
    if (!fd) return fail_errno("open " + name, errno);
    DirectoryLock lock(std::move(fd));
    if (retry([&] { return ::flock(lock.fd_.get(), LOCK_EX | LOCK_NB); }) < 0) {
        if (errno != EWOULDBLOCK) return fail_errno("lock " + name, errno);
        std::array<char, kOwnerLengthMax> text{};
        const ssize_t got =
            retry([&] { return ::pread(lock.fd_.get(), text.data(), text.size(), 0); });
        const std::string_view holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        return fail(Errc::conflict, "another berth holds " + name +
                                        (holder.empty() ? "" : " (" + std::string(holder) + ")"));
    }
    if (retry([&] { return ::ftruncate(lock.fd_.get(), 0); }) < 0)
        return fail_errno("write " + name, errno);
    const std::string_view text = owner.substr(0, kOwnerLengthMax);
    if (retry([&] { return ::pwrite(lock.fd_.get(), text.data(), text.size(), 0); }) < 0)
        return fail_errno("write " + name, errno);
    return lock;
}

}  // namespace berth::io
