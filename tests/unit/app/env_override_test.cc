// The environment over the file: the original's rules, one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/config_text.h"

namespace berth::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(EnvOverride, AVariableSetsAKeyAndMakesItsSection) {
    const auto config = config_of(
        "", {{"REGISTRY_HTTP_ADDR", "127.0.0.1:7"}, {"REGISTRY_STORAGE_DELETE_ENABLED", "true"}});
    EXPECT_THAT(config.warnings, IsEmpty());
    EXPECT_EQ(config.http.listeners[0].address, "127.0.0.1:7");
    EXPECT_TRUE(config.storage.delete_enabled);
}

TEST(EnvOverride, AVariableWinsOverTheFile) {
    EXPECT_EQ(config_of("log: {level: info}\n", {{"REGISTRY_LOG_LEVEL", "debug"}}).log.level,
              LogLevel::debug);
}

TEST(EnvOverride, TheValueIsYaml) {
    const auto http = config_of("", {{"REGISTRY_HTTP_HEADERS", "{X-A: [b, c]}"},
                                     {"REGISTRY_HTTP_TRUSTEDPROXIES", "[127.0.0.1, \"::1\"]"}})
                          .http;
    EXPECT_THAT(http.headers, ElementsAre(Pair("X-A", "b"), Pair("X-A", "c")));
    EXPECT_THAT(http.trusted_proxies, ElementsAre("127.0.0.1", "::1"));
    const auto wrong = problems_of("", {{"REGISTRY_HTTP_HEADERS", "[a"}});
    EXPECT_TRUE(wrong.starts_with("REGISTRY_HTTP_HEADERS:1: not YAML: ")) << wrong;
}

TEST(EnvOverride, AnEmptyValueTakesAKeyAway) {
    EXPECT_EQ(
        config_of("http: {addr: ':7'}\n", {{"REGISTRY_HTTP_ADDR", ""}}).http.listeners[0].address,
        ":5000");
}

TEST(EnvOverride, NamesCompareWithoutCaseAndUnderscores) {
    const auto config =
        config_of("log: {fields: {My_Field: a}}\n", {{"REGISTRY_log_Fields_MYFIELD", "b"}});
    EXPECT_THAT(config.log.fields, ElementsAre(Pair("My_Field", "b")));
}

TEST(EnvOverride, TheLessSpecificComesFirst) {
    const auto config = config_of(
        "log: {fields: {a: file, b: file}}\n",
        {{"REGISTRY_LOG_FIELDS", "{a: whole, c: whole}"}, {"REGISTRY_LOG_FIELDS_A", "one"}});
    EXPECT_THAT(config.log.fields, ElementsAre(Pair("a", "one"), Pair("c", "whole")));
}

TEST(EnvOverride, AListsItemIsNamedByItsNumber) {
    const std::string file = "http: {trustedproxies: [10.0.0.1, 10.0.0.2]}\n";
    EXPECT_THAT(
        config_of(file, {{"REGISTRY_HTTP_TRUSTEDPROXIES_1", "10.0.0.9"}}).http.trusted_proxies,
        ElementsAre("10.0.0.1", "10.0.0.9"));
    EXPECT_THAT(
        config_of(file, {{"REGISTRY_HTTP_TRUSTEDPROXIES_2", "10.0.0.9"}}).http.trusted_proxies,
        ElementsAre("10.0.0.1", "10.0.0.2", "10.0.0.9"));
    EXPECT_EQ(problems_of(file, {{"REGISTRY_HTTP_TRUSTEDPROXIES_3", "10.0.0.9"}}),
              "REGISTRY_HTTP_TRUSTEDPROXIES_3: the number is past the end of the list");
    EXPECT_THAT(
        config_of("", {{"REGISTRY_HTTP_TRUSTEDPROXIES_0", "10.0.0.9"}}).http.trusted_proxies,
        ElementsAre("10.0.0.9"));
}

TEST(EnvOverride, AListOfMapsGrowsByTheirKeys) {
    const auto config = config_of("", {{"REGISTRY_HTTP_LISTENERS_0_ADDR", "':1'"},
                                       {"REGISTRY_HTTP_LISTENERS_1_ADDR", "/x.sock"},
                                       {"REGISTRY_HTTP_LISTENERS_1_NET", "unix"}});
    ASSERT_EQ(config.http.listeners.size(), 2u);
    EXPECT_EQ(config.http.listeners[0].address, ":1");
    EXPECT_EQ(config.http.listeners[1].network, "unix");
}

