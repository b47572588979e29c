// The section `redis`, in the spelling of registry 2 and of 3, and `storage.cache`, which alone has
// a use for it.

#include <algorithm>
#include <array>

#include "app/config_network.h"
#include "app/config_read.h"

namespace berth::app {
namespace {

constexpr std::uint64_t kDatabaseMost = 1'000'000;
constexpr std::uint64_t kConnectionsMost = 10'000;

void read_addresses(const ConfigValue& redis, store::RedisOptions& to) {
    for (const auto& item : redis.at("addrs").or_old(redis.at("addr")).items()) {
        auto& address = to.addresses.emplace_back();
        item.read(address);
        if (!address.starts_with("unix:")) check_peer(item, address);
    }
    if (to.addresses.empty()) {
        redis.wrong("addrs is missing: host:port of the server that storage.cache asks for");
    }
    if (to.addresses.size() > 1) {
        redis.at("addrs").warn("the first that answers is used; a cluster's are not told apart");
    }
}

// As in registry 3, any file that is named asks for TLS.
void read_redis_tls(const ConfigValue& tls, NamedFiles files, store::RedisOptions& to) {
    bool enabled = std::ranges::any_of(std::array{"certificate", "key", "rootcas"},
                                       [&](auto name) { return tls.at(name).present(); });
    tls.at("enabled").read(enabled);
    if (!enabled) return;
    auto& options = to.tls.emplace();
    read_file_path(tls.at("certificate"), options.certificate, files);
    read_file_path(tls.at("key"), options.key, files);
    if (options.certificate.empty() != options.key.empty()) {
        tls.wrong("certificate and key are both needed, or neither");
    }
    const auto authorities = tls.at("rootcas").items();
    if (authorities.size() > 1) {
        return tls.at("rootcas").wrong("one file is read; put the certificates into one");
    }
    for (const auto& item : authorities)
        read_file_path(item, options.ca, files);
}

store::RedisOptions read_options(const ConfigValue& redis, NamedFiles files) {
    store::RedisOptions to;
    read_addresses(redis, to);
    redis.at("username").read(to.username);
    redis.at("password").read_secret(to.password);
    redis.at("db").read_count(to.db, 0, kDatabaseMost);
    redis.at("dialtimeout").read_unless_zero(to.dial_timeout);
    redis.at("readtimeout").read_unless_zero(to.read_timeout);
    redis.at("writetimeout").read_unless_zero(to.write_timeout);
    read_redis_tls(redis.at("tls"), files, to);
    const auto pool = redis.at("pool");
    const auto count = [&](const char* name, const char* old, std::size_t& out) {
        std::uint32_t number = static_cast<std::uint32_t>(out);
        redis.at(name).or_old(pool.at(old)).read_unless_zero(number, kConnectionsMost);
        out = number;
    };
    count("maxidleconns", "maxidle", to.idle_max);
    count("poolsize", "maxactive", to.connections_max);
    redis.at("connmaxidletime").or_old(pool.at("idletimeout")).read_unless_zero(to.idle_timeout);
    return to;
}

}  // namespace

std::optional<store::RedisOptions> read_redis(const ConfigValue& root, NamedFiles files) {
    const auto cache = root.at("storage").at("cache");
    const auto kind = cache.at("blobdescriptor").or_old(cache.at("layerinfo"));
    const auto redis = root.at("redis");
    std::string word;
    kind.read_word(word, {"inmemory", "redis"});
    if (word != "redis") {
        if (redis.present()) {
            redis.warn("not used: only storage.cache.blobdescriptor: redis would; take it out");
        }
        return std::nullopt;
    }
    if (!redis.present()) {
        kind.wrong("needs the section redis with addrs; or write inmemory, which is faster here");
        return std::nullopt;
    }
    kind.warn("on one machine the index in memory is faster than Redis; inmemory needs none");
    return read_options(redis, files);
}

}  // namespace berth::app
