// What is wrong with a configuration is said with file, line, key and what to write instead.
// Each case stands behind two good lines, so its own first line is the third.
#include <gtest/gtest.h>

#include "support/temporary_directory.h"
#include "unit/app/config_text.h"

namespace berth::app {
namespace {

TEST(WrongConfig, AnUnknownKeyIsNamedWithTheNearest) {
    constexpr Case kCases[] = {
        {"http:\n  adr: :5000\n", "c.yml:4: http.adr: unknown key; did you mean addr?"},
        {"htpp: {}\n", "c.yml:3: htpp: unknown key; did you mean http?"},
        {"auth: {htpasswd: {realm: x, path: /x, pth: /y}}\n",
         "c.yml:3: auth.htpasswd.pth: unknown key; did you mean path?"},
        {"policy:\n  - name: a\n    subject: [everyone]\n    subjects: [everyone]\n    actions: "
         "[pull]\n",
         "c.yml:5: policy[0].subject: unknown key; did you mean subjects?"},
        {"catalog: {limit: 5}\n", "c.yml:3: catalog.limit: unknown key; known here: maxentries"},
        {"http: {limits: {blobbyte: 5}}\n",
         "c.yml:3: http.limits.blobbyte: unknown key; did you mean blobbytes?"},
    };
    expect_problems(kCases);
}

TEST(WrongConfig, WhatIsNotServedAndWouldBeMissedIsRefusedByName) {
    constexpr Case kCases[] = {
        {"auth: {silly: {realm: x, service: y}}\n",
         "c.yml:3: auth.silly: it lets everybody in; use auth.htpasswd"},
        {"http: {tls: {letsencrypt: {email: a@example.org}}}\n",
         "c.yml:3: http.tls.letsencrypt: certificates are not fetched by this version; use certbot "
         "and name its files in http.tls.certificate and http.tls.key"},
        {"proxy: {remoteurl: https://example.org}\n",
         "c.yml:3: proxy.remoteurl: a pull-through cache is not served by this version, which "
         "would "
         "answer from its own data and accept pushes; stay with the original"},
        {"middleware: {storage: [{name: cloudfront}]}\n",
         "c.yml:3: middleware.storage: middleware is not served; take the section out if the "
         "registry may do without it"},
        {"compatibility: {schema1: {enabled: true}}\n",
         "c.yml:3: compatibility.schema1.enabled: manifest schema 1 is a dead format and not "
         "served; push such images anew"},
        {"redis: {mastername: mymaster}\n",
         "c.yml:3: redis.mastername: Sentinel is not asked; name the Redis server itself in "
         "redis.addrs"},
    };
    expect_problems(kCases);
}

TEST(WrongConfig, WhatIsRefusedMayStandThereSwitchedOff) {
    for (const auto* text :
         {"http: {tls: {letsencrypt: {email: ''}}}\n", "proxy: {remoteurl: ''}\n",
          "compatibility: {schema1: {enabled: false}}\n",
          "middleware: {storage: [{name: redirect, disabled: true}]}\n", "log: {hooks: null}\n"})
        EXPECT_EQ(problems_of(text), "") << text;
}

TEST(WrongConfig, ValuesOfTheWrongKind) {
    constexpr Case kCases[] = {
        {"http: [a]\n", "c.yml:3: http: must be a map"},
        {"http: {host: [a]}\n", "c.yml:3: http.host: must be a single value"},
        {"log: {fields: [a]}\n", "c.yml:3: log.fields: must be a map"},
        {"http: {headers: {X-A: {b: c}}}\n", "c.yml:3: http.headers.X-A: must be a list"},
        {"http: {relativeurls: maybe}\n", "c.yml:3: http.relativeurls: must be true or false"},
        {"http: {draintimeout: 1 minute}\n",
         "c.yml:3: http.draintimeout: must be a duration such as 30s, 10m or 168h"},
        {"http: {limits: {blobbytes: -1}}\n",
         "c.yml:3: http.limits.blobbytes: must be a number of bytes such as 65536, 64MiB or 10GiB"},
        {"http: {limits: {connections: 0}}\n",
         "c.yml:3: http.limits.connections: must be a number from 1 to 1000000"},
        {"http: {limits: {headerbytes: 100}}\n",
         "c.yml:3: http.limits.headerbytes: must be from 4KiB to 16MiB"},
        {"http: {timeouts: {idle: 0s}}\n", "c.yml:3: http.timeouts.idle: must be longer than 0"},
        {"http: {threads: many}\n", "c.yml:3: http.threads: must be a number from 0 to 1024"},
        {"catalog: {maxentries: 0}\n",
         "c.yml:3: catalog.maxentries: must be a number from 1 to 1000000"},
        {"log: {level: loud}\n",
         "c.yml:3: log.level: \"loud\" is none of debug, info, warn, error"},
        {"log: {level: eror}\n",
         "c.yml:3: log.level: \"eror\" is none of debug, info, warn, error; did you mean error?"},
        {"log: {accesslog: {format: short}}\n",
         "c.yml:3: log.accesslog.format: \"short\" is none of combined"},
    };
    expect_problems(kCases);
}

TEST(WrongConfig, Listeners) {
    constexpr Case kCases[] = {
        {"http: {addr: '5000'}\n",
         "c.yml:3: http.addr: \"5000\" must be host:port, [IPv6 address]:port or :port, such as "
         ":5000"},
        {"http: {addr: ':x'}\n", "c.yml:3: http.addr: \":x\" must end with a port up to 65535"},
        {"http: {addr: 'h:70000'}\n",
         "c.yml:3: http.addr: \"h:70000\" must end with a port up to 65535"},
        {"http: {addr: '::1:5000'}\n",
         "c.yml:3: http.addr: \"::1:5000\" must be host:port; an IPv6 address stands in brackets, "
         "such as [::1]:5000"},
        {"http: {addr: ['[x]:1']}\n",
         "c.yml:3: http.addr[0]: \"[x]:1\" must have an IPv6 address between its brackets"},
        {"http: {net: udp}\n", "c.yml:3: http.net: \"udp\" is none of tcp, unix"},
        {"http: {net: unix}\n", "c.yml:3: http.net: unix needs the socket's path in http.addr"},
        {"http: {listeners: [{net: tcp}]}\n", "c.yml:3: http.listeners[0]: addr is missing"},
        {"http: {listeners: [{addr: ':1', tls: true}]}\n",
         "c.yml:3: http.listeners[0].tls: needs http.tls with certificate and key"},
        {"http: {tls: {certificate: /a.crt}}\n",
         "c.yml:3: http.tls: key is missing: the file with the certificate's private key"},
        {"http: {tls: {key: /a.key}}\n",
         "c.yml:3: http.tls: certificate is missing: the file that fits the key"},
        {"http: {tls: {minimumtls: ssl3}}\n",
         "c.yml:3: http.tls.minimumtls: \"ssl3\" is none of tls1.0, tls1.1, tls1.2, tls1.3"},
    };
    expect_problems(kCases);
    const auto path = std::string(108, 'x');
    EXPECT_EQ(problems_of("http: {net: unix, addr: " + path + "}\n"),
              "c.yml:3: http.addr: a socket's path has at most 107 bytes");
}

TEST(WrongConfig, WhatGoesIntoAnswers) {
    constexpr Case kCases[] = {
        {"http: {host: registry.example.org}\n",
         "c.yml:3: http.host: must be http://NAME or https://NAME, with a port if it is not the "
         "usual one"},
        {"http: {host: 'https://a/b'}\n",
         "c.yml:3: http.host: holds a path; write that as http.prefix"},
        {"http: {prefix: '/a b/'}\n",
         "c.yml:3: http.prefix: must be a path such as /registry/, of letters, digits and - . _ ~"},
        {"http: {headers: {'X A': [b]}}\n", "c.yml:3: http.headers.X A: is no name of a header"},
        {"http: {headers: {X-A: [\"b\\r\\nc\"]}}\n",
         "c.yml:3: http.headers.X-A[0]: must not hold control characters"},
        {"http: {headers: {Content-Length: ['1']}}\n",
         "c.yml:3: http.headers.Content-Length: the server sets this header itself"},
        {"http: {trustedproxies: [proxy.example.org]}\n",
         "c.yml:3: http.trustedproxies[0]: \"proxy.example.org\" is no address or network such as "
         "10.0.0.7 or 10.0.0.0/8"},
        {"http: {trustedproxies: 10.0.0.0/33}\n",
         "c.yml:3: http.trustedproxies: \"10.0.0.0/33\" is no address or network such as 10.0.0.7 "
         "or 10.0.0.0/8"},
    };
    expect_problems(kCases);
}

TEST(WrongConfig, WhoMay) {
    constexpr Case kCases[] = {
        {"auth: htpasswd\n",
         "c.yml:3: auth.htpasswd: realm is missing: the name that clients show when they ask for a "
         "password\n"
         "c.yml:3: auth.htpasswd: path is missing: the file with users and the hashes of their "
         "passwords"},
        {"policy: []\n",
         "c.yml:3: policy: has no rule, so nobody could do anything; write rules or take it out"},
        {"policy:\n",
         "c.yml:3: policy: has no rule, so nobody could do anything; write rules or take it out"},
        {"policy: [{subjects: [everyone]}]\n", "c.yml:3: policy[0]: actions is missing"},
        {"policy: [{actions: [pull]}]\n", "c.yml:3: policy[0]: subjects is missing"},
        {"policy: [{subjects: [everyone], actions: [pull], effect: maybe}]\n",
         "c.yml:3: policy[0].effect: \"maybe\" is none of allow, deny"},
        {"policy: [{subjects: [everyone], actions: [pull], repositories: []}]\n",
         "c.yml:3: policy[0].repositories: names nothing; fill it in or take it out"},
        {"policy: [{subjects: [everyone], actions: [pull], tags:}]\n",
         "c.yml:3: policy[0].tags: names nothing; fill it in or take it out"},
        {"policy: [x]\n", "c.yml:3: policy[0]: must be a map with subjects and actions"},
        {"policy: x\n", "c.yml:3: policy: must be a list of rules"},
    };
    expect_problems(kCases);
    const auto said = problems_of(
        "policy:\n  - {subjects: [everyone], actions: [pull]}\n"
        "  - {name: b, subjects: [everyone], actions: [fly]}\n");
    EXPECT_TRUE(said.starts_with("c.yml:5: policy[1]: ")) << said;
    EXPECT_NE(said.find("fly"), std::string::npos) << said;
}

TEST(WrongConfig, Validation) {
    constexpr Case kCases[] = {
        {"validation: {manifests: {urls: {allow: ['(']}}}\n",
         "c.yml:3: validation.manifests.urls.allow[0]: \"(\" is not a regular expression, or too "
         "long a one"},
        {"validation: {manifests: {indexes: {platforms: list}}}\n",
         "c.yml:3: validation.manifests.indexes.platforms: list needs platformlist with "
         "architecture and os of each"},
        {"validation: {manifests: {indexes: {platformlist: [{os: linux}]}}}\n",
         "c.yml:3: validation.manifests.indexes.platformlist[0]: must name architecture and os"},
    };
    expect_problems(kCases);
}

TEST(WrongConfig, AllProblemsAreSaidAtOnce) {
    EXPECT_EQ(problems_of("http:\n  adr: x\n  relativeurls: maybe\ntags: {maxtags: x}\n"),
              "c.yml:4: http.adr: unknown key; did you mean addr?\n"
              "c.yml:5: http.relativeurls: must be true or false\n"
              "c.yml:6: tags.maxtags: must be a number from 1 to 1000000");
}

TEST(WrongConfig, TheDocumentAsAWhole) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "c.yml: must be a map that begins with version: 0.1"},
        {"- a\n", "c.yml:1: must be a map that begins with version: 0.1"},
        {"storage: inmemory\n", "c.yml:1: version is missing: begin with version: 0.1"},
        {"version: 0.2\nstorage: inmemory\n", "c.yml:1: version: must be 0.1"},
        {"version: 0.1\n",
         "c.yml:1: names no place for the data; write storage.filesystem.rootdirectory: "
         "/var/lib/registry, or storage.inmemory: {} to try things out"},
        {"version: 0.1\nstorage: {filesystem: {}, inmemory: {}}\n",
         "c.yml:2: storage: names both filesystem and inmemory; keep one of them"},
        {"version: 0.1\nhttp: [\n", "c.yml:3: not YAML: end of sequence flow not found"},
    };
    for (const auto& [text, problem] : cases) {
        const auto config = parse(text);
        ASSERT_FALSE(config) << text;
        EXPECT_EQ(config.error().code, Errc::invalid);
        EXPECT_EQ(config.error().detail, problem) << text;
    }
}

