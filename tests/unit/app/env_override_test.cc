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
                             "REGISTRY_LOG_HOOKS_0_TYPE", "REGISTRY_PROXY_EXEC_COMMAND"})
        EXPECT_TRUE(problems_of("", {{name, "x"}}).starts_with(name)) << name;
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
