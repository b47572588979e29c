// CrashDirectory: a directory in memory that forgets, on request, whatever was not synced.
//
// The proof of the durability contract runs on it: a test cuts the power at each step of some work,
// in many ways (seeds), and looks at what is found afterwards. A step is one call that changes the
// tree or a file, or syncs; making three directories is three steps. It can also fail one step as a
// full or failing disk does. Thread-safe. Files it opened must not outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "io/crash_disk.h"
#include "io/directory.h"
#include "io/tree.h"

namespace berth::io {

class CrashDirectory final : public Directory {
  public:
    CrashDirectory() = default;

    // The power goes at step `step` (counted from 1, from construction): that one and all after it
    // fail with Errc::io. Whether the step itself took effect is as open as for anything unsynced.
    void fail_at(std::uint64_t step);
    // Only step `step` fails, without effect, as the system call would with `os_errno`.
    void fail_once_at(std::uint64_t step, int os_errno);
    std::uint64_t steps() const;
    // The tree as it is found after a power cut now. `seed` decides what of the unsynced survives:
    // nothing, all, or some of it. This object stays as it is, so one moment can be looked at with
    // many seeds.
    std::unique_ptr<CrashDirectory> crash(std::uint64_t seed) const;
    void set_space(Space space);

    Result<std::unique_ptr<File>> open(std::string_view path) const override;
    Result<std::unique_ptr<File>> open_to_write(std::string_view path) override;
    Result<std::unique_ptr<File>> create(std::string_view path) override;
    Result<void> rename(std::string_view from, std::string_view to) override;
    Result<void> remove(std::string_view path) override;
    Result<std::vector<std::string>> make_directories(std::string_view path) override;
    Result<void> sync_directory(std::string_view path) override;
    Result<void> sync_all() override;
    Result<std::vector<Entry>> list(std::string_view path) const override;
    Result<Space> space() const override;

  private:
    class CrashFile;
    enum class Step { normal, last, refused };

    // Counts a step and says what becomes of it; an error is the one to inject.
    Result<Step> next_step();
    template <class Operation>
    auto run(Operation operation) -> std::invoke_result_t<Operation>;
    Result<void> run_sync(const std::function<Result<void>()>& sync);
    void restore(const CrashDisk& disk, std::uint64_t folder, const std::string& path);

    mutable std::mutex mutex_;
    Tree tree_;
    CrashDisk disk_;
    std::uint64_t steps_ = 0;
    std::uint64_t cut_step_ = 0;  // 0: never
    std::uint64_t error_step_ = 0;
    int error_errno_ = 0;
    Space space_{std::uint64_t{1} << 40, std::uint64_t{1} << 40};
};

}  // namespace berth::io
