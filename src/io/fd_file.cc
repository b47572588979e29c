#include "io/fd_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace berth::io {

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

Result<void> FdFile::write_at(std::uint64_t offset, Bytes bytes) {
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

Result<void> FdFile::sync() {
    // The size counts as data; times and owners, which fdatasync leaves out, do not matter to us.
    if (retry([&] { return ::fdatasync(fd_.get()); }) < 0) return fail_errno("sync", errno);
    return {};
}

}  // namespace berth::io
