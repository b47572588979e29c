// The sections around the registry: notifications, health, http.debug, redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/config_text.h"

namespace berth::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Notifications, AreReadAsInRegistry2) {
    const auto config = config_of(R"(notifications:
  events: {includereferences: true, keep: 24h, max: 5000}
  endpoints:
    - name: a
      url: https://example.org/hook
      headers: {Authorization: [Bearer x], X-B: [c, d]}
      timeout: 500ms
      threshold: 5
      backoff: 10s
      ignoredmediatypes: [a/b]
      ignore: {mediatypes: [c/d], actions: [Pull]}
    - {name: b, url: "http://localhost:1/", disabled: true, timeout: 0, threshold: 0, backoff: 0s}
)");
    EXPECT_THAT(config.warnings, IsEmpty());
    const auto& options = config.notifications;
    EXPECT_TRUE(options.include_references);
    EXPECT_EQ(options.keep, 24h);
    EXPECT_EQ(options.events_max, 5000u);
    ASSERT_EQ(options.endpoints.size(), 2u);
    const auto& a = options.endpoints[0];
    EXPECT_EQ(a.url, "https://example.org/hook");
    EXPECT_THAT(a.headers,
                ElementsAre(Pair("Authorization", "Bearer x"), Pair("X-B", "c"), Pair("X-B", "d")));
    EXPECT_EQ(a.timeout, 500ms);
    EXPECT_EQ(a.threshold, 5u);
    EXPECT_EQ(a.backoff, 10s);
    EXPECT_THAT(a.ignored_media_types, ElementsAre("a/b", "c/d"));
    EXPECT_THAT(a.ignored_actions, ElementsAre("pull"));
    const auto& b = options.endpoints[1];
    EXPECT_TRUE(b.disabled);
    EXPECT_EQ(b.timeout, 1s) << "0 means the default";
    EXPECT_EQ(b.threshold, 10u);
    EXPECT_EQ(b.backoff, 1s);
}

TEST(Notifications, NameTheServerAsRegistry2Does) {
    const std::string endpoints = "notifications: {endpoints: [{name: a, url: 'http://x'}]}\n";
    EXPECT_TRUE(config_of("http: {addr: '127.0.0.1:77'}\n" + endpoints)
                    .notifications.instance.ends_with(":77"));
}

TEST(Notifications, WhatIsWrongIsSaid) {
    constexpr Case kCases[] = {
        {"notifications: {endpoints: [{url: 'http://x'}]}\n",
         "c.yml:3: notifications.endpoints[0]: name is missing: what is not sent yet is kept under "
         "it"},
        {"notifications: {endpoints: [{name: a}]}\n",
         "c.yml:3: notifications.endpoints[0]: url is missing: where the events are sent"},
        {"notifications: {endpoints: [{name: a, url: 'ftp://x'}]}\n",
         "c.yml:3: notifications.endpoints[0].url: must be a URL that begins with http:// or "
         "https://"},
        {"notifications: {endpoints: [{name: a, url: 'http://user@'}]}\n",
         "c.yml:3: notifications.endpoints[0].url: must be a URL that begins with http:// or "
         "https://"},
        {"notifications: {endpoints: [{name: a, url: 'http://x'}, {name: a, url: 'http://y'}]}\n",
         "c.yml:3: notifications.endpoints[1]: another endpoint is named a, too"},
        {"notifications: {endpoints: [{name: a, url: 'http://x', headers: {'X A': b}}]}\n",
         "c.yml:3: notifications.endpoints[0].headers.X A: is no name of a header"},
        {"notifications: {endpoints: [{name: a, url: 'http://x', headers: {A: [\"b\\n\"]}}]}\n",
         "c.yml:3: notifications.endpoints[0].headers.A[0]: must not hold control characters"},
        {"notifications: {endpoints: [{name: a, url: 'http://x', ignore: {actions: [pul]}}]}\n",
         "c.yml:3: notifications.endpoints[0].ignore.actions[0]: \"pul\" is none of push, pull, "
         "mount, delete; did you mean pull?"},
        {"notifications: {endpoints: [{name: a, url: 'http://x', retries: 3}]}\n",
         "c.yml:3: notifications.endpoints[0].retries: unknown key; known here: name, disabled, "
         "url, headers, timeout, threshold, backoff, ignoredmediatypes, ignore"},
    };
    expect_problems(kCases);
}

