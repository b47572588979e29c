// Values that are right, where they go, and what is warned about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/config_text.h"

namespace berth::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Config, HasTheDefaultsOfRegistry2) {
    const auto config = parse("version: 0.1\nstorage: {filesystem: {}}\n");
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_THAT(config->warnings, IsEmpty());
    EXPECT_EQ(config->storage.root, "/var/lib/registry");
    EXPECT_FALSE(config->storage.in_memory);
    EXPECT_FALSE(config->storage.delete_enabled);
    EXPECT_EQ(config->storage.upload_age, 168h);
    EXPECT_EQ(config->storage.upload_interval, 24h);
    ASSERT_EQ(config->http.listeners.size(), 1u);
    EXPECT_EQ(config->http.listeners[0].network, "tcp");
    EXPECT_EQ(config->http.listeners[0].address, ":5000");
    EXPECT_FALSE(config->http.listeners[0].tls);
    EXPECT_EQ(config->http.prefix, "/");
    EXPECT_EQ(config->http.drain_timeout, 30s);
    EXPECT_EQ(config->log.level, LogLevel::info);
    EXPECT_TRUE(config->log.access_log);
    EXPECT_FALSE(config->auth.htpasswd);
    EXPECT_FALSE(config->policy);
    EXPECT_EQ(config->catalog_entries_max, 1000u);
    EXPECT_EQ(config->tags_max, 1000u);
}

TEST(Config, WithoutAFileServesThisMachineFromTheWorkingFolder) {
    const auto config = load_config("", {});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->http.listeners[0].address, "127.0.0.1:5000");
    EXPECT_EQ(config->storage.root, "./berth-data");
    EXPECT_TRUE(config->storage.delete_enabled);
    const auto wrong = load_config("", {{"REGISTRY_HTTP_ADDR", "x"}});
    ASSERT_FALSE(wrong);
    EXPECT_TRUE(wrong.error().detail.starts_with("REGISTRY_HTTP_ADDR: http.addr: "))
        << wrong.error().detail;
}

TEST(Config, Logs) {
    const auto log = config_of(
                         "log:\n  level: WARN\n  formatter: logstash\n  fields: {service: a, n: "
                         "1}\n  accesslog: {disabled: true, format: combined, path: /x.log}\n")
                         .log;
    EXPECT_EQ(log.level, LogLevel::warn);
    EXPECT_EQ(log.format, LogFormat::logstash);
    EXPECT_THAT(log.fields, ElementsAre(Pair("n", "1"), Pair("service", "a")));
    EXPECT_FALSE(log.access_log);
    EXPECT_EQ(log.access_path, "/x.log");
    const auto old = config_of("loglevel: debug\n");
    EXPECT_EQ(old.log.level, LogLevel::debug);
    EXPECT_THAT(old.warnings, ElementsAre("c.yml:3: loglevel: an old name; write log.level"));
}

TEST(Config, Storage) {
    const auto config = parse(
        "version: 0.1\nstorage:\n  filesystem: {rootdirectory: /data, maxthreads: 7, reserve: "
        "1GiB}\n  delete: {enabled: yes}\n  maintenance:\n    readonly: {enabled: true}\n    "
        "uploadpurging: {enabled: false, age: 1h, interval: 90s, dryrun: true}\n");
    ASSERT_TRUE(config) << config.error().detail;
    const auto& storage = config->storage;
    EXPECT_EQ(storage.root, "/data");
    EXPECT_EQ(storage.threads_max, 7u);
    EXPECT_EQ(storage.reserve_bytes, 1u << 30);
    EXPECT_TRUE(storage.delete_enabled);
    EXPECT_TRUE(storage.read_only);
    EXPECT_FALSE(storage.upload_purging);
    EXPECT_EQ(storage.upload_age, 1h);
    EXPECT_EQ(storage.upload_interval, 90s);
    EXPECT_TRUE(storage.upload_purging_dry_run);
}

