#include "base/watched_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "base/unique_fd.h"

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookInterval = 2ms;
constexpr std::size_t kTextBytesMax = 64 << 20;

}  // namespace

std::uint64_t FileWatch::version() {
    const auto now = clock_.steady_now().time_since_epoch();
    auto due = next_look_.load(std::memory_order_relaxed);
    const auto next = SteadyTime::duration(now + kLookInterval).count();
    if (now.count() < due || !next_look_.compare_exchange_strong(due, next)) {
        return version_.load();
    }
    return look();
}

std::uint64_t FileWatch::look() {
    std::lock_guard lock(mutex_);
    Mark seen;
    struct ::stat found{};
    if (::stat(path_.c_str(), &found) == 0) {
        seen = {found.st_dev, found.st_ino, found.st_size, found.st_ctim.tv_sec,
                found.st_ctim.tv_nsec};
    }
    if (seen == mark_) return version_.load();
    mark_ = seen;
    return ++version_;
}

Result<std::string> read_text_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail_errno("open " + path, errno);
    std::string text;
    std::array<char, 16 << 10> buffer{};
    for (;;) {
        const ::ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + path, errno);
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > kTextBytesMax) return fail(Errc::too_large, path + " is too large");
    }
}

}  // namespace berth
