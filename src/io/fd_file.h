// FdFile: a File that is a file descriptor, of the disk or of memory (memfd).
#pragma once

#include "base/unique_fd.h"
#include "io/directory.h"

namespace berth::io {

// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR)
        result = call();
    return result;
}

class FdFile final : public File {
  public:
    explicit FdFile(UniqueFd fd) : fd_(std::move(fd)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) const override;
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override;
    Result<void> truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() const override;
    Result<void> sync() override;
    int fd() const override { return fd_.get(); }

  private:
    UniqueFd fd_;
};

}  // namespace berth::io
