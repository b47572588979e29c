// Goal: the sections auth and audit mean what they say, with safe defaults, and what cannot work is
// named. Method: texts; no file that they name is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "unit/app/config_text.h"

namespace berth::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kFiles = "version: 0.1\nstorage: {filesystem: {rootdirectory: /data}}\n";

Config on_files(std::string_view text) {
    auto config = parse(std::string(kFiles) + std::string(text));
    EXPECT_TRUE(config) << config.error().detail;
    return config ? *std::move(config) : Config();
}

TEST(AuthConfig, OfADirectory) {
    const auto config = config_of(R"yaml(auth:
  ldap:
    url: "ldaps://a.example b.example:1636/dc=example,dc=org?mail?one?(objectClass=person)"
    ca: /ca.pem
    binddn: cn=reader,dc=example,dc=org
    bindpasswordfile: /secret
    groups: {attribute: memberOf, depth: 0}
    timeout: 2s
    grace: 0s
)yaml");
    EXPECT_THAT(config.warnings, IsEmpty());
    const auto& ldap = config.auth.ldap.value();
    EXPECT_EQ(ldap.url.servers.size(), 2u);
    EXPECT_EQ(ldap.url.attribute, "mail");
    EXPECT_EQ(ldap.groups.own_attribute, "memberOf");
    EXPECT_EQ(ldap.groups.depth, 0u);
    EXPECT_EQ(ldap.timeout, std::chrono::seconds(2));
    EXPECT_EQ(ldap.grace, std::chrono::seconds(0));
    EXPECT_TRUE(ldap.verify);
    EXPECT_TRUE(config.auth.enabled());
}

TEST(AuthConfig, WarnsOfPasswordsThatAnybodyCanRead) {
    const auto warnings = [](std::string_view ldap) {
        return config_of("auth: {ldap: {" + std::string(ldap) + "}}\n").warnings;
    };
    EXPECT_THAT(warnings("url: ldap://a.example/dc=x"),
                ElementsAre(HasSubstr("passwords cross the network")));
    EXPECT_THAT(warnings("url: ldap://a.example/dc=x, starttls: true"), IsEmpty());
    EXPECT_THAT(warnings("url: ldaps://a.example/dc=x"), IsEmpty());
    EXPECT_THAT(warnings("url: 'ldap://127.0.0.1:1389/dc=x'"), IsEmpty());
}

TEST(AuthConfig, KeepsTokensAndKeysBesideTheData) {
    const auto config = on_files("auth: {htpasswd: {realm: x, path: /p}, issuer: {}}\n");
    EXPECT_EQ(config.auth.tokens_path, "/data/berth/tokens");
    ASSERT_TRUE(config.auth.issuer);
    EXPECT_EQ(config.auth.issuer->keys, "/data/berth/keys");
    EXPECT_EQ(config_of("auth: {htpasswd: {realm: x, path: /p}}\n").auth.tokens_path, "")
        << "what is in memory leaves no files";
}

TEST(AuthConfig, IssuesTokensWhereSomeMayPullWithoutALogin) {
    constexpr std::string_view kOpen =
        "policy: [{subjects: [anonymous], actions: [pull]}, "
        "{subjects: [authenticated], actions: [push]}]\n";
    const std::string auth = "auth: {htpasswd: {realm: x, path: /p}%}\n";
    const auto with = [&](std::string_view more) {
        std::string text = auth;
        text.replace(text.find('%'), 1, more);
        return on_files(text + std::string(kOpen)).auth.issuer.has_value();
    };
    EXPECT_TRUE(with(""));
    EXPECT_FALSE(with(", issuer: {enabled: false}"));
    EXPECT_FALSE(on_files("auth: {htpasswd: {realm: x, path: /p}}\n"
                          "policy: [{subjects: [authenticated], actions: [pull]}]\n")
                     .auth.issuer);
}