TEST(WrongConfig, FilesThatAreNamedMustBeThere) {
    const TemporaryDirectory folder;
    const auto missing = folder.file("none");
    const auto problem = [&](const std::string& text) {
        const auto config = parse_config("c.yml", std::string(kBase) + text, {});
        return config ? std::string() : config.error().detail;
    };
    EXPECT_EQ(problem("auth: {htpasswd: {realm: x, path: " + missing + "}}\n"),
              "c.yml:3: auth.htpasswd.path: " + missing +
                  ": No such file or directory; make one with `berth user add NAME` or `htpasswd "
                  "-Bc " +
                  missing + " NAME`");
    EXPECT_EQ(problem("auth: {htpasswd: {realm: x, path: " + folder.path() + "}}\n"),
              "c.yml:3: auth.htpasswd.path: " + folder.path() + ": a folder, not a file");
    EXPECT_EQ(
        problem("http:\n  tls:\n    certificate: " + missing + "\n    key: " + missing + "2\n"),
        "c.yml:5: http.tls.certificate: " + missing +
            ": No such file or directory\n"
            "c.yml:6: http.tls.key: " +
            missing + "2: No such file or directory");
}

TEST(WrongConfig, TheFileItselfMustBeReadable) {
    const TemporaryDirectory folder;
    const auto missing = load_config(folder.file("none"), {});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::not_found);
    EXPECT_EQ(missing.error().detail, folder.file("none") + ": No such file or directory");
    EXPECT_FALSE(load_config(folder.path(), {}));
    EXPECT_FALSE(load_config("/dev/zero", {}));
}

}  // namespace
}  // namespace berth::app
