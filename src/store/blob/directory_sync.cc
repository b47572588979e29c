#include "store/blob/directory_sync.h"

namespace berth::store {

Result<void> DirectorySync::sync(const std::string& folder) {
    std::unique_lock lock(mutex_);
    Folder& state = busy_[folder];  // stays in place until its last waiter is served
    if (!state.next) state.next = std::make_shared<Run>();
    const auto run = state.next;
    changed_.wait(lock, [&run, &state] { return run->done || !state.running; });
    if (!run->done) {
        state.running = true;
        state.next = nullptr;
        lock.unlock();
        auto synced = directory_.sync_directory(folder);
        lock.lock();
        run->done = true;
        if (!synced) run->error = std::move(synced.error());
        state.running = false;
        if (!state.next) busy_.erase(folder);
        changed_.notify_all();
    }
    if (run->error) return std::unexpected(*run->error);
    return {};
}

Result<void> DirectorySync::ensure(std::string_view folder) {
    if (folder.empty()) return {};  // the root
    {
        std::lock_guard lock(mutex_);
        if (durable_.contains(folder)) return {};
    }
    const auto slash = folder.rfind('/');
    const auto parent = folder.substr(0, slash == std::string_view::npos ? 0 : slash);
    BERTH_CHECK(ensure(parent));
    BERTH_CHECK(directory_.make_directories(folder));
    BERTH_CHECK(sync(std::string(parent)));
    std::lock_guard lock(mutex_);
    durable_.emplace(folder);
    return {};
}

}  // namespace berth::store