TEST(AuthConfig, WarnsOfSubjectsThatNobodyIs) {
    const auto warnings = [](std::string_view auth, std::string_view subject) {
        return on_files("auth: {htpasswd: {realm: x, path: /p}" + std::string(auth) +
                        "}\npolicy: [{subjects: ['" + std::string(subject) +
                        "'], actions: [pull]}]\n")
            .warnings;
    };
    EXPECT_THAT(warnings("", "group:dev"), ElementsAre(HasSubstr("group:dev is nobody")));
    EXPECT_THAT(warnings(", groups: {path: /g}", "group:dev"), IsEmpty());
    EXPECT_THAT(warnings("", "robot:ci"), IsEmpty());
    EXPECT_THAT(warnings("", "oidc:gh repo=a/b"), ElementsAre(HasSubstr("is nobody")));
    EXPECT_THAT(
        warnings(", oidc: [{name: gh, issuer: 'https://x', audiences: [y]}]", "oidc:gh repo=a/b"),
        IsEmpty());
}

TEST(AuthConfig, ReadsRulesForPlacesAndTimes) {
    const auto config = on_files(
        "policy: [{subjects: [everyone], actions: [pull], addresses: [10.0.0.0/8, '::1'], "
        "expires: 2027-01-31}, {subjects: [everyone], actions: [push], "
        "expires: '2027-01-31T10:00:00Z'}]\n");
    const auto& rules = config.policy.value();
    EXPECT_THAT(rules[0].addresses, ElementsAre("10.0.0.0/8", "::1"));
    EXPECT_EQ(format_rfc3339(rules[0].expires.value()), "2027-01-31T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(rules[1].expires.value()), "2027-01-31T10:00:00.000Z");
}

TEST(AuthConfig, NamesWhatCannotWork) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"auth: {ldap: {}}\n", "c.yml:3: auth.ldap: url is missing"},
        {"auth: {ldap: {url: 'http://x'}}\n", "c.yml:3: auth.ldap.url: "},
        {"auth: {ldap: {url: ldap://x/dc=y, userdn: uid=x}}\n", "must hold {user}"},
        {"auth: {ldap: {url: ldap://x/dc=y, bindpassword: a, bindpasswordfile: /b}}\n",
         "keep one of them"},
        {"auth: {token: {realm: r, service: s, issuer: i}}\n", "rootcertbundle or jwks is missing"},
        {"auth: {token: {realm: r, issuer: i, jwks: /j}}\n", "service is missing"},
        {"auth: {token: {realm: r, service: s, issuer: i, jwks: /j}, issuer: {}}\n",
         "stands beside token"},
        {"auth: {issuer: {}}\n", "needs a way to log in"},
        {"auth: {htpasswd: {realm: x, path: /p}, issuer: {lifetime: 10s}}\n", "at least 1m"},
        {"auth: {htpasswd: {realm: x, path: /p}, issuer: {algorithm: none}}\n",
         "\"none\" is none of ES256, RS256, EdDSA"},
        {"auth: {certificates: {}}\n", "needs http.tls.clientcas"},
        {"auth: {oidc: [{name: 'a b', issuer: x, audiences: [y]}]}\n", "name must be a word"},
        {"auth: {oidc: [{name: a, issuer: x}]}\n", "audiences is missing"},
        {"auth: {throttle: {failures: 0}}\n", "auth.throttle.failures: "},
        {"audit: {}\n", "c.yml:3: audit: path is missing"},
        {"audit: {path: /a, bytes: 1}\n", "at least 64KiB"},
        {"policy: [{subjects: [everyone], actions: [pull], expires: soon}]\n",
         "must be a day such as 2027-01-31"},
        {"policy: [{subjects: [everyone], actions: [pull], addresses: [home]}]\n", "home"},
    };
    for (const auto& [text, problem] : cases)
        EXPECT_THAT(problems_of(text), HasSubstr(std::string(problem))) << text;
}

}  // namespace
}  // namespace berth::app
