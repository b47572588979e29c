// The operating system's files behind one seam.
//
// A Directory is a tree; every path is relative to its root, with `/`, without `.` or `..`
// (anything else is Errc::invalid); the empty path is the root itself, for list and sync_directory.
// What survives a power cut is exactly what POSIX promises and no more: a file's bytes after
// File::sync, a name (created, renamed or removed) after sync_directory of the folder it stands in.
// PosixDirectory is the real one, MemoryDirectory lives in memory, CrashDirectory loses on request
// whatever was not synced (its tests are the proof of the durability contract). Thread-safe,
// blocking: called from pools, never from an event loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::io {

// An open file. Positioned calls only, so one File may serve many readers at once; one writer at a
// time.
class File {
  public:
    virtual ~File() = default;

    // Fewer bytes than asked only at the end of the file.
    virtual Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) const = 0;
    virtual Result<void> write_at(std::uint64_t offset, Bytes bytes) = 0;
    virtual Result<void> truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() const = 0;
    // When its bytes were last written.
    virtual Result<Time> modified_at() const = 0;
    // The bytes, and the size, are on the disk when this returns.
    virtual Result<void> sync() = 0;
    // For sendfile; valid as long as the File. In-memory files have one too (a memfd).
    virtual int fd() const = 0;
};

struct Entry {
    std::string name;
    bool is_directory = false;  // or a symbolic link to one
    bool is_link = false;       // a symbolic link
};

struct Space {
    std::uint64_t total_bytes = 0;
    std::uint64_t free_bytes = 0;  // for us, without the superuser's reserve
};

class Directory {
  public:
    virtual ~Directory() = default;

    virtual Result<std::unique_ptr<File>> open(std::string_view path) const = 0;     // to read
    virtual Result<std::unique_ptr<File>> open_to_write(std::string_view path) = 0;  // must exist
    // Creates an empty file to write; Errc::already_exists when there is one.
    virtual Result<std::unique_ptr<File>> create(std::string_view path) = 0;
    // Replaces `to` at one stroke if it exists.
    virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
    virtual Result<void> remove(std::string_view path) = 0;  // a file or an empty directory
    // Makes the directory and its missing parents. Returns the folders whose entries changed, in
    // the order in which they must be synced (innermost first): what sync_directory is still owed.
    virtual Result<std::vector<std::string>> make_directories(std::string_view path) = 0;
    virtual Result<void> sync_directory(std::string_view path) = 0;
    // Everything in the tree is on the disk when this returns: for work on so many files that to
    // sync each would take longer.
    virtual Result<void> sync_all() = 0;
    virtual Result<std::vector<Entry>> list(std::string_view path) const = 0;
    virtual Result<Space> space() const = 0;
    // Makes the new file `path` of the bytes of `file`, which may be of another directory, without
    // copying them: a clone, or else one more name (hard link) for it if this process's user owns
    // it. Nobody may write to the file any more. False, and no file, where neither can be done.
    virtual Result<bool> share(const File& file, std::string_view path);
};

// Opens `root`, creating it (and its parents) if it is missing.
Result<std::unique_ptr<Directory>> open_directory(std::string_view root);

// The same, but Errc::not_found when `root` is missing.
Result<std::unique_ptr<Directory>> open_existing_directory(std::string_view root);

// Nothing touches a disk; files are memfds.
std::unique_ptr<Directory> make_memory_directory();

// The whole of a file; Errc::too_large when it is longer than `bytes_max`.
Result<std::string> read_file(const Directory& directory, std::string_view path,
                              std::size_t bytes_max);

// Replaces a file at one stroke, durably: temporary file, sync, rename, sync of the folder.
Result<void> replace_file(Directory& directory, std::string_view path, std::string_view content);

// An exclusive lock (flock) on a file of the tree, held until the object goes. Errc::conflict when
// another process holds it; the detail then has what that process wrote about itself.
class DirectoryLock {
  public:
    // `root` as for open_directory; `owner` is written into the file (process id and address, for
    // people).
    static Result<DirectoryLock> acquire(std::string_view root, std::string_view path,
                                         std::string_view owner);

  private:
    explicit DirectoryLock(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace berth::io