TEST(EnvOverride, InAMapAnUnknownKeyIsMadeInLowerCase) {
    EXPECT_THAT(config_of("", {{"REGISTRY_LOG_FIELDS_SERVICE", "registry"}}).log.fields,
                ElementsAre(Pair("service", "registry")));
}

TEST(EnvOverride, ElsewhereAnUnknownNameIsWarnedAboutAndIgnored) {
    // As Kubernetes makes them for a service called registry.
    const Environment environment{{"REGISTRY_PORT", "tcp://10.0.0.1:5000"},
                                  {"REGISTRY_PORT_5000_TCP_ADDR", "[not yaml"},
                                  {"REGISTRY_HTTP_ADR", ":7"}};
    const auto config = config_of("", environment);
    EXPECT_THAT(config.warnings,
                ElementsAre("REGISTRY_HTTP_ADR: names no key of the configuration; ignored",
                            "REGISTRY_PORT: names no key of the configuration; ignored",
                            "REGISTRY_PORT_5000_TCP_ADDR: names no key of the configuration; "
                            "ignored"));
    EXPECT_EQ(config.http.listeners[0].address, ":5000");
}

TEST(EnvOverride, AnUnknownKeyOfAMapIsJudgedLikeTheFiles) {
    EXPECT_EQ(
        problems_of("", {{"REGISTRY_STORAGE_FILESYTEM", "{}"}}),
        "REGISTRY_STORAGE_FILESYTEM: storage.filesytem: unknown key; did you mean filesystem?");
}

TEST(EnvOverride, WhatIsRefusedIsRefusedFromAVariableToo) {
    for (const auto* name : {"REGISTRY_PROXY_REMOTEURL", "REGISTRY_HTTP_TLS_LETSENCRYPT_HOSTS_0",
                             "REGISTRY_MIDDLEWARE_STORAGE_0_NAME", "REGISTRY_STORAGE_S3_BUCKET",
                             "REGISTRY_LOG_HOOKS_0_TYPE"})
        EXPECT_TRUE(problems_of("", {{name, "x"}}).starts_with(name)) << name;
}

TEST(EnvOverride, AListOfMapsCanBeSetWholeOrByItsNumbers) {
    const std::string file = "notifications: {endpoints: [{name: a, url: 'http://a'}]}\n";
    const auto names = [&](const Environment& environment) {
        std::vector<std::string> all;
        for (const auto& endpoint : config_of(file, environment).notifications.endpoints)
            all.push_back(endpoint.name + " " + endpoint.url);
        return all;
    };
    EXPECT_THAT(names({{"REGISTRY_NOTIFICATIONS_ENDPOINTS", "[{name: b, url: 'http://b'}]"}}),
                ElementsAre("b http://b"));
    EXPECT_THAT(names({{"REGISTRY_NOTIFICATIONS_ENDPOINTS", "- name: b\n  url: http://b\n"}}),
                ElementsAre("b http://b"));
    EXPECT_THAT(names({{"REGISTRY_NOTIFICATIONS_ENDPOINTS_0_NAME", "zero"},
                       {"REGISTRY_NOTIFICATIONS_ENDPOINTS_1_NAME", "b"},
                       {"REGISTRY_NOTIFICATIONS_ENDPOINTS_1_URL", "http://b"}}),
                ElementsAre("zero http://a", "b http://b"));
    EXPECT_THAT(names({{"REGISTRY_NOTIFICATIONS_ENDPOINTS_1", "{name: b, url: 'http://b'}"}}),
                ElementsAre("a http://a", "b http://b"));
    EXPECT_EQ(problems_of(file, {{"REGISTRY_NOTIFICATIONS_ENDPOINTS_2_NAME", "b"}}),
              "REGISTRY_NOTIFICATIONS_ENDPOINTS_2_NAME: the number is past the end of the list");
}

TEST(EnvOverride, AHeadersNameMayHaveHyphens) {
    EXPECT_THAT(config_of("", {{"REGISTRY_HTTP_HEADERS_Access-Control-Allow-Origin", "['*']"}})
                    .http.headers,
                ElementsAre(Pair("access-control-allow-origin", "*")));
    EXPECT_THAT(config_of("http: {headers: {X-Frame-Options: [deny]}}\n",
                          {{"REGISTRY_HTTP_HEADERS_X-FRAME-OPTIONS_0", "sameorigin"}})
                    .http.headers,
                ElementsAre(Pair("X-Frame-Options", "sameorigin")));
}

