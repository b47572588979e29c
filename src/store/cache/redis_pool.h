// RedisPool: the connections to Redis, and whether it can be used at all.
//
// When anything fails, Redis is lost: all are told so at once, without asking it, until the pool's
// thread has reached it again. That thread tries by a write, so that a server which answers but
// keeps nothing (full, or a replica) does not count as reached.
#pragma once

#include <condition_variable>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "store/cache/redis.h"
#include "store/cache/redis_connection.h"

namespace berth::store {

// Thread-safe.
class RedisPool {
  public:
    // `probe_key` is what the pool writes to see whether it can. `clock` and `log` outlive it.
    RedisPool(RedisOptions options, std::string probe_key, const Clock& clock, Logger& log);
    // Waits for a try to reach Redis that is under way.
    ~RedisPool();
    RedisPool(const RedisPool&) = delete;
    RedisPool& operator=(const RedisPool&) = delete;

    // The answer: text, or nullopt for nil. Errc::rate_limited: nothing was asked, because Redis is
    // lost or all connections are in use.
    using Answer = Result<std::optional<std::string>>;
    Answer ask(std::initializer_list<std::string_view> command);

  private:
    using ConnectionPtr = std::unique_ptr<RedisConnection>;
    struct Idle {
        ConnectionPtr connection;
        SteadyTime since;
    };
    // The right to use one connection. Null: it is still to be opened.
    std::optional<ConnectionPtr> lease();
    Answer ask_on(ConnectionPtr& connection, std::initializer_list<std::string_view> command);
    void give_back(ConnectionPtr connection);
    void lose(const Error& why);

    void watch();
    // False at the end.
    bool wait_for_loss();
    Result<ConnectionPtr> reach() const;
    void take_up(ConnectionPtr connection);
    void put_off(const Error& why);
    std::chrono::milliseconds longer_pause() const;
    void complain(const Error& why);

    const RedisOptions options_;
    const std::string probe_key_;
    const Clock& clock_;
    Logger& log_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool complained_ = false;  // since it was reached
    bool ending_ = false;
    std::vector<Idle> idle_;  // used last: last
    std::size_t leased_ = 0;
    SteadyTime reached_since_{};
    std::chrono::milliseconds pause_{0};  // before the next try
    std::thread watcher_;                 // last: it uses the others
};

}  // namespace berth::store