TEST(Health, IsReadAsInRegistry2) {
    const auto health = config_of(R"(health:
  storagedriver: {enabled: true, interval: 1s, threshold: 4}
  file: [{file: /f, interval: 2s}]
  http: [{uri: "http://x/y", headers: {A: [b]}, statuscode: 204, timeout: 3s, interval: 4s,
    threshold: 5}]
  tcp: [{addr: "x:6379", timeout: 6s, interval: 7s, threshold: 8}, {addr: ":1"}]
)")
                            .health;
    EXPECT_TRUE(health.storage);
    EXPECT_EQ(health.storage_interval, 1s);
    EXPECT_EQ(health.storage_threshold, 4u);
    ASSERT_EQ(health.files.size(), 1u);
    EXPECT_EQ(health.files[0].file, "/f");
    EXPECT_EQ(health.files[0].interval, 2s);
    ASSERT_EQ(health.https.size(), 1u);
    EXPECT_EQ(health.https[0].uri, "http://x/y");
    EXPECT_THAT(health.https[0].headers, ElementsAre(Pair("A", "b")));
    EXPECT_EQ(health.https[0].status_code, 204);
    EXPECT_EQ(health.https[0].timeout, 3s);
    EXPECT_EQ(health.https[0].interval, 4s);
    EXPECT_EQ(health.https[0].threshold, 5u);
    ASSERT_EQ(health.tcps.size(), 2u);
    EXPECT_EQ(health.tcps[0].address, "x:6379");
    EXPECT_EQ(health.tcps[0].timeout, 6s);
    EXPECT_EQ(health.tcps[0].interval, 7s);
    EXPECT_EQ(health.tcps[0].threshold, 8u);
    EXPECT_EQ(health.tcps[1].address, "localhost:1") << "no host means this one";
}

TEST(Health, WhatIsWrongIsSaid) {
    constexpr Case kCases[] = {
        {"health: {file: [{interval: 1s}]}\n",
         "c.yml:3: health.file[0]: file is missing: while it is there, the server is unwell"},
        {"health: {http: [{statuscode: 99}]}\n",
         "c.yml:3: health.http[0]: uri is missing: the address that must answer\n"
         "c.yml:3: health.http[0].statuscode: must be a number from 100 to 599"},
        {"health: {tcp: [{addr: x}]}\n",
         "c.yml:3: health.tcp[0].addr: \"x\" must be host:port, [IPv6 address]:port or :port, such "
         "as :5000"},
        {"health: {tcp: [{timeout: 1s}]}\n",
         "c.yml:3: health.tcp[0]: addr is missing: host:port that must answer"},
    };
    expect_problems(kCases);
}

TEST(Debug, ListensWhereItIsTold) {
    EXPECT_FALSE(config_of("").debug);
    const auto debug =
        config_of("http: {debug: {addr: ':5001', prometheus: {enabled: true, path: m}}}\n").debug;
    ASSERT_TRUE(debug);
    EXPECT_EQ(debug->listener.address, ":5001");
    EXPECT_EQ(debug->listener.network, "tcp");
    EXPECT_FALSE(debug->listener.tls);
    EXPECT_TRUE(debug->prometheus);
    EXPECT_EQ(debug->prometheus_path, "/m");
    EXPECT_EQ(problems_of("http: {debug: {addr: here}}\n"),
              "c.yml:3: http.debug.addr: \"here\" must be host:port, [IPv6 address]:port or :port, "
              "such as :5000");
}

// With the storage that asks for it, of which kBase has no part.
Result<Config> with_redis(const std::string& text) {
    return parse("version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: redis}}\n" + text);
}

std::string redis_problems(const std::string& text) {
    const auto config = with_redis(text);
    return config ? std::string() : config.error().detail;
}