TEST(Config, AuthAndPolicy) {
    const auto config = config_of(R"(
auth:
  htpasswd: {realm: Docker Registry, path: /etc/berth/htpasswd}
policy:
  - {name: everyone pulls, subjects: [authenticated], actions: [pull]}
  - {repositories: ["prod/**"], tags: "v*", subjects: everyone, actions: overwrite, effect: deny}
)");
    EXPECT_THAT(config.warnings, IsEmpty());
    ASSERT_TRUE(config.auth.htpasswd);
    EXPECT_EQ(config.auth.realm, "Docker Registry");
    EXPECT_EQ(config.auth.htpasswd->path, "/etc/berth/htpasswd");
    ASSERT_TRUE(config.policy);
    ASSERT_EQ(config.policy->size(), 2u);
    EXPECT_EQ((*config.policy)[0].name, "everyone pulls");
    EXPECT_EQ((*config.policy)[0].effect, auth::Effect::allow);
    const auto& second = (*config.policy)[1];
    EXPECT_EQ(second.name, "rule 2");
    EXPECT_EQ(second.effect, auth::Effect::deny);
    EXPECT_THAT(second.subjects, ElementsAre("everyone"));
    EXPECT_THAT(second.actions, ElementsAre("overwrite"));
    EXPECT_THAT(second.repositories, ElementsAre("prod/**"));
    EXPECT_THAT(second.tags, ElementsAre("v*"));
}

TEST(Config, ListensWhereItIsTold) {
    const auto several = config_of("http: {addr: ['127.0.0.1:1', '[::1]:2', ':0']}\n").http;
    ASSERT_EQ(several.listeners.size(), 3u);
    EXPECT_EQ(several.listeners[1].address, "[::1]:2");

    const auto unix_socket = config_of("http: {net: unix, addr: /run/berth.sock}\n").http;
    ASSERT_EQ(unix_socket.listeners.size(), 1u);
    EXPECT_EQ(unix_socket.listeners[0].network, "unix");
    EXPECT_EQ(unix_socket.listeners[0].address, "/run/berth.sock");

    const auto both = config_of(
                          "http:\n  addr: ':1'\n  listeners:\n    - {addr: ':2', tls: false}\n    "
                          "- {addr: /x.sock, net: unix, tls: false}\n    - {addr: ':3'}\n  tls: "
                          "{certificate: /a, key: /b}\n")
                          .http;
    ASSERT_EQ(both.listeners.size(), 4u);
    EXPECT_TRUE(both.listeners[0].tls);
    EXPECT_FALSE(both.listeners[1].tls);
    EXPECT_EQ(both.listeners[2].network, "unix");
    EXPECT_TRUE(both.listeners[3].tls);
}

TEST(Config, Tls) {
    const auto tls = config_of(
                         "http: {tls: {certificate: /a, chain: /b, key: /c, minimumtls: tls1.3, "
                         "ciphersuites: [X, Y]}}\n")
                         .http.tls;
    ASSERT_TRUE(tls);
    EXPECT_EQ(tls->certificate, "/a");
    EXPECT_EQ(tls->chain, "/b");
    EXPECT_EQ(tls->key, "/c");
    EXPECT_EQ(tls->minimum, "tls1.3");
    EXPECT_THAT(tls->ciphersuites, ElementsAre("X", "Y"));
    EXPECT_FALSE(config_of("http: {tls: {certificate: '', key: ''}}\n").http.tls);
    EXPECT_FALSE(config_of("http: {tls: }\n").http.tls);
}

TEST(Config, Http) {
    const auto http = config_of(R"(
http:
  host: https://registry.example.org/
  prefix: hub
  relativeurls: true
  secret: 0123456789
  draintimeout: 5s
  headers: {X-B: [1, 2], X-A: c}
  trustedproxies: [127.0.0.1, 10.0.0.0/8, "fd00::/8"]
  threads: 3
  limits: {connections: 5, headerbytes: 8KiB, blobbytes: 1GiB}
  timeouts: {header: 1s, idle: 2s, body: 3s}
)")
                          .http;
    EXPECT_EQ(http.host, "https://registry.example.org");
    EXPECT_EQ(http.prefix, "/hub/");
    EXPECT_TRUE(http.relative_urls);
    EXPECT_EQ(http.secret, "0123456789");
    EXPECT_EQ(http.drain_timeout, 5s);
    EXPECT_THAT(http.headers, ElementsAre(Pair("X-B", "1"), Pair("X-B", "2"), Pair("X-A", "c")));
    EXPECT_THAT(http.trusted_proxies, ElementsAre("127.0.0.1", "10.0.0.0/8", "fd00::/8"));
    EXPECT_EQ(http.threads, 3u);
    EXPECT_EQ(http.connections_max, 5u);
    EXPECT_EQ(http.header_bytes_max, 8192u);
    EXPECT_EQ(http.blob_bytes_max, 1u << 30);
    EXPECT_EQ(http.header_timeout, 1s);
    EXPECT_EQ(http.idle_timeout, 2s);
    EXPECT_EQ(http.body_timeout, 3s);
}

