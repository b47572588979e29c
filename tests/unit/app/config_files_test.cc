// Whole files: configurations as they are found in the wild, and Berth's own examples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "unit/app/config_text.h"

namespace berth::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kRoot = BERTH_SOURCE_DIR;

Result<Config> load(const std::string& name) {
    return load_config(kRoot + "/tests/unit/app/configs/" + name, {}, NamedFiles::may_be_missing);
}

// The warnings without the file's folder.
std::vector<std::string> warnings_of(const std::string& name) {
    const auto config = load(name);
    if (!config) return {"refused: " + config.error().detail};
    std::vector<std::string> warnings;
    for (const auto& warning : config->warnings)
        warnings.push_back(warning.substr(warning.find(name)));
    return warnings;
}

TEST(ConfigsInTheWild, LoadUnchanged) {
    for (const auto* name :
         {"package-default.yml", "htpasswd-tls.yml", "token.yml", "notifications.yml",
          "debian-package.yml", "image-3.yml", "development-3.yml"})
        EXPECT_THAT(warnings_of(name), IsEmpty()) << name;
    EXPECT_THAT(warnings_of("development-2.8.yml"),
                ElementsAre("development-2.8.yml:15: storage.cache.blobdescriptor: on one machine "
                            "the index in memory is faster than Redis; inmemory needs none"));
    EXPECT_THAT(warnings_of("every-key-3.yml"),
                ElementsAre("every-key-3.yml:21: storage.cache.blobdescriptor: on one machine the "
                            "index in memory is faster than Redis; inmemory needs none"));
    EXPECT_THAT(
        warnings_of("redis.yml"),
        ElementsAre("redis.yml:4: storage.cache.blobdescriptor: on one machine the index in memory "
                    "is faster than Redis; inmemory needs none"));
    EXPECT_THAT(
        warnings_of("reference-host.yml"),
        ElementsAre("reference-host.yml:17: http.secret: is the literal of an example, which "
                    "everybody knows; write your own (`openssl rand -hex 32`) or take it out",
                    "reference-host.yml:18: redis: not used: only storage.cache.blobdescriptor: "
                    "redis would; take it out"));
}

TEST(ConfigsInTheWild, MeanWhatTheySay) {
    const auto secure = load("htpasswd-tls.yml");
    ASSERT_TRUE(secure) << secure.error().detail;
    EXPECT_TRUE(secure->http.listeners[0].tls);
    EXPECT_EQ(secure->http.host, "https://registry.example.org");
    EXPECT_EQ(secure->http.tls->ciphersuites.size(), 2u);
    EXPECT_EQ(secure->auth.htpasswd->path, "/auth/htpasswd");
    EXPECT_EQ(secure->http.headers.size(), 2u);

    const auto token = load("token.yml");
    ASSERT_TRUE(token) << token.error().detail;
    EXPECT_FALSE(token->auth.token->realm.empty());
    EXPECT_FALSE(token->auth.token->rootcertbundle.empty());
    EXPECT_EQ(token->auth.tokens_path, "") << "as with registry:2, only the outside tokens count";

    const auto host = load("reference-host.yml");
    ASSERT_TRUE(host) << host.error().detail;
    EXPECT_EQ(host->log.fields.at("environment"), "production");
    EXPECT_EQ(host->storage.root, "/var/lib/registry");
    EXPECT_FALSE(host->storage.upload_purging);
}

// Of a few values, so that a key that is passed over in silence is seen.
TEST(ConfigsInTheWild, LoseNothingOnTheWay) {
    const auto notifications = load("notifications.yml");
    ASSERT_TRUE(notifications) << notifications.error().detail;
    EXPECT_EQ(notifications->notifications.endpoints.size(), 2u);
    EXPECT_EQ(notifications->notifications.endpoints[1].backoff, std::chrono::seconds(10));

    const auto redis = load("redis.yml");
    ASSERT_TRUE(redis && redis->redis);
    EXPECT_EQ(redis->redis->password, "asecret");

    const auto all = load("every-key-3.yml");
    ASSERT_TRUE(all && all->redis && all->debug);
    EXPECT_EQ(all->log_outputs.mails.size(), 1u);
    EXPECT_TRUE(all->redis->tls);
    EXPECT_TRUE(all->debug->prometheus);
    EXPECT_TRUE(all->health.storage);
    EXPECT_EQ(all->health.files.size() + all->health.https.size() + all->health.tcps.size(), 3u);
    EXPECT_EQ(all->validation.platforms, ValidationConfig::Platforms::list);
}

TEST(ConfigsInTheWild, AreRefusedByNameWhereTheirCoreIsNotServed) {
    const std::pair<const char*, const char*> cases[] = {
        {"s3.yml", "s3.yml:3: storage.s3: this storage is not served by this version"},
        {"mirror-3.yml", "mirror-3.yml:16: proxy.remoteurl: a pull-through cache is not served"},
        {"mirror.yml", "mirror.yml:8: proxy.remoteurl: a pull-through cache is not served"},
    };
    for (const auto& [name, problem] : cases) {
        const auto config = load(name);
        ASSERT_FALSE(config) << name;
        EXPECT_THAT(config.error().detail, HasSubstr(problem));
        EXPECT_EQ(config.error().detail.find('\n'), std::string::npos) << config.error().detail;
    }
}

TEST(ConfigsInTheWild, EnvironmentAlone) {
    const Environment environment{{"REGISTRY_HTTP_ADDR", "0.0.0.0:443"},
                                  {"REGISTRY_STORAGE_DELETE_ENABLED", "true"},
                                  {"REGISTRY_AUTH", "htpasswd"},
                                  {"REGISTRY_AUTH_HTPASSWD_REALM", "Registry Realm"},
                                  {"REGISTRY_AUTH_HTPASSWD_PATH", "/auth/htpasswd"},
                                  {"REGISTRY_HTTP_TLS_CERTIFICATE", "/certs/domain.crt"},
                                  {"REGISTRY_HTTP_TLS_KEY", "/certs/domain.key"}};
    const auto config = load_config(kRoot + "/tests/unit/app/configs/package-default.yml",
                                    environment, NamedFiles::may_be_missing);
    ASSERT_TRUE(config) << config.error().detail;
    EXPECT_EQ(config->http.listeners.size(), 1u);
    EXPECT_EQ(config->http.listeners[0].address, "0.0.0.0:443");
    EXPECT_TRUE(config->http.listeners[0].tls);
    EXPECT_TRUE(config->storage.delete_enabled);
    EXPECT_EQ(config->auth.realm, "Registry Realm");
    EXPECT_TRUE(load_config("", environment, NamedFiles::may_be_missing));
}

TEST(Examples, LoadWithoutAWarning) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/examples")) {
        if (entry.path().extension() != ".yml") continue;
        ++count;
        const auto config = load_config(entry.path().string(), {}, NamedFiles::may_be_missing);
        ASSERT_TRUE(config) << config.error().detail;
        EXPECT_THAT(config->warnings, IsEmpty());
    }
    EXPECT_GE(count, 7u);
}

TEST(Examples, LimitsAreTheDefaults) {
    const auto limits = load_config(kRoot + "/examples/limits.yml", {}, NamedFiles::may_be_missing);
    const auto defaults = parse("version: 0.1\nstorage: {filesystem: {}}\n");
    ASSERT_TRUE(limits && defaults);
    EXPECT_TRUE(same_values(limits->effective, defaults->effective));
}

}  // namespace
}  // namespace berth::app