TEST(Redis, IsReadInBothSpellings) {
    for (const auto* text :
         {"redis: {addr: 'r:6379', pool: {maxidle: 3, maxactive: 4, idletimeout: 5s}, ",
          "redis: {addrs: ['r:6379'], maxidleconns: 3, poolsize: 4, connmaxidletime: 5s, "}) {
        const auto config =
            with_redis(std::string(text) +
                       "username: u, password: p, db: 2, dialtimeout: 10ms, readtimeout: 20ms, "
                       "writetimeout: 30ms}\n");
        ASSERT_TRUE(config) << config.error().detail;
        ASSERT_TRUE(config->redis);
        const auto& redis = *config->redis;
        EXPECT_THAT(redis.addresses, ElementsAre("r:6379"));
        EXPECT_EQ(redis.username, "u");
        EXPECT_EQ(redis.password, "p");
        EXPECT_EQ(redis.db, 2u);
        EXPECT_EQ(redis.dial_timeout, 10ms);
        EXPECT_EQ(redis.read_timeout, 20ms);
        EXPECT_EQ(redis.write_timeout, 30ms);
        EXPECT_EQ(redis.idle_max, 3u);
        EXPECT_EQ(redis.connections_max, 4u);
        EXPECT_EQ(redis.idle_timeout, 5s);
        EXPECT_FALSE(redis.tls);
        EXPECT_THAT(config->warnings,
                    ElementsAre("c.yml:2: storage.cache.blobdescriptor: on one machine the index "
                                "in memory is faster than Redis; inmemory needs none"));
    }
}

TEST(Redis, AFileOfTlsAsksForIt) {
    const std::pair<const char*, bool> cases[] = {
        {"{}", false},
        {"{enabled: false}", false},
        {"{enabled: true}", true},
        {"{rootcas: [/ca]}", true},
        {"{certificate: /c, key: /k}", true},
        {"{enabled: false, rootcas: [/ca]}", false},
    };
    for (const auto& [tls, asked] : cases) {
        const auto config = with_redis("redis: {addr: 'r:1', tls: " + std::string(tls) + "}\n");
        ASSERT_TRUE(config) << config.error().detail;
        EXPECT_EQ(config->redis->tls.has_value(), asked) << tls;
    }
    const auto config =
        with_redis("redis: {addr: 'r:1', tls: {certificate: /c, key: /k, rootcas: /ca}}\n");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->redis->tls->certificate, "/c");
    EXPECT_EQ(config->redis->tls->key, "/k");
    EXPECT_EQ(config->redis->tls->ca, "/ca");
}

TEST(Redis, MayBeASocketOrSeveralServers) {
    const auto config = with_redis("redis: {addrs: ['unix:/run/redis.sock', ':6379']}\n");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_THAT(config->redis->addresses, ElementsAre("unix:/run/redis.sock", "localhost:6379"));
    EXPECT_EQ(config->warnings.size(), 2u) << "a cluster is not known";
}

TEST(Redis, IsLeftAloneWhereTheCacheDoesNotAskForIt) {
    const auto config = config_of("redis: {addr: nonsense}\n");
    EXPECT_FALSE(config.redis);
    EXPECT_EQ(config.warnings.size(), 1u);
    EXPECT_FALSE(config_of("redis: {}\n").redis);
}

TEST(Redis, WhatIsWrongIsSaid) {
    EXPECT_EQ(redis_problems(""),
              "c.yml:2: storage.cache.blobdescriptor: needs the section redis with addrs; or write "
              "inmemory, which is faster here");
    EXPECT_EQ(redis_problems("redis: {db: 1}\n"),
              "c.yml:3: redis: addrs is missing: host:port of the server that storage.cache asks "
              "for");
    EXPECT_EQ(redis_problems("redis: {addr: 'r:1', tls: {key: /k}}\n"),
              "c.yml:3: redis.tls: certificate and key are both needed, or neither");
    EXPECT_EQ(redis_problems("redis: {addr: 'r:1', tls: {rootcas: [/a, /b]}}\n"),
              "c.yml:3: redis.tls.rootcas: one file is read; put the certificates into one");
}

}  // namespace
}  // namespace berth::app
