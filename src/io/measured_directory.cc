#include "io/measured_directory.h"

#include <utility>

namespace berth::io {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Measures its own life.
class Stopwatch {
  public:
    Stopwatch(const OnDirectoryCall& on_call, std::string_view action)
        : on_call_(on_call), action_(action) {}
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    ~Stopwatch() { on_call_(action_, SteadyClock::now() - began_); }

  private:
    const OnDirectoryCall& on_call_;
    const std::string_view action_;
    const SteadyClock::time_point began_ = SteadyClock::now();
};

// Files may outlive their directory.
using SharedCall = std::shared_ptr<const OnDirectoryCall>;

class MeasuredFile final : public File {
  public:
    MeasuredFile(std::unique_ptr<File> file, SharedCall on_call)
        : file_(std::move(file)), on_call_(std::move(on_call)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) const override {
        const Stopwatch watch(*on_call_, "GetContent");
        return file_->read_at(offset, out);
    }
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        const Stopwatch watch(*on_call_, "PutContent");
        return file_->write_at(offset, bytes);
    }
    Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<std::uint64_t> size() const override { return file_->size(); }
    Result<Time> modified_at() const override { return file_->modified_at(); }
    Result<void> sync() override {
        const Stopwatch watch(*on_call_, "Sync");
        return file_->sync();
    }
    int fd() const override { return file_->fd(); }

  private:
    const std::unique_ptr<File> file_;
    const SharedCall on_call_;
};

class MeasuredDirectory final : public Directory {
  public:
    MeasuredDirectory(std::unique_ptr<Directory> directory, OnDirectoryCall on_call)
        : directory_(std::move(directory)),
          on_call_(std::make_shared<const OnDirectoryCall>(std::move(on_call))) {}

    Result<std::unique_ptr<File>> open(std::string_view path) const override {
        const Stopwatch watch(*on_call_, "Reader");
        return measured(directory_->open(path));
    }
    Result<std::unique_ptr<File>> open_to_write(std::string_view path) override {
        const Stopwatch watch(*on_call_, "Writer");
        return measured(directory_->open_to_write(path));
    }
    Result<std::unique_ptr<File>> create(std::string_view path) override {
        const Stopwatch watch(*on_call_, "Writer");
        return measured(directory_->create(path));
    }
    Result<void> rename(std::string_view from, std::string_view to) override {
        const Stopwatch watch(*on_call_, "Move");
        return directory_->rename(from, to);
    }
    Result<void> remove(std::string_view path) override {
        const Stopwatch watch(*on_call_, "Delete");
        return directory_->remove(path);
    }
    Result<std::vector<std::string>> make_directories(std::string_view path) override {
        const Stopwatch watch(*on_call_, "Writer");
        return directory_->make_directories(path);
    }
    Result<void> sync_directory(std::string_view path) override {
        const Stopwatch watch(*on_call_, "Sync");
        return directory_->sync_directory(path);
    }
    Result<void> sync_all() override {
        const Stopwatch watch(*on_call_, "Sync");
        return directory_->sync_all();
    }
    Result<std::vector<Entry>> list(std::string_view path) const override {
        const Stopwatch watch(*on_call_, "List");
        return directory_->list(path);
    }
    Result<Space> space() const override {
        const Stopwatch watch(*on_call_, "Stat");
        return directory_->space();
    }
    Result<bool> share(const File& file, std::string_view path) override {
        const Stopwatch watch(*on_call_, "Writer");
        return directory_->share(file, path);
    }

  private:
    Result<std::unique_ptr<File>> measured(Result<std::unique_ptr<File>> file) const {
        if (!file) return file;
        return std::make_unique<MeasuredFile>(std::move(*file), on_call_);
    }

    const std::unique_ptr<Directory> directory_;
    const SharedCall on_call_;
};

}  // namespace

std::unique_ptr<Directory> measure(std::unique_ptr<Directory> directory, OnDirectoryCall on_call) {
    return std::make_unique<MeasuredDirectory>(std::move(directory), std::move(on_call));
}

}  // namespace berth::io
