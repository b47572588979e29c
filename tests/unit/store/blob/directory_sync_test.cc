// Goal: every caller's entries are synced, by few syncs when many call at once.
// Method: a directory whose sync waits for the test to let it go on.
#include "store/blob/directory_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "io/crash_directory.h"

namespace berth::store {
namespace {

// Counts syncs, and holds them at a gate while it is closed.
class GatedDirectory final : public io::Directory {
  public:
    Result<void> sync_directory(std::string_view path) override {
        std::unique_lock lock(mutex_);
        ++started_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        return failing_ ? Result<void>(fail(Errc::io, "injected")) : inner_.sync_directory(path);
    }
    Result<void> sync_all() override { return inner_.sync_all(); }
    void set_open(bool open) {
        std::lock_guard lock(mutex_);
        open_ = open;
        changed_.notify_all();
    }
    void set_failing(bool failing) {
        std::lock_guard lock(mutex_);
        failing_ = failing;
    }
    int started() const {
        std::lock_guard lock(mutex_);
        return started_;
    }
    void wait_for_start(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this, count] { return started_ >= count; });
    }

    Result<std::unique_ptr<io::File>> open(std::string_view path) const override {
        return inner_.open(path);
    }
    Result<std::unique_ptr<io::File>> open_to_write(std::string_view path) override {
        return inner_.open_to_write(path);
    }
    Result<std::unique_ptr<io::File>> create(std::string_view path) override {
        return inner_.create(path);
    }
    Result<void> rename(std::string_view from, std::string_view to) override {
        return inner_.rename(from, to);
    }
    Result<void> remove(std::string_view path) override { return inner_.remove(path); }
    Result<std::vector<std::string>> make_directories(std::string_view path) override {
        return inner_.make_directories(path);
    }
    Result<std::vector<io::Entry>> list(std::string_view path) const override {
        return inner_.list(path);
    }
    Result<io::Space> space() const override { return inner_.space(); }

  private:
    io::CrashDirectory inner_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    bool failing_ = false;
    int started_ = 0;
};

// How many syncs it takes to serve one caller, and eight that come while its sync is held.
int syncs_for_nine_callers() {
    GatedDirectory directory;
    DirectorySync folders(directory);
    directory.set_open(false);
    std::vector<std::thread> threads;
    std::atomic<int> calling = 0, served = 0;
    const auto call = [&folders, &calling, &served] {
        ++calling;
        if (folders.sync("")) ++served;
    };
    threads.emplace_back(call);
    directory.wait_for_start(1);
    for (int i = 0; i < 8; ++i)
        threads.emplace_back(call);
    while (calling < 9)
        std::this_thread::yield();
    directory.set_open(true);
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(served, 9);
    return directory.started();
}

TEST(DirectorySync, CallersThatComeDuringASyncShareTheNext) {
    // A thread may be held up between saying that it calls and calling, hence not 2 each time.
    int syncs = syncs_for_nine_callers();
    for (int i = 0; i < 100 && syncs != 2; ++i) {
        EXPECT_GT(syncs, 2);  // they came too late for the one that was running
        syncs = syncs_for_nine_callers();
    }
    EXPECT_EQ(syncs, 2);
}

TEST(DirectorySync, FoldersDoNotWaitForOneAnother) {
    GatedDirectory directory;
    DirectorySync folders(directory);
    ASSERT_TRUE(directory.make_directories("a"));
    ASSERT_TRUE(directory.make_directories("b"));
    directory.set_open(false);
    std::thread first([&folders] { EXPECT_TRUE(folders.sync("a")); });
    std::thread second([&folders] { EXPECT_TRUE(folders.sync("b")); });
    directory.wait_for_start(2);  // both at once, or this would hang
    directory.set_open(true);
    first.join();
    second.join();
}

TEST(DirectorySync, AFailureIsSaidAndNotRemembered) {
    GatedDirectory directory;
    DirectorySync folders(directory);
    directory.set_failing(true);
    EXPECT_FALSE(folders.sync(""));
    directory.set_failing(false);
    EXPECT_TRUE(folders.sync(""));
}

TEST(DirectorySync, EnsureSyncsEachParentOnce) {
    GatedDirectory directory;
    DirectorySync folders(directory);
    ASSERT_TRUE(folders.ensure("a/b/c"));
    EXPECT_EQ(directory.started(), 3);
    ASSERT_TRUE(folders.ensure("a/b/c"));
    EXPECT_EQ(directory.started(), 3);
    ASSERT_TRUE(folders.ensure("a/b/d"));
    EXPECT_EQ(directory.started(), 4);
}

TEST(DirectorySync, EnsureSyncsWhatAnEarlierProcessMade) {
    GatedDirectory directory;
    ASSERT_TRUE(directory.make_directories("a/b"));
    DirectorySync folders(directory);
    ASSERT_TRUE(folders.ensure("a/b"));
    EXPECT_EQ(directory.started(), 2);
}

TEST(DirectorySync, EnsureTriesAgainAfterAFailure) {
    GatedDirectory directory;
    DirectorySync folders(directory);
    directory.set_failing(true);
    EXPECT_FALSE(folders.ensure("a"));
    directory.set_failing(false);
    EXPECT_TRUE(folders.ensure("a"));
    EXPECT_EQ(directory.started(), 2);
}

}  // namespace
}  // namespace berth::store
