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
auth:
  htpasswd: {realm: "Docker \"Registry\"", path: /etc/htpasswd}
  groups: {path: /etc/groups}
  ldap:
    url: ldap://a:1389 b/ou=people,dc=example?mail?one?(objectClass=person)
    starttls: true
    ca: /ca
    verify: true
    binddn: cn=reader
    bindpassword: "very secret"
    userdn: "uid={user},dc=example"
    groups: {attribute: memberOf, base: ou=groups, filter: (a=b), members: [m], name: n, depth: 2}
    connecttimeout: 1s
    timeout: 2s
    connections: 3
    remember: 4m
    grace: 5h
  issuer:
    {issuer: me, service: us, keys: /keys, algorithm: EdDSA, lifetime: 2m, refreshlifetime: 3h}
  tokens: {path: /tokens}
  certificates: {name: uri, users: {"spiffe://x/ci": "robot:ci"}}
  oidc: [{name: ci, issuer: "https://ci", audiences: [us], jwks: /j, ca: /c, algorithms: [RS256]}]
  throttle: {failures: 5, addressfailures: 50, pause: 1m}
audit: {path: /audit, bytes: 1MiB, files: 3, syslog: true, pulls: false}
policy:
  - {name: "yes", subjects: [authenticated], actions: [pull]}
  - name: final
    effect: deny
    repositories: ["prod/**"]
    tags: ["v*"]
    subjects: [everyone]
    actions: [overwrite]
    addresses: [10.0.0.0/8]
    expires: 2027-01-31
http:
  addr: ["127.0.0.1:1", "[::1]:2"]
  listeners: [{addr: /x.sock, net: unix, tls: false}]
  tls: {certificate: /a, chain: /b, key: /c, minimumtls: tls1.3, ciphersuites: [X],
    clientcas: [/ca], clientauth: verify-client-cert-if-given}
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
        EXPECT_EQ(again->auth.enabled(), config->auth.enabled());
        EXPECT_EQ(again->audit.has_value(), config->audit.has_value());
    }
}

TEST(PrintConfig, HidesSecrets) {
    const auto printed =
        print_config(config_of("http: {secret: very-secret}\n"
                               "auth: {ldap: {url: ldap://x/dc=y, bindpassword: very-secret}}\n"));
    EXPECT_EQ(printed.find("very-secret"), std::string::npos);
    EXPECT_NE(printed.find("  secret: (hidden)"), std::string::npos) << printed;
    EXPECT_NE(printed.find("bindpassword: (hidden)"), std::string::npos) << printed;
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
