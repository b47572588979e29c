// Config: the whole configuration as plain values, defaults filled in. How the file's text becomes
// it is in config_load.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/effective.h"
#include "auth/audit/audit_log.h"
#include "auth/authenticator.h"
#include "auth/certificates.h"
#include "auth/ldap/directory.h"
#include "auth/policy/policy.h"
#include "auth/token/oidc.h"
#include "auth/token/outside_tokens.h"
#include "auth/token/token_issuer.h"
#include "base/log.h"
#include "jobs/health.h"
#include "jobs/notifications.h"
#include "logging/journald.h"
#include "logging/mail.h"
#include "logging/syslog.h"
#include "net/tls.h"
#include "store/cache/redis.h"

namespace berth::app {

struct TlsConfig {
    std::string certificate;  // PEM; may hold the chain
    std::string chain;        // PEM; optional
    std::string key;          // PEM
    std::string minimum = "tls1.2";
    std::vector<std::string> ciphersuites;  // Go's names or OpenSSL's
    std::vector<std::string> client_cas;    // PEM; empty: no client certificate is asked for
    net::ClientAuth client_auth = net::ClientAuth::require_and_verify;
};

struct ListenerConfig {
    std::string network = "tcp";  // tcp, unix
    std::string address;          // host:port, [v6]:port, :port, or a path
    bool tls = false;
};

struct HttpConfig {
    std::vector<ListenerConfig>
        listeners;  // from http.addr (a scalar or a list), http.net and berth's http.listeners
    std::optional<TlsConfig> tls;
    std::string host;          // external URL, scheme://host[:port]; empty: from the request
    std::string prefix = "/";  // with leading and trailing slash
    bool relative_urls = false;
    std::string secret;
    std::chrono::milliseconds drain_timeout{30'000};
    std::vector<std::pair<std::string, std::string>> headers;  // on every response
    std::vector<std::string> trusted_proxies;  // addresses or networks; whose X-Forwarded-* count
    std::size_t connections_max = 10'000;
    std::size_t header_bytes_max = 64 << 10;
    std::uint64_t blob_bytes_max = 0;  // 0: no limit
    std::chrono::milliseconds header_timeout{30'000};
    std::chrono::milliseconds idle_timeout{120'000};
    std::chrono::milliseconds body_timeout{60'000};  // without a byte moving
    std::size_t threads = 0;                         // event loops; 0: one a core
};

// Where the server's log goes besides standard error.
struct LogOutputs {
    std::optional<logging::SyslogOptions> syslog;
    std::optional<logging::JournaldOptions> journald;
    std::vector<logging::MailOptions> mails;
};

struct DebugConfig {
    ListenerConfig listener;
    bool prometheus = false;
    std::string prometheus_path = "/metrics";
};

struct StorageConfig {
    bool in_memory = false;
    std::string root = "/var/lib/registry";
    std::size_t threads_max = 100;
    bool delete_enabled = false;
    bool read_only = false;
    std::uint64_t reserve_bytes = 64u << 20;
    bool upload_purging = true;
    std::chrono::seconds upload_age{std::chrono::hours(168)};
    std::chrono::seconds upload_interval{std::chrono::hours(24)};
    bool upload_purging_dry_run = false;
};

struct AuthConfig {
    struct Htpasswd {
        std::string path;
    };
    std::optional<Htpasswd> htpasswd;
    std::optional<auth::LdapOptions> ldap;
    std::optional<auth::OutsideTokenOptions> token;
    std::optional<auth::CertificateOptions> certificates;
    std::vector<auth::OidcProvider> oidc;
    std::string groups_path;  // empty: none
    std::string tokens_path;  // of access tokens; empty: none
    std::optional<auth::IssuerOptions> issuer;
    std::string realm = "Docker Registry";  // of Basic
    auth::AuthenticatorOptions login;

    // Is there a way to log in?
    bool enabled() const {
        return htpasswd || ldap || token || certificates || !oidc.empty() || !tokens_path.empty();
    }
};

struct ValidationConfig {
    bool enabled = true;
    std::vector<std::string> url_allow, url_deny;  // regular expressions
    enum class Platforms { all, none, list } platforms = Platforms::all;
    std::vector<std::pair<std::string, std::string>> platform_list;  // architecture, os
};

struct Config {
    LogOptions log;
    LogOutputs log_outputs;
    StorageConfig storage;
    AuthConfig auth;
    std::optional<std::vector<auth::Rule>> policy;
    std::optional<auth::AuditOptions> audit;
    HttpConfig http;
    std::optional<DebugConfig> debug;
    jobs::NotificationOptions notifications;
    jobs::HealthOptions health;
    std::optional<store::RedisOptions> redis;  // where it is to keep blob descriptors
    ValidationConfig validation;
    std::size_t catalog_entries_max = 1000;
    std::size_t tags_max = 1000;
    std::vector<std::string> warnings;  // what should be known, each a sentence; shown at start
    std::vector<EffectiveValue> effective;
};

}  // namespace berth::app
