// RedisConnection: one logged-in connection to a Redis server. Used by one thread at a time.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/dial.h"
#include "store/cache/redis.h"

struct redisReader;

namespace berth::store {

class RedisConnection {
  public:
    // At the first address that answers; logged in, with the database chosen. Errors name the
    // address, never the password.
    static Result<std::unique_ptr<RedisConnection>> open(const RedisOptions& options);
    ~RedisConnection();
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    // The answer as text; nullopt: nil. Errc::unavailable: no answer (os_errno ETIMEDOUT: in time),
    // or none of Redis; Errc::denied: Redis refuses. After an error only destruction is allowed.
    Result<std::optional<std::string>> ask(std::initializer_list<std::string_view> command);
    const std::string& address() const { return address_; }

  private:
    RedisConnection(std::unique_ptr<net::Connection> connection, std::string address);
    static Result<std::unique_ptr<RedisConnection>> open_at(const std::string& address,
                                                            const RedisOptions& options,
                                                            std::chrono::milliseconds time);
    Result<void> log_in(const RedisOptions& options);
    // ask(), whose errors do not name the address yet.
    Result<std::optional<std::string>> exchange(std::initializer_list<std::string_view> command);
    Result<void> send(std::initializer_list<std::string_view> command);
    Result<std::optional<std::string>> receive();

    struct FreeReader {
        void operator()(redisReader* reader) const;
    };
    std::unique_ptr<net::Connection> connection_;
    std::string address_;
    std::unique_ptr<redisReader, FreeReader> reader_;
};

}  // namespace berth::store