TEST(Config, Validation) {
    const auto validation = config_of(R"(
validation:
  manifests:
    urls: {allow: ["^https://example\\.org/"], deny: ["x$"]}
    indexes: {platforms: list, platformlist: [{architecture: arm64, os: linux}]}
)")
                                .validation;
    EXPECT_TRUE(validation.enabled);
    EXPECT_THAT(validation.url_allow, ElementsAre("^https://example\\.org/"));
    EXPECT_THAT(validation.url_deny, ElementsAre("x$"));
    EXPECT_EQ(validation.platforms, ValidationConfig::Platforms::list);
    EXPECT_THAT(validation.platform_list, ElementsAre(Pair("arm64", "linux")));
    EXPECT_FALSE(config_of("validation: {disabled: true}\n").validation.enabled);
    EXPECT_EQ(
        config_of("validation: {manifests: {indexes: {platforms: none}}}\n").validation.platforms,
        ValidationConfig::Platforms::none);
}

TEST(Config, WarnsAboutWhatItDoesNotDo) {
    const std::pair<const char*, const char*> cases[] = {
        {"http: {debug: {prometheus: {enabled: true}}}\n",
         "c.yml:3: http.debug: addr is missing: nothing listens for metrics"},
        {"redis: {addr: 'localhost:6379'}\n",
         "c.yml:3: redis: not used: only storage.cache.blobdescriptor: redis would; take it out"},
        {"http: {h2c: {enabled: true}}\n",
         "c.yml:3: http.h2c: HTTP/1.1 is spoken; a proxy before this server must do so, too"},
        {"reporting: {bugsnag: {apikey: x}}\n",
         "c.yml:3: reporting: nothing is reported to Bugsnag or New Relic"},
        {"policy: {repository: {classes: [image]}}\n",
         "c.yml:3: policy.repository: repository classes are not checked"},
        {"policy: [{subjects: [everyone], actions: [pull]}]\n",
         "c.yml:3: policy: without an auth section nobody can log in: only rules for everyone and "
         "anonymous apply"},
        {"auth: {htpasswd: {realm: x, path: /x}}\n"
         "policy: [{subjects: ['user:a', 'group:dev'], actions: [pull], effect: deny}]\n",
         "c.yml:4: policy[0].subjects: group:dev is nobody: no login of the auth section yields "
         "one"},
        {"http: {secret: asecretforlocaldevelopment}\n",
         "c.yml:3: http.secret: is the literal of an example, which everybody knows; write your "
         "own (`openssl rand -hex 32`) or take it out"},
        {"http: {tls: {certificate: /a, key: /b, minimumtls: tls1.0}}\n",
         "c.yml:3: http.tls.minimumtls: below TLS 1.2 connections can be broken into"},
        {"http: {tls: {certificate: /a, key: /b}, listeners: [{addr: ':1', tls: false}]}\n",
         "c.yml:3: http.tls: no listener uses it"},
        {"http: {draintimeout: 30000000000}\n",
         "c.yml:3: http.draintimeout: a number without a unit counts nanoseconds, as in "
         "registry:2; write 30000000000s for seconds"},
    };
    for (const auto& [text, warning] : cases)
        EXPECT_THAT(config_of(text).warnings, ElementsAre(warning)) << text;
}

TEST(Config, IsQuietAboutWhatIsOffOrNeedsNothing) {
    for (const auto* text :
         {"http: {debug: {addr: ''}, http2: {disabled: true}, h2c: {enabled: false}}\n",
          "health: {storagedriver: {enabled: false, interval: 10s}}\n",
          "notifications: {endpoints: [{name: a, url: http://x, disabled: true}]}\n",
          "reporting: {bugsnag: {}}\n", "log: {reportcaller: true}\n", "auth: none\n"})
        EXPECT_THAT(config_of(text).warnings, IsEmpty()) << text;
}

TEST(Config, IsFoundByItsVariable) {
    EXPECT_EQ(find_config({{"REGISTRY_CONFIGURATION_PATH", "/x/y.yml"}}), "/x/y.yml");
}

TEST(Config, TakesTheProcessesVariables) {
    ::setenv("REGISTRY_TEST_A", "b=c", 1);
    const auto environment = process_environment();
    ::unsetenv("REGISTRY_TEST_A");
    ASSERT_TRUE(environment.contains("REGISTRY_TEST_A"));
    EXPECT_EQ(environment.at("REGISTRY_TEST_A"), "b=c");
}

}  // namespace
}  // namespace berth::app
