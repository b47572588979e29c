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
    Result<Time> modified_at() const override;
    Result<void> sync() override;
    int fd() const override { return fd_.get(); }

  private:
    // Writes large, aligned bytes past the page cache, and returns whether it did: what is pushed
    // costs no copy then, and does not drive out of memory what is pulled.
    bool write_direct(std::uint64_t offset, Bytes bytes);

    UniqueFd fd_;
    UniqueFd direct_fd_;  // the same file, O_DIRECT; opened by the first write that is large enough
    bool direct_works_ = true;
};

}  // namespace berth::io
