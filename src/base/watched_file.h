// WatchedFile<T>: what a file says, as a value, read anew when the file changes: rewritten in
// place, renamed over, or behind a symbolic link that was turned to another file.
//
// A change is noticed by the file's stat (device, inode, size, time of change to the nanosecond). A
// file that cannot be read or parsed keeps the value before in force, is tried again every second,
// and is reported once. Thread-safe.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace berth {

// Has the file changed? The part of WatchedFile that knows nothing of what is in it.
class FileWatch {
  public:
    FileWatch(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

    const std::string& path() const { return path_; }
    // Counts up when the file changes. For the hot path: looks at the stat no more than once in
    // 2 ms.
    std::uint64_t version();
    // The same, and looks now.
    std::uint64_t look();

  private:
    // All zero for a file that is not there. The time of change, unlike that of modification,
    // cannot be set back by anybody.
    struct Mark {
        ::dev_t device = 0;
        ::ino_t inode = 0;
        ::off_t size = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        friend bool operator==(const Mark&, const Mark&) = default;
    };

    const std::string path_;
    const Clock& clock_;
    std::atomic<SteadyTime::rep> next_look_{0};
    std::atomic<std::uint64_t> version_{0};
    std::mutex mutex_;
    Mark mark_;
};

// The whole text, 64 MiB at most. Errc::not_found, io, too_large; the detail names the file.
Result<std::string> read_text_file(const std::string& path);

// What a file that is not there counts as.
enum class MissingFile { is_an_error, is_empty };

template <class T>
class WatchedFile {
  public:
    using Parse = std::function<Result<T>(std::string_view text)>;
    // Gets sentences that are complete: they name the file and say what stays in force.
    using Report = std::function<void(const Error&)>;

    // Reads it for the first time, when what is wrong is an error. `clock` outlives it.
    static Result<std::unique_ptr<WatchedFile>> open(
        std::string path, const Clock& clock, Parse parse, Report report,
        MissingFile missing = MissingFile::is_an_error) {
        auto file = std::unique_ptr<WatchedFile>(
            new WatchedFile(std::move(path), clock, std::move(parse), std::move(report), missing));
        file->tried_ = file->watch_.look();
        BERTH_TRY(T value, file->read());
        file->value_ = std::make_shared<const T>(std::move(value));
        return file;
    }

    const std::string& path() const { return watch_.path(); }
    // As FileWatch::version().
    std::uint64_t version() { return watch_.version(); }

    struct Reading {
        std::shared_ptr<const T> value;
        std::uint64_t version = 0;
    };
    // Reads the file if it changed: called from a pool.
    Reading current() {
        std::lock_guard lock(mutex_);
        const std::uint64_t version = watch_.look();
        refresh(version);
        return {value_, version};
    }

  private:
    WatchedFile(std::string path, const Clock& clock, Parse parse, Report report,
                MissingFile missing)
        : watch_(std::move(path), clock),
          clock_(clock),
          parse_(std::move(parse)),
          report_(std::move(report)),
          missing_(missing) {}

    Result<T> read() const {
        auto text = read_text_file(path());
        if (!text && text.error().code == Errc::not_found && missing_ == MissingFile::is_empty) {
            return parse_({});
        }
        if (!text) return std::unexpected(std::move(text.error()));
        auto parsed = parse_(*text);
        if (!parsed) return std::unexpected(std::move(parsed.error()).with_context(path()));
        return parsed;
    }

    void refresh(std::uint64_t version) {
        const SteadyTime now = clock_.steady_now();
        if (tried_ == version && !(stale_ && now >= retry_at_)) return;
        tried_ = version;
        auto value = read();
        stale_ = !value;
        if (value) {
            value_ = std::make_shared<const T>(std::move(*value));
            reported_.clear();
            return;
        }
        retry_at_ = now + std::chrono::seconds(1);
        if (value.error().detail == reported_) return;
        reported_ = value.error().detail;
        report_(Error{value.error().code, reported_ + "; what was read before stays in force",
                      value.error().os_errno});
    }

    FileWatch watch_;
    const Clock& clock_;
    const Parse parse_;
    const Report report_;
    const MissingFile missing_;
    std::mutex mutex_;
    std::shared_ptr<const T> value_;
    std::uint64_t tried_ = 0;
    bool stale_ = false;  // the last try failed
    SteadyTime retry_at_;
    std::string reported_;
};

}  // namespace berth
