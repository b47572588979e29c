// What is in force, as text: it can be read back, says where each value comes from, and gives no
// secret away.
#include "app/effective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <set>

#include "app/config_keys.h"
#include "unit/app/config_text.h"

namespace berth::app {
namespace {

// Recorded under their new names.
const std::set<std::string> kOldNames{
    "loglevel",           "storage.cache.layerinfo", "redis.addr",
    "redis.pool.maxidle", "redis.pool.maxactive",    "redis.pool.idletimeout"};

// What cannot stand beside the rest.
constexpr std::string_view kAlternatives = R"(version: 0.1
storage: inmemory
auth:
  token: {realm: "https://auth/", service: us, issuer: them, rootcertbundle: /r, jwks: /j,
    signingalgorithms: [ES256], autoredirect: true, autoredirectpath: /a}
  ldap: {url: "ldaps://x/dc=y", bindpasswordfile: /p}
http: {secret: very secret}
)";

constexpr std::string_view kEverything = R"(version: 0.1
log:
  level: debug
  formatter: json
  fields: {service: "a: b", n: "~"}
  accesslog: {disabled: true, path: /a.log}
  hooks:
    - {type: mail, disabled: true}
    - type: mail
      levels: [warn, panic]
      options:
        smtp: {addr: "mail:25", username: u, password: very secret, insecure: true}
        from: a@example.org
        to: [b@example.org, c@example.org]
  syslog: {address: "tls://logs:7", facility: local3, appname: x, access: true, ca: /a,
    certificate: /b, key: /c}
  journald: {access: true}
storage:
  cache: {layerinfo: redis}
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
  debug: {addr: "localhost:5001", prometheus: {enabled: true, path: /m}}
  limits: {connections: 5, headerbytes: 8KiB, blobbytes: 1GiB}
  timeouts: {header: 1s, idle: 2m, body: 3h}
notifications:
  events: {includereferences: true, keep: 1h, max: 5000}
  endpoints:
    - name: a
      disabled: true
      url: https://user:very-secret@example.org/x?token=very-secret
      headers: {Authorization: [very secret], X-B: very secret}
      timeout: 2s
      threshold: 3
      backoff: 4s
      ignoredmediatypes: [a/b]
      ignore: {mediatypes: [c/d], actions: [pull, mount]}
redis:
  addr: redis:6379
  username: u
  password: very secret
  db: 3
  dialtimeout: 1s
  readtimeout: 2s
  writetimeout: 3s
  tls: {certificate: /a, key: /b, rootcas: [/c]}
  pool: {maxidle: 1, maxactive: 2, idletimeout: 3s}
health:
  storagedriver: {enabled: true, interval: 1s, threshold: 2}
  file: [{file: /f, interval: 3s}]
  http: [{uri: "http://x/", headers: {Cookie: very secret}, statuscode: 204, timeout: 4s,
    interval: 5s, threshold: 6}]
  tcp: [{addr: ":7", timeout: 8s, interval: 9s, threshold: 10}]
validation:
  enabled: false
  manifests:
    urls: {allow: [a], deny: [b]}
    indexes: {platforms: list, platformlist: [{architecture: arm64, os: linux}]}
catalog: {maxentries: 10}
tags: {maxtags: 20}
)";

TEST(Effective, CanBeReadBack) {
    for (const auto text : {kEverything, kAlternatives}) {
        const auto config = parse(text);
        ASSERT_TRUE(config) << config.error().detail;
        const auto printed = print_yaml(config->effective);
        const auto again = parse(printed);
        ASSERT_TRUE(again) << again.error().detail << "\n" << printed;
        EXPECT_TRUE(same_values(again->effective, config->effective))
            << printed << print_yaml(again->effective);
        EXPECT_EQ(again->warnings.size(), config->warnings.size()) << printed;
    }
}

// A value that is read but not recorded would be lost here.
TEST(Effective, HoldsEveryKeyThatIsServed) {
    std::set<std::string> recorded;
    for (const auto text : {kEverything, kAlternatives}) {
        const auto config = parse(text);
        ASSERT_TRUE(config) << config.error().detail;
        for (const auto& value : config->effective) {
            std::string row;
            for (const auto& step : value.path)
                row = step.item ? row + "[]" : member_path(row, step.name);
            recorded.insert(row);
        }
    }
    for (const auto& key : config_keys()) {
        const bool section = key.path == "storage.inmemory" || !member_names(key.path).empty() ||
                             key.path.ends_with("[]") ||
                             find_key(std::string(key.path) + "[]") != nullptr;
        if (key.state != KeyState::served || section) continue;
        const std::string path(key.path);
        EXPECT_TRUE(recorded.contains(path) || recorded.contains(path + "[]") ||
                    kOldNames.contains(path))
            << path;
    }
}

