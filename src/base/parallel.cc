#include "base/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace berth {
namespace {

constexpr std::size_t kQueue = 1024;  // helpers that find no place are not needed

// Of one call of each(). Helpers that come late find nothing to do, and do not touch `work`.
struct Batch {
    const std::size_t count;
    const std::function<Result<void>(std::size_t)>& work;
    std::mutex mutex = {};
    std::condition_variable idle = {};
    std::size_t next = 0;
    std::size_t busy = 0;
    std::optional<Error> error = std::nullopt;

    void help() {
        std::unique_lock lock(mutex);
        while (next < count && !error) {
            const std::size_t number = next++;
            ++busy;
            lock.unlock();
            auto done = work(number);
            lock.lock();
            if (!done && !error) error = std::move(done.error());
            if (--busy == 0) idle.notify_all();
        }
    }
};

}  // namespace

Parallel::Parallel(std::size_t threads)
    : threads_(std::max<std::size_t>(threads, 1)), pool_({"parallel", threads_, kQueue}) {}

Result<void> Parallel::each(std::size_t count,
                            const std::function<Result<void>(std::size_t)>& work) {
    const auto batch = std::make_shared<Batch>(count, work);
    for (std::size_t helpers = 1; helpers < std::min(count, threads_); ++helpers) {
        if (!pool_.submit([batch] { batch->help(); })) break;
    }
    batch->help();
    std::unique_lock lock(batch->mutex);
    batch->idle.wait(lock, [&batch] { return batch->busy == 0; });
    if (batch->error) return std::unexpected(std::move(*batch->error));
    return {};
}

}  // namespace berth
