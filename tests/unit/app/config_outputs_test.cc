// Where the log goes besides standard error: mail, syslog, the journal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/config_text.h"

namespace berth::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Transport = logging::SyslogOptions::Transport;

TEST(LogOutputs, AreNoneByDefault) {
    const auto outputs = config_of("log: {syslog: false, journald: no, hooks: []}\n").log_outputs;
    EXPECT_FALSE(outputs.syslog);
    EXPECT_FALSE(outputs.journald);
    EXPECT_THAT(outputs.mails, IsEmpty());
}

TEST(LogOutputs, AMailHookIsReadAsInRegistry2) {
    const auto outputs = config_of(R"(log:
  hooks:
    - type: mail
      levels: [panic, warn]
      options:
        smtp: {addr: "mail.example.org:25", username: u, password: p, insecure: true}
        from: registry@example.org
        to: [a@example.org, b@example.org]
    - {type: mail, disabled: true}
)")
                             .log_outputs;
    ASSERT_EQ(outputs.mails.size(), 1u);
    const auto& mail = outputs.mails[0];
    EXPECT_EQ(mail.address, "mail.example.org:25");
    EXPECT_EQ(mail.username, "u");
    EXPECT_EQ(mail.password, "p");
    EXPECT_TRUE(mail.insecure);
    EXPECT_EQ(mail.from, "registry@example.org");
    EXPECT_THAT(mail.to, ElementsAre("a@example.org", "b@example.org"));
    EXPECT_EQ(mail.level, LogLevel::warn) << "the lowest of them";
}

TEST(LogOutputs, TrueIsEnough) {
    const auto outputs = config_of("log: {syslog: true, journald: true}\n").log_outputs;
    ASSERT_TRUE(outputs.syslog);
    EXPECT_EQ(outputs.syslog->transport, Transport::unix_socket);
    EXPECT_EQ(outputs.syslog->address, "/dev/log");
    ASSERT_TRUE(outputs.journald);
    EXPECT_FALSE(outputs.journald->access);
}

TEST(LogOutputs, SyslogIsReachedInFourWays) {
    struct Case {
        const char* text;
        Transport transport;
        const char* address;
    };
    constexpr Case kCases[] = {
        {"unix:/run/log", Transport::unix_socket, "/run/log"},
        {"/run/log", Transport::unix_socket, "/run/log"},
        {"udp://logs", Transport::udp, "logs:514"},
        {"udp://[::1]", Transport::udp, "[::1]:514"},
        {"tcp://[::1]:7", Transport::tcp, "[::1]:7"},
        {"tcp://logs.example.org", Transport::tcp, "logs.example.org:601"},
        {"tls://logs", Transport::tls, "logs:6514"},
        {"tls://10.0.0.7:7", Transport::tls, "10.0.0.7:7"},
    };
    for (const auto& [text, transport, address] : kCases) {
        const auto config = config_of("log: {syslog: {address: '" + std::string(text) + "'}}\n");
        ASSERT_TRUE(config.log_outputs.syslog) << config.warnings.front();
        EXPECT_EQ(config.log_outputs.syslog->transport, transport) << text;
        EXPECT_EQ(config.log_outputs.syslog->address, address) << text;
    }
}

TEST(LogOutputs, SyslogsOtherKeys) {
    const auto syslog = config_of(
                            "log: {syslog: {address: 'tls://logs', facility: LOCAL3, appname: hub, "
                            "access: true, ca: /ca, certificate: /c, key: /k}}\n")
                            .log_outputs.syslog;
    ASSERT_TRUE(syslog);
    EXPECT_EQ(syslog->facility, "local3");
    EXPECT_EQ(syslog->app_name, "hub");
    EXPECT_TRUE(syslog->access);
    EXPECT_EQ(syslog->tls.ca, "/ca");
    EXPECT_EQ(syslog->tls.certificate, "/c");
    EXPECT_EQ(syslog->tls.key, "/k");
}

TEST(LogOutputs, WhatIsWrongIsSaid) {
    const std::pair<const char*, const char*> cases[] = {
        {"log: {hooks: [{type: slack}]}\n",
         "c.yml:3: log.hooks[0].type: \"slack\" is none of mail"},
        {"log: {hooks: [{disabled: true}]}\n",
         "c.yml:3: log.hooks[0]: type is missing; mail is the only one"},
        {"log: {hooks: [{type: mail}]}\n",
         "c.yml:3: log.hooks[0]: options.smtp.addr is missing: host:port of the mail server\n"
         "c.yml:3: log.hooks[0]: options.from is missing: who the mail is from\n"
         "c.yml:3: log.hooks[0]: options.to is missing: who gets the mail"},
        {"log: {syslog: {address: logs}}\n",
         "c.yml:3: log.syslog.address: must be unix:/dev/log, udp://HOST:514, tcp://HOST:601 or "
         "tls://HOST:6514"},
        {"log: {syslog: {facility: local8}}\n",
         "c.yml:3: log.syslog.facility: \"local8\" is none "},
        {"log: {syslog: {appname: 'a b'}}\n",
         "c.yml:3: log.syslog.appname: must be at most 48 letters, digits and signs, without "
         "spaces"},
        {"log: {syslog: {key: /k}}\n",
         "c.yml:3: log.syslog: certificate and key are both needed, or neither"},
        {"log: {syslog: maybe}\n", "c.yml:3: log.syslog: must be true or false"},
        {"log: {journald: [a]}\n", "c.yml:3: log.journald: must be a map"},
    };
    for (const auto& [text, problem] : cases)
        EXPECT_TRUE(problems_of(text).starts_with(problem)) << problems_of(text);
}

}  // namespace
}  // namespace berth::app