// The original looks for the names of its Go fields.
TEST(EnvOverride, TheOriginalsOwnNamesAreKnown) {
    const auto config = config_of(
        "", {{"REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES", "true"},
             {"REGISTRY_NOTIFICATIONS_ENDPOINTS", "[{name: a, url: 'http://a'}]"},
             {"REGISTRY_HEALTH_FILECHECKERS_0_FILE", "/f"},
             {"REGISTRY_HEALTH_HTTPCHECKERS", "[{uri: 'http://x'}]"},
             {"REGISTRY_HEALTH_TCPCHECKERS_0_ADDR", "'x:1'"},
             {"REGISTRY_LOG_HOOKS_0_TYPE", "mail"},
             {"REGISTRY_LOG_HOOKS_0_MAILOPTIONS", "{from: a, to: [b], smtp: {addr: 'x:25'}}"},
             {"REGISTRY_COMPATIBILITY_SCHEMA1_TRUSTKEY", "/k"},
             {"REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "redis"},
             {"REGISTRY_REDIS_OPTIONS_ADDRS", "['r:6379']"},
             {"REGISTRY_REDIS_DB", "3"}});
    EXPECT_EQ(config.warnings.size(), 1u) << "only that Redis is slower: " << config.warnings[0];
    EXPECT_TRUE(config.notifications.include_references);
    EXPECT_EQ(config.health.files.size(), 1u);
    EXPECT_EQ(config.health.https.size(), 1u);
    EXPECT_EQ(config.health.tcps.size(), 1u);
    EXPECT_EQ(config.log_outputs.mails.size(), 1u);
    ASSERT_TRUE(config.redis);
    EXPECT_THAT(config.redis->addresses, ElementsAre("r:6379"));
    EXPECT_EQ(config.redis->db, 3u);
}

TEST(EnvOverride, AScalarReplacesTheSection) {
    const auto config = parse("version: 0.1\nstorage: {filesystem: {rootdirectory: /x}}\n",
                              {{"REGISTRY_STORAGE", "inmemory"}});
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_TRUE(config->storage.in_memory);
}

TEST(EnvOverride, AStorageDriverReplacesTheFiles) {
    const auto config =
        config_of("", {{"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "/var/lib/registry"}});
    EXPECT_FALSE(config.storage.in_memory);
    EXPECT_EQ(config.storage.root, "/var/lib/registry");
}

TEST(EnvOverride, AnAuthSchemeIsNamedAndFilledIn) {
    const auto config = config_of("", {{"REGISTRY_AUTH", "htpasswd"},
                                       {"REGISTRY_AUTH_HTPASSWD_REALM", "Realm"},
                                       {"REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd"}});
    ASSERT_TRUE(config.auth.htpasswd);
    EXPECT_EQ(config.auth.realm, "Realm");
    EXPECT_EQ(config.auth.htpasswd->path, "/auth/htpasswd");
}

TEST(EnvOverride, TheVersionCannotBeSet) {
    EXPECT_THAT(config_of("", {{"REGISTRY_VERSION", "0.2"}}).warnings,
                ElementsAre("REGISTRY_VERSION: the version cannot be set; ignored"));
}

TEST(EnvOverride, TheConfigurationsPathIsNoKey) {
    EXPECT_THAT(config_of("", {{"REGISTRY_CONFIGURATION_PATH", "/x"}, {"REGISTRY_", "x"}}).warnings,
                IsEmpty());
}

TEST(EnvOverride, TheOldNameOfTheSecretIsTakenWithAHint) {
    const auto config = config_of("", {{"HTTP_SECRET", "0123456789: [x"}});
    EXPECT_EQ(config.http.secret, "0123456789: [x");
    EXPECT_THAT(config.warnings,
                ElementsAre("HTTP_SECRET: read as REGISTRY_HTTP_SECRET; write that instead"));
    EXPECT_EQ(config_of("", {{"HTTP_SECRET", "old"}, {"REGISTRY_HTTP_SECRET", "new"}}).http.secret,
              "new");
}

TEST(EnvOverride, OtherVariablesAreNotLookedAt) {
    EXPECT_THAT(config_of("", {{"PATH", "/bin"}, {"registry_http_addr", "x"}}).warnings, IsEmpty());
}

}  // namespace
}  // namespace berth::app
