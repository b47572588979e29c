// The descriptor cache in Redis (registry:2's `redis` section).
//
// A Redis that is dead or slow costs the requests under way one time-out; from then on it is left
// alone, and everybody is told at once that nothing is known, until a thread of the cache, which
// tries again and again and ever less often, has reached it. hiredis speaks the protocol, net::dial
// carries it.
//
// Keys are berth:<epoch>:<repository>@<digest>, the epoch random and made at start, so that two
// processes share a Redis without seeing each other's entries. Values are signed with a key that
// never leaves the process: whoever can write to Redis cannot make it believe anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/dial.h"
#include "store/cache/descriptor_cache.h"

namespace berth::store {

struct RedisOptions {
    std::vector<std::string> addresses;  // host:port or unix:/path; the first that answers
    std::string username;                // empty: the password alone
    std::string password;                // empty: no AUTH
    std::uint32_t db = 0;
    std::chrono::milliseconds dial_timeout{5'000};  // of all addresses together
    std::chrono::milliseconds read_timeout{3'000};
    std::chrono::milliseconds write_timeout{3'000};
    std::optional<net::DialTls> tls;
    std::size_t idle_max = 16;         // connections that are kept (pool.maxidle, maxidleconns)
    std::size_t connections_max = 64;  // pool.maxactive, poolsize
    std::chrono::milliseconds idle_timeout{300'000};
    // Between two tries to reach a Redis that is lost: the first, doubling to the longest.
    std::chrono::milliseconds pause_first{1'000};
    std::chrono::milliseconds pause_max{30'000};
};

// What was asked, by distribution's words (Stat, SetDescriptor), and how long it took, failures
// included. Called by all threads; not for what is answered without asking.
using OnRedisAction = std::function<void(std::string_view action, std::chrono::nanoseconds)>;

// Connects in the background: an unreachable Redis stops no start. `clock` and `log` outlive the
// cache. The log hears once that Redis is lost and once that it is back.
std::unique_ptr<DescriptorCache> make_redis_cache(RedisOptions options, const Clock& clock,
                                                  Logger& log, OnRedisAction on_action = {});

}  // namespace berth::store
