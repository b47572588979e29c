#include "store/cache/redis_pool.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace berth::store {

namespace {

constexpr std::string_view kProbeSeconds = "60";

// What a connection that was idle says when Redis has closed it meanwhile.
bool is_cut(const Error& error) {
    return error.code == Errc::unavailable && error.os_errno != ETIMEDOUT;
}

}  // namespace

RedisPool::RedisPool(RedisOptions options, std::string probe_key, const Clock& clock, Logger& log)
    : options_(std::move(options)),
      probe_key_(std::move(probe_key)),
      clock_(clock),
      log_(log),
      watcher_([this] { watch(); }) {}

RedisPool::~RedisPool() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    watcher_.join();
}

RedisPool::Answer RedisPool::ask(std::initializer_list<std::string_view> command) {
    auto leased = lease();
    if (!leased) return fail(Errc::rate_limited, "Redis is lost, or its connections are in use");
    auto answer = ask_on(*leased, command);
    if (answer) {
        give_back(std::move(*leased));
    } else {
        lose(answer.error());
    }
    return answer;
}

RedisPool::Answer RedisPool::ask_on(ConnectionPtr& connection,
                                    std::initializer_list<std::string_view> command) {
    if (connection) {
        auto answer = connection->ask(command);
        if (answer || !is_cut(answer.error())) return answer;
    }
    BERTH_TRY(connection, RedisConnection::open(options_));
    return connection->ask(command);
}

std::optional<RedisPool::ConnectionPtr> RedisPool::lease() {
    std::vector<Idle> expired;  // closed after the lock
    std::lock_guard lock(mutex_);
    if (!reached_) return std::nullopt;
    const auto oldest = clock_.steady_now() - options_.idle_timeout;
    const auto fresh =
        std::ranges::find_if(idle_, [oldest](const Idle& idle) { return idle.since > oldest; });
    std::move(idle_.begin(), fresh, std::back_inserter(expired));
    idle_.erase(idle_.begin(), fresh);
    if (idle_.empty() && leased_ == options_.connections_max) return std::nullopt;
    ++leased_;
    if (idle_.empty()) return nullptr;
    auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    return connection;
}

void RedisPool::give_back(ConnectionPtr connection) {
    std::lock_guard lock(mutex_);
    --leased_;
    if (!reached_ || idle_.size() >= options_.idle_max) return;
    idle_.push_back({std::move(connection), clock_.steady_now()});
}

void RedisPool::lose(const Error& why) {
    std::vector<Idle> dropped;  // closed after the lock
    {
        std::lock_guard lock(mutex_);
        --leased_;
        if (!reached_) return;
        reached_ = false;
        complained_ = true;
        dropped.swap(idle_);
        // One that answers for a moment only is tried as seldom as one that never does.
        const bool lasted = clock_.steady_now() - reached_since_ > options_.pause_max;
        pause_ = lasted ? options_.pause_first : longer_pause();
    }
    changed_.notify_all();
    complain(why);
}

void RedisPool::watch() {
    while (wait_for_loss()) {
        auto connection = reach();
        if (connection) {
            take_up(std::move(*connection));
        } else {
            put_off(connection.error());
        }
    }
}

bool RedisPool::wait_for_loss() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !reached_; });
    changed_.wait_for(lock, pause_, [this] { return ending_; });
    return !ending_;
}

Result<RedisPool::ConnectionPtr> RedisPool::reach() const {
    BERTH_TRY(auto connection, RedisConnection::open(options_));
    BERTH_CHECK(connection->ask({"SET", probe_key_, "1", "EX", kProbeSeconds}));
    return connection;
}

void RedisPool::take_up(ConnectionPtr connection) {
    const std::string address = connection->address();
    {
        std::lock_guard lock(mutex_);
        reached_ = true;
        complained_ = false;
        reached_since_ = clock_.steady_now();
        if (options_.idle_max > 0) idle_.push_back({std::move(connection), reached_since_});
    }
    log_.write(LogLevel::info, "Redis keeps blob descriptors", {{"address", address}});
}

void RedisPool::put_off(const Error& why) {
    {
        std::lock_guard lock(mutex_);
        pause_ = longer_pause();
        if (std::exchange(complained_, true)) return;
    }
    complain(why);
}

std::chrono::milliseconds RedisPool::longer_pause() const {
    return std::clamp(2 * pause_, options_.pause_first, options_.pause_max);
}

void RedisPool::complain(const Error& why) {
    log_.write(LogLevel::warn, "going on without Redis, which is tried again from time to time",
               {{"error", why.detail}});
}

}  // namespace berth::store
