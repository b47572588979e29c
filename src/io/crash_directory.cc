#include "io/crash_directory.h"

#include "io/path.h"

namespace berth::io {
namespace {

std::unexpected<Error> power_cut() {
    return fail(Errc::io, "the power is gone");
}

}  // namespace

class CrashDirectory::CrashFile final : public File {
  public:
    CrashFile(CrashDirectory& directory, std::uint64_t node, std::unique_ptr<File> file)
        : directory_(directory), node_(node), file_(std::move(file)) {}

    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) const override {
        return file_->read_at(offset, out);
    }
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        return directory_.run([this, offset, bytes]() -> Result<void> {
            directory_.disk_.write(node_, offset, bytes);
            return file_->write_at(offset, bytes);
        });
    }
    Result<void> truncate(std::uint64_t size) override {
        return directory_.run([this, size]() -> Result<void> {
            directory_.disk_.truncate(node_, size);
            return file_->truncate(size);
        });
    }
    Result<std::uint64_t> size() const override { return file_->size(); }
    Result<Time> modified_at() const override { return file_->modified_at(); }
    Result<void> sync() override {
        return directory_.run_sync([this]() -> Result<void> {
            directory_.disk_.sync_file(node_);
            return {};
        });
    }
    int fd() const override { return file_->fd(); }

  private:
    CrashDirectory& directory_;
    const std::uint64_t node_;
    const std::unique_ptr<File> file_;
};

void CrashDirectory::fail_at(std::uint64_t step) {
    std::lock_guard lock(mutex_);
    cut_step_ = step;
}

void CrashDirectory::fail_once_at(std::uint64_t step, int os_errno) {
    std::lock_guard lock(mutex_);
    error_step_ = step;
    error_errno_ = os_errno;
}

std::uint64_t CrashDirectory::steps() const {
    std::lock_guard lock(mutex_);
    return steps_;
}

void CrashDirectory::set_space(Space space) {
    std::lock_guard lock(mutex_);
    space_ = space;
}

std::unique_ptr<CrashDirectory> CrashDirectory::crash(std::uint64_t seed) const {
    std::unique_lock lock(mutex_);
    CrashDisk disk = disk_;
    lock.unlock();
    Random random(seed);
    disk.cut_power(random);
    auto found = std::make_unique<CrashDirectory>();
    found->restore(disk, 0, "");
    found->steps_ = 0;
    return found;
}

// Builds the tree below `path` from the plate; all of it is then durable.
void CrashDirectory::restore(const CrashDisk& disk, std::uint64_t folder, const std::string& path) {
    for (const auto& [name, id] : disk.node(folder).entries) {
        const std::string inner = path.empty() ? name : path + "/" + name;
        const auto& node = disk.node(id);
        if (node.is_directory) {
            make_directories(inner).value();
            restore(disk, id, inner);
        } else {
            const auto file = create(inner).value();
            file->write_at(0, as_bytes(node.content)).value();
            file->sync().value();
        }
    }
    sync_directory(path).value();
}

Result<CrashDirectory::Step> CrashDirectory::next_step() {
    ++steps_;
    if (steps_ == error_step_) return fail_errno("injected", error_errno_);
    if (cut_step_ == 0 || steps_ < cut_step_) return Step::normal;
    return steps_ == cut_step_ ? Step::last : Step::refused;
}

template <class Operation>
auto CrashDirectory::run(Operation operation) -> std::invoke_result_t<Operation> {
    std::lock_guard lock(mutex_);
    BERTH_TRY(const Step step, next_step());
    if (step == Step::refused) return power_cut();
    auto result = operation();  // at the last step into the cache: crash() says what becomes of it
    if (step == Step::last) return power_cut();
    return result;
}

Result<void> CrashDirectory::run_sync(const std::function<Result<void>()>& sync) {
    std::lock_guard lock(mutex_);
    BERTH_TRY(const Step step, next_step());
    if (step != Step::normal) return power_cut();
    return sync();
}

Result<std::unique_ptr<File>> CrashDirectory::open(std::string_view path) const {
    std::lock_guard lock(mutex_);
    BERTH_TRY(const auto node, tree_.find_file(path));
    return open_node(*node);
}

Result<std::unique_ptr<File>> CrashDirectory::open_to_write(std::string_view path) {
    std::lock_guard lock(mutex_);
    BERTH_TRY(const auto node, tree_.find_file(path));
    BERTH_TRY(auto file, open_node(*node));
    return std::make_unique<CrashFile>(*this, node->id, std::move(file));
}

Result<std::unique_ptr<File>> CrashDirectory::create(std::string_view path) {
    return run([this, path]() -> Result<std::unique_ptr<File>> {
        BERTH_TRY(const auto node, tree_.add_file(path));
        BERTH_TRY(const auto folder, tree_.find_folder(folder_of(path)));
        disk_.add_node(node->id, false);
        disk_.change_entries({{folder->id, std::string(last_component(path)), node->id}});
        BERTH_TRY(auto file, open_node(*node));
        return std::make_unique<CrashFile>(*this, node->id, std::move(file));
    });
}

Result<void> CrashDirectory::rename(std::string_view from, std::string_view to) {
    return run([this, from, to]() -> Result<void> {
        BERTH_CHECK(check_path(from));
        BERTH_CHECK(check_path(to));
        BERTH_TRY(const auto node, tree_.find(from));
        BERTH_TRY(const auto source, tree_.find_folder(folder_of(from)));
        BERTH_TRY(const auto target, tree_.find_folder(folder_of(to)));
        BERTH_CHECK(tree_.rename(from, to));
        if (from == to) return {};
        disk_.change_entries({{source->id, std::string(last_component(from)), 0},
                              {target->id, std::string(last_component(to)), node->id}});
        return {};
    });
}

Result<void> CrashDirectory::remove(std::string_view path) {
    return run([this, path]() -> Result<void> {
        BERTH_CHECK(tree_.remove(path));
        BERTH_TRY(const auto folder, tree_.find_folder(folder_of(path)));
        disk_.change_entries({{folder->id, std::string(last_component(path)), 0}});
        return {};
    });
}

Result<std::vector<std::string>> CrashDirectory::make_directories(std::string_view path) {
    std::vector<std::string> missing;
    {
        std::lock_guard lock(mutex_);
        BERTH_TRY(missing, tree_.missing_folders(path));
    }
    std::vector<std::string> changed;
    for (const auto& name : missing) {
        const auto made = run([this, &name]() -> Result<void> {
            BERTH_TRY(const auto node, tree_.add_folder(name));
            BERTH_TRY(const auto folder, tree_.find_folder(folder_of(name)));
            disk_.add_node(node->id, true);
            disk_.change_entries({{folder->id, std::string(last_component(name)), node->id}});
            return {};
        });
        if (!made && made.error().code != Errc::already_exists)  // or another thread made it
            return std::unexpected(made.error());
        if (made) changed.emplace(changed.begin(), folder_of(name));
    }
    return changed;
}

Result<void> CrashDirectory::sync_directory(std::string_view path) {
    return run_sync([this, path]() -> Result<void> {
        BERTH_TRY(const auto folder, tree_.find_folder(path));
        disk_.sync_folder(folder->id);
        return {};
    });
}

Result<void> CrashDirectory::sync_all() {
    return run_sync([this]() -> Result<void> {
        disk_.sync_all();
        return {};
    });
}

Result<std::vector<Entry>> CrashDirectory::list(std::string_view path) const {
    std::lock_guard lock(mutex_);
    return tree_.list(path);
}

Result<Space> CrashDirectory::space() const {
    std::lock_guard lock(mutex_);
    return space_;
}

}  // namespace berth::io
