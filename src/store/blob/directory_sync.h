// DirectorySync: syncs folders for many pushes at once.
//
// A caller is served by any sync of its folder that starts after the call, so pushes that come
// while the disk is busy share the next sync. Thread-safe; `directory` outlives it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "io/directory.h"

namespace berth::store {

class DirectorySync {
  public:
    explicit DirectorySync(io::Directory& directory) : directory_(directory) {}

    // The entries of `folder` as they were at the call are on the disk.
    Result<void> sync(const std::string& folder);
    // `folder` exists, and its name and those of its parents are on the disk. For folders that are
    // never removed: each is looked after once in a process, also if it is there already, because a
    // crash may have come between an earlier process's mkdir and its sync.
    Result<void> ensure(std::string_view folder);

  private:
    struct Run {
        bool done = false;
        std::optional<Error> error;
    };
    struct Folder {
        bool running = false;
        std::shared_ptr<Run> next;  // what callers wait for who came since the running sync started
    };

    io::Directory& directory_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Folder, std::less<>> busy_;
    std::set<std::string, std::less<>> durable_;
};

}  // namespace berth::store
