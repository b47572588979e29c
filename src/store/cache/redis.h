// The descriptor cache in Redis (registry:2's `redis` section).
//
// A Redis that is dead or slow costs one time-out; then it is left alone for a while, longer each
// time, and taken up again by itself. hiredis speaks the protocol, net::dial carries it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "net/dial.h"
#include "store/cache/descriptor_cache.h"

namespace berth::store {

struct RedisOptions {
    std::vector<std::string> addresses;  // host:port or unix:/path; the first that answers
    std::string username;                // empty: the password alone
    std::string password;                // empty: no AUTH
    std::uint32_t db = 0;
    std::chrono::milliseconds dial_timeout{5'000};
    std::chrono::milliseconds read_timeout{3'000};
    std::chrono::milliseconds write_timeout{3'000};
    std::optional<net::DialTls> tls;
    std::size_t idle_max = 16;         // connections that are kept (pool.maxidle, maxidleconns)
    std::size_t connections_max = 64;  // pool.maxactive, poolsize
    std::chrono::milliseconds idle_timeout{300'000};
};

// Does not connect yet: an unreachable Redis stops no start. `clock` and `log` outlive the cache.
std::unique_ptr<DescriptorCache> make_redis_cache(RedisOptions options, const Clock& clock,
                                                  Logger& log);

}  // namespace berth::store