TEST(Effective, HoldsEachKeyOnce) {
    for (const auto text : {kEverything, kAlternatives}) {
        std::set<std::string> paths;
        const auto config = parse(text);
        ASSERT_TRUE(config) << config.error().detail;
        for (const auto& value : config->effective)
            EXPECT_TRUE(paths.insert(to_string(value.path)).second) << to_string(value.path);
    }
}

TEST(Effective, HidesSecrets) {
    const auto config = parse(kEverything, {{"REGISTRY_HTTP_SECRET", "very secret"}});
    ASSERT_TRUE(config) << config.error().detail;
    for (const auto& printed : {print_yaml(config->effective), print_json(config->effective)}) {
        EXPECT_EQ(printed.find("very secret"), std::string::npos) << printed;
        EXPECT_EQ(printed.find("very-secret"), std::string::npos) << printed;
        EXPECT_NE(printed.find("https://(hidden)@example.org/x?(hidden)"), std::string::npos);
    }
}

TEST(Effective, SaysWhereEachValueComesFrom) {
    const auto config = config_of("log:\n  level: warn\n  fields: {a b: 'x: y'}\n",
                                  {{"REGISTRY_HTTP_ADDR", "127.0.0.1:7"},
                                   {"REGISTRY_HTTP_TRUSTEDPROXIES", "[10.0.0.7, 10.0.0.8]"},
                                   {"REGISTRY_HTTP_TRUSTEDPROXIES_1", "10.0.0.9"}});
    const auto printed = print_yaml(config.effective);
    for (const auto* line :
         {"version: 0.1            # c.yml:1\n", "  level: warn           # c.yml:4\n",
          "    a b: \"x: y\"         # c.yml:5\n", "  formatter: text       # default\n",
          "  addr: 127.0.0.1:7     # REGISTRY_HTTP_ADDR\n",
          "    - 10.0.0.7          # REGISTRY_HTTP_TRUSTEDPROXIES\n",
          "    - 10.0.0.9          # REGISTRY_HTTP_TRUSTEDPROXIES_1\n"})
        EXPECT_NE(printed.find(line), std::string::npos) << line << printed;
}

TEST(Effective, HasTheTypesOfJson) {
    const auto config = config_of("http: {threads: 3, trustedproxies: [10.0.0.7]}\n");
    const auto list = nlohmann::json::parse(print_json(config.effective));
    const auto find = [&](std::string_view path) {
        for (const auto& value : list) {
            if (value["path"] == path) return value;
        }
        return nlohmann::json();
    };
    const nlohmann::json threads{{"path", "http.threads"}, {"value", 3}, {"source", "c.yml:3"}};
    EXPECT_EQ(find("http.threads"), threads);
    EXPECT_EQ(find("http.trustedproxies[0]")["value"], "10.0.0.7");
    EXPECT_EQ(find("storage.delete.enabled")["value"], false);
    EXPECT_EQ(find("storage.delete.enabled")["source"], "default");
}

TEST(Effective, ShowsTheDefaults) {
    std::string values;
    for (const auto& value : config_of("").effective)
        values += to_string(value.path) + "\n";
    EXPECT_EQ(values,
              "version\nlog.level\nlog.formatter\nlog.accesslog.disabled\nlog.accesslog.format\n"
              "storage.inmemory\nstorage.delete.enabled\nstorage.maintenance.readonly.enabled\n"
              "storage.maintenance.uploadpurging.enabled\nstorage.maintenance.uploadpurging.age\n"
              "storage.maintenance.uploadpurging.interval\n"
              "storage.maintenance.uploadpurging.dryrun\n"
              "http.net\nhttp.addr\nhttp.prefix\nhttp.relativeurls\nhttp.draintimeout\n"
              "http.threads\nhttp.limits.connections\nhttp.limits.headerbytes\n"
              "http.limits.blobbytes\nhttp.timeouts.header\nhttp.timeouts.idle\n"
              "http.timeouts.body\nvalidation.enabled\nvalidation.disabled\n"
              "validation.manifests.indexes.platforms\ncatalog.maxentries\ntags.maxtags\n");
}

}  // namespace
}  // namespace berth::app
