#include <limits>
#include <mutex>

#include "io/directory.h"
#include "io/path.h"
#include "io/tree.h"

namespace berth::io {
namespace {

class MemoryDirectory final : public Directory {
  public:
    Result<std::unique_ptr<File>> open(std::string_view path) const override {
        std::lock_guard lock(mutex_);
        BERTH_TRY(const auto node, tree_.find_file(path));
        return open_node(*node);
    }
    Result<std::unique_ptr<File>> open_to_write(std::string_view path) override {
        return open(path);
    }
    Result<std::unique_ptr<File>> create(std::string_view path) override {
        std::lock_guard lock(mutex_);
        BERTH_TRY(const auto node, tree_.add_file(path));
        return open_node(*node);
    }
    Result<void> rename(std::string_view from, std::string_view to) override {
        std::lock_guard lock(mutex_);
        return tree_.rename(from, to);
    }
    Result<void> remove(std::string_view path) override {
        std::lock_guard lock(mutex_);
        return tree_.remove(path);
    }
    Result<std::vector<std::string>> make_directories(std::string_view path) override {
        std::lock_guard lock(mutex_);
        BERTH_TRY(const auto missing, tree_.missing_folders(path));
        std::vector<std::string> changed;
        for (const auto& folder : missing) {
            BERTH_CHECK(tree_.add_folder(folder));
            changed.emplace(changed.begin(), folder_of(folder));
        }
        return changed;
    }
    Result<void> sync_directory(std::string_view path) override {
        std::lock_guard lock(mutex_);
        BERTH_CHECK(tree_.find_folder(path));
        return {};
    }
    Result<void> sync_all() override { return {}; }
    Result<std::vector<Entry>> list(std::string_view path) const override {
        std::lock_guard lock(mutex_);
        return tree_.list(path);
    }
    Result<Space> space() const override {
        constexpr auto kEndless = std::numeric_limits<std::uint64_t>::max();
        return Space{kEndless, kEndless};
    }

  private:
    mutable std::mutex mutex_;
    Tree tree_;
};

}  // namespace

std::unique_ptr<Directory> make_memory_directory() {
    return std::make_unique<MemoryDirectory>();
}

}  // namespace berth::io
