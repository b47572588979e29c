// Where the log goes: `log.hooks`, `log.syslog`, `log.journald`.

#include <algorithm>
#include <array>

#include "app/config_network.h"
#include "app/config_read.h"
#include "base/control.h"

namespace berth::app {
namespace {

// RFC 5424, section 6.2.1, by the names of syslog.conf.
constexpr std::array<std::string_view, 20> kFacilities{
    "kern",   "user",   "mail",   "daemon",   "auth",   "syslog", "lpr",
    "news",   "uucp",   "cron",   "authpriv", "ftp",    "local0", "local1",
    "local2", "local3", "local4", "local5",   "local6", "local7"};

// RFC 5424, section 6.
constexpr std::size_t kAppNameMost = 48;

// A section that may be just `true` or `false`.
bool is_on(const ConfigValue& section) {
    if (section.kind() != YamlNode::Kind::scalar) return section.present();
    bool on = false;
    section.read(on);
    return on;
}

void read_syslog_address(const ConfigValue& value, logging::SyslogOptions& to) {
    using Transport = logging::SyslogOptions::Transport;
    struct Scheme {
        std::string_view prefix;
        Transport transport;
        std::string_view port;  // where none is given
    };
    constexpr Scheme kSchemes[] = {{"unix:", Transport::unix_socket, ""},
                                   {"/", Transport::unix_socket, ""},
                                   {"udp://", Transport::udp, "514"},
                                   {"tcp://", Transport::tcp, "601"},
                                   {"tls://", Transport::tls, "6514"}};
    std::string text = "unix:" + to.address;
    value.read(text);
    const auto* scheme = std::ranges::find_if(
        kSchemes, [&](const Scheme& of) { return text.starts_with(of.prefix); });
    if (scheme == std::end(kSchemes)) {
        return value.wrong(
            "must be unix:/dev/log, udp://HOST:514, tcp://HOST:601 or tls://HOST:6514");
    }
    to.transport = scheme->transport;
    to.address = scheme->prefix == "/" ? text : text.substr(scheme->prefix.size());
    if (to.transport == Transport::unix_socket) return;
    const auto bracket = to.address.rfind(']');
    const auto colon = to.address.find(':', bracket == std::string::npos ? 0 : bracket);
    if (colon == std::string::npos) to.address += ":" + std::string(scheme->port);
    check_tcp_address(value, to.address);
}

std::optional<logging::SyslogOptions> read_syslog(const ConfigValue& syslog, NamedFiles files) {
    if (!is_on(syslog)) return std::nullopt;
    logging::SyslogOptions to;
    if (syslog.kind() == YamlNode::Kind::scalar) return to;
    read_syslog_address(syslog.at("address"), to);
    syslog.at("facility").read_word(to.facility, {kFacilities.begin(), kFacilities.end()});
    const auto name = syslog.at("appname");
    name.read(to.app_name);
    const bool fits = to.app_name.size() <= kAppNameMost &&
                      std::ranges::all_of(to.app_name, [](char c) { return c > ' ' && c < 0x7f; });
    if (!fits) name.wrong("must be at most 48 letters, digits and signs, without spaces");
    syslog.at("access").read(to.access);
    read_file_path(syslog.at("ca"), to.tls.ca, files);
    read_file_path(syslog.at("certificate"), to.tls.certificate, files);
    read_file_path(syslog.at("key"), to.tls.key, files);
    if (to.tls.certificate.empty() != to.tls.key.empty()) {
        syslog.wrong("certificate and key are both needed, or neither");
    }
    return to;
}

std::optional<logging::JournaldOptions> read_journald(const ConfigValue& journald) {
    if (!is_on(journald)) return std::nullopt;
    logging::JournaldOptions to;
    if (journald.kind() == YamlNode::Kind::scalar) return to;
    journald.at("access").read(to.access);
    journald.at("socket").read(to.socket);
    return to;
}

// registry:2 names each level that is mailed; here the lowest of them, and what is worse.
LogLevel read_levels(const ConfigValue& levels) {
    auto lowest = LogLevel::error;
    for (const auto& item : levels.items()) {
        std::string word;
        item.read_word(word, {"debug", "info", "warn", "warning", "error", "fatal", "panic"});
        constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"debug", LogLevel::debug},
                                                                     {"info", LogLevel::info},
                                                                     {"warn", LogLevel::warn},
                                                                     {"warning", LogLevel::warn}};
        for (const auto& [name, level] : kLevels) {
            if (word == name) lowest = std::min(lowest, level);
        }
    }
    return lowest;
}

logging::MailOptions read_mail(const ConfigValue& hook) {
    logging::MailOptions to;
    to.level = read_levels(hook.at("levels"));
    const auto options = hook.at("options");
    const auto smtp = options.at("smtp");
    smtp.at("addr").read(to.address);
    if (to.address.empty()) {
        hook.wrong("options.smtp.addr is missing: host:port of the mail server");
    } else {
        check_peer(smtp.at("addr"), to.address);
    }
    smtp.at("username").read(to.username);
    smtp.at("password").read_secret(to.password);
    smtp.at("insecure").read(to.insecure);
    options.at("from").read(to.from);
    options.at("to").read(to.to);
    if (to.from.empty()) hook.wrong("options.from is missing: who the mail is from");
    if (to.to.empty()) hook.wrong("options.to is missing: who gets the mail");
    if (has_control(to.from) || std::ranges::any_of(to.to, has_control)) {
        hook.wrong("options.from and options.to must not hold control characters");
    }
    return to;
}

}  // namespace

LogOutputs read_log_outputs(const ConfigValue& log, NamedFiles files) {
    LogOutputs outputs;
    for (const auto& hook : log.at("hooks").items()) {
        bool disabled = false;
        hook.at("disabled").read(disabled);
        std::string type;
        hook.at("type").read_word(type, {"mail"});
        if (type.empty()) hook.wrong("type is missing; mail is the only one");
        if (!disabled) outputs.mails.push_back(read_mail(hook));
    }
    outputs.syslog = read_syslog(log.at("syslog"), files);
    outputs.journald = read_journald(log.at("journald"));
    return outputs;
}

}  // namespace berth::app
