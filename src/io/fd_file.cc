#include "io/fd_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "base/page_buffer.h"

namespace berth::io {

namespace {

constexpr std::size_t kDirectBytesMin = 256u << 10;

}  // namespace

Result<std::size_t> FdFile::read_at(std::uint64_t offset, MutableBytes out) const {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got = retry([&] {
            return ::pread(fd_.get(), out.data() + done, out.size() - done,
                           static_cast<off_t>(offset + done));
        });
        if (got < 0) return fail_errno("read", errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

bool FdFile::write_direct(std::uint64_t offset, Bytes bytes) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    const bool fits =
        bytes.size() >= kDirectBytesMin && (offset | bytes.size() | address) % kPageBytes == 0;
    if (!fits || !direct_works_) return false;
    if (!direct_fd_) {
        const std::string path = "/proc/self/fd/" + std::to_string(fd_.get());
        direct_fd_.reset(
            retry([&] { return ::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC); }));
    }
    // Whatever is wrong, a file system that cannot do it or a full disk: the usual way then
    // succeeds, or says what it is. A part that was written is written again.
    const ssize_t put = direct_fd_ ? retry([&] {
        return ::pwrite(direct_fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    })
                                   : -1;
    direct_works_ = put == std::ssize(bytes);
    return direct_works_;
}

Result<void> FdFile::write_at(std::uint64_t offset, Bytes bytes) {
    if (write_direct(offset, bytes)) return {};
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t put = retry([&] {
            return ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                            static_cast<off_t>(offset + done));
        });
        if (put < 0) return fail_errno("write", errno);
        done += static_cast<std::size_t>(put);
    }
    return {};
}

Result<void> FdFile::truncate(std::uint64_t size) {
    if (retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) < 0)
        return fail_errno("truncate", errno);
    return {};
}

Result<std::uint64_t> FdFile::size() const {
    struct stat status{};
    if (::fstat(fd_.get(), &status) < 0) return fail_errno("stat", errno);
    return static_cast<std::uint64_t>(status.st_size);
}

Result<Time> FdFile::modified_at() const {
    struct stat status{};
    if (::fstat(fd_.get(), &status) < 0) return fail_errno("stat", errno);
    const std::chrono::seconds seconds(status.st_mtim.tv_sec);
    const std::chrono::nanoseconds rest(status.st_mtim.tv_nsec);
    return Time(seconds + std::chrono::duration_cast<std::chrono::milliseconds>(rest));
}

Result<void> FdFile::sync() {
    // The size counts as data; times and owners, which fdatasync leaves out, do not matter to us.
    if (retry([&] { return ::fdatasync(fd_.get()); }) < 0) return fail_errno("sync", errno);
    return {};
}

}  // namespace berth::io
