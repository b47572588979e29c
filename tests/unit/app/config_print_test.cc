// The effective configuration as text: it can be read back, and it gives no secret away.
#include <gtest/gtest.h>

#include "unit/app/config_text.h"

namespace berth::app {
namespace {

constexpr std::string_view kEverything = R"(version: 0.1
log:
  level: debug
  formatter: json
  fields: {service: "a: b", n: "~"}
  accesslog: {disabled: true, path: /a.log}
storage:
  filesystem: {rootdirectory: /data, maxthreads: 7, reserve: 1GiB}
  delete: {enabled: true}
  maintenance:
    readonly: {enabled: true}
    uploadpurging: {enabled: false, age: 90m, interval: 45s, dryrun: true}
auth: {htpasswd: {realm: "Docker \"Registry\"", path: /etc/htpasswd}}
policy:
  - {name: "yes", subjects: [authenticated], actions: [pull]}
  - name: final
    effect: deny
    repositories: ["prod/**"]
    tags: ["v*"]
    subjects: [everyone]
    actions: [overwrite]
http:
  addr: ["127.0.0.1:1", "[::1]:2"]
  listeners: [{addr: /x.sock, net: unix, tls: false}]
  tls: {certificate: /a, chain: /b, key: /c, minimumtls: tls1.3, ciphersuites: [X]}
  host: https://example.org
  prefix: /hub/
  relativeurls: true
  draintimeout: 1500ms
  headers: {X-A: [b, c], Strict-Transport-Security: max-age=1}
  trustedproxies: [127.0.0.1]
  threads: 3
  limits: {connections: 5, headerbytes: 8KiB, blobbytes: 1GiB}
  timeouts: {header: 1s, idle: 2m, body: 3h}
validation:
  enabled: false
  manifests:
    urls: {allow: [a], deny: [b]}
    indexes: {platforms: list, platformlist: [{architecture: arm64, os: linux}]}
catalog: {maxentries: 10}
tags: {maxtags: 20}
)";

TEST(PrintConfig, CanBeReadBack) {
    for (const auto text : {kEverything, std::string_view("version: 0.1\nstorage: inmemory\n")}) {
        const auto config = parse(text);
        ASSERT_TRUE(config) << config.error().detail;
        const auto printed = print_config(*config);
        const auto again = parse(printed);
        ASSERT_TRUE(again) << again.error().detail << "\n" << printed;
        EXPECT_TRUE(again->warnings.empty()) << again->warnings.front();
        EXPECT_EQ(print_config(*again), printed);
        EXPECT_EQ(again->log.fields, config->log.fields);
        EXPECT_EQ(again->http.listeners.size(), config->http.listeners.size());
        EXPECT_EQ(again->http.headers.size(), config->http.headers.size());
        EXPECT_EQ(again->policy.has_value(), config->policy.has_value());
        EXPECT_EQ(again->storage.reserve_bytes, config->storage.reserve_bytes);
    }
}

TEST(PrintConfig, HidesTheSecret) {
    const auto printed = print_config(config_of("http: {secret: very-secret}\n"));
    EXPECT_EQ(printed.find("very-secret"), std::string::npos);
    EXPECT_NE(printed.find("secret: (hidden)"), std::string::npos) << printed;
}

TEST(PrintConfig, ShowsTheDefaults) {
    EXPECT_EQ(print_config(config_of("")), R"(version: 0.1
log:
  level: info
  formatter: text
  accesslog:
    disabled: false
storage:
  inmemory:
    {}
  delete:
    enabled: false
  maintenance:
    readonly:
      enabled: false
    uploadpurging:
      enabled: true
      age: 168h
      interval: 24h
      dryrun: false
http:
  listeners:
    - addr: :5000
      net: tcp
      tls: false
  prefix: /
  relativeurls: false
  draintimeout: 30s
  threads: 0
  limits:
    connections: 10000
    headerbytes: 65536
    blobbytes: 0
  timeouts:
    header: 30s
    idle: 2m
    body: 1m
validation:
  enabled: true
  manifests:
    indexes:
      platforms: all
catalog:
  maxentries: 1000
tags:
  maxtags: 1000
)");
}

}  // namespace
}  // namespace berth::app
