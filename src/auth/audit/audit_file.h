// AuditFile: the file an audit log is written to, and its rotation:
//
//   audit.log      being written
//   audit.log.1    the one before
//   audit.log.2    …
//
// Knows where lines end, not what they say. Not thread-safe. The file is locked (flock) while it is
// written, so that no two processes make one chain of theirs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/audit/audit_line.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::auth {

class AuditFile {
  public:
    // Where the chain goes on.
    struct End {
        std::uint64_t seq = 0;  // of the last line; 0: there is none
        std::string hash = first_audit_hash();
        std::uint64_t bytes_cut = 0;  // of a line that was not whole
    };

    // Makes the file if it is not there. Errors as AuditLog::open().
    static Result<AuditFile> open(std::string path, std::size_t files_max);

    const End& end() const { return end_; }  // as it was found
    std::uint64_t size() const { return size_; }

    // Whole lines. On an error nothing of them is in the file, or is taken out again by the next
    // call.
    Result<void> append(std::string_view lines);
    // Goes on in a new, empty file: true. After an error the old one stays in use.
    Result<bool> rotate();
    // The same, but only if `path` is another file by now, or none. False: it is still ours.
    Result<bool> reopen();
    Result<void> sync();

  private:
    AuditFile(std::string path, std::size_t files_max)
        : path_(std::move(path)), files_max_(files_max) {}

    Result<void> find_end();
    Result<void> make_room();
    std::string rotated(std::size_t number) const;

    std::string path_;
    std::size_t files_max_ = 0;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
    End end_;
    std::optional<std::uint64_t> torn_at_;  // what lies behind was written in part only
};

// The rotated files of `path` that are there, oldest first, and `path` itself if it is there.
Result<std::vector<std::string>> audit_files(const std::string& path);

}  // namespace berth::auth
