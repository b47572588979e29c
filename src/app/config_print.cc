#include <yaml-cpp/yaml.h>

#include <iterator>

#include "app/config_load.h"
#include "base/encoding.h"

namespace berth::app {

namespace {

// In the largest unit that says it whole.
std::string format_duration(std::chrono::milliseconds value) {
    const auto count = value.count();
    if (count == 0) return "0s";
    if (count % 3'600'000 == 0) return std::to_string(count / 3'600'000) + "h";
    if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
    if (count % 1000 == 0) return std::to_string(count / 1000) + "s";
    return std::to_string(count) + "ms";
}

// Maps of maps, written as they are built.
class Printer {
  public:
    template <class Value>
    void value(const char* key, const Value& value) {
        out_ << YAML::Key << key << YAML::Value << value;
    }
    void text(const char* key, const std::string& value) {
        if (!value.empty()) this->value(key, value);
    }
    void list(const char* key, const std::vector<std::string>& items) {
        if (!items.empty()) out_ << YAML::Key << key << YAML::Value << YAML::Flow << items;
    }
    void begin(const char* key) { out_ << YAML::Key << key << YAML::Value << YAML::BeginMap; }
    void begin_list(const char* key) { out_ << YAML::Key << key << YAML::Value << YAML::BeginSeq; }
    void begin() { out_ << YAML::BeginMap; }
    void end() { out_ << YAML::EndMap; }
    void end_list() { out_ << YAML::EndSeq; }
    std::string take() const { return std::string(out_.c_str()) + "\n"; }

  private:
    YAML::Emitter out_;
};

void print_log(Printer& out, const LogOptions& log) {
    constexpr const char* kLevels[] = {"debug", "info", "warn", "error"};
    constexpr const char* kFormats[] = {"text", "json", "logstash"};
    out.begin("log");
    out.value("level", kLevels[static_cast<std::size_t>(log.level)]);
    out.value("formatter", kFormats[static_cast<std::size_t>(log.format)]);
    if (!log.fields.empty()) out.value("fields", log.fields);
    out.begin("accesslog");
    out.value("disabled", !log.access_log);
    out.text("path", log.access_path);
    out.end();
    out.end();
}

void print_storage(Printer& out, const StorageConfig& storage) {
    out.begin("storage");
    if (storage.in_memory) {
        out.begin("inmemory");
    } else {
        out.begin("filesystem");
        out.value("rootdirectory", storage.root);
        out.value("maxthreads", storage.threads_max);
        out.value("reserve", storage.reserve_bytes);
    }
    out.end();
    out.begin("delete");
    out.value("enabled", storage.delete_enabled);
    out.end();
    out.begin("maintenance");
    out.begin("readonly");
    out.value("enabled", storage.read_only);
    out.end();
    out.begin("uploadpurging");
    out.value("enabled", storage.upload_purging);
    out.value("age", format_duration(storage.upload_age));
    out.value("interval", format_duration(storage.upload_interval));
    out.value("dryrun", storage.upload_purging_dry_run);
    out.end();
    out.end();
    out.end();
}

void print_ldap(Printer& out, const auth::LdapOptions& ldap, const std::string& realm) {
    constexpr const char* kScopes[] = {"one", "sub"};
    // The scheme stands before the first of them only.
    std::string servers;
    for (const auto& server : ldap.url.servers)
        servers += servers.empty() ? server : " " + server.substr(server.find("://") + 3);
    out.begin("ldap");
    out.value("url", servers + "/" + ldap.url.base + "?" + ldap.url.attribute + "?" +
                         kScopes[static_cast<std::size_t>(ldap.url.scope)] + "?" + ldap.url.filter);
    out.value("realm", realm);
    out.value("starttls", ldap.start_tls);
    out.text("ca", ldap.ca);
    out.value("verify", ldap.verify);
    out.text("binddn", ldap.bind_dn);
    if (!ldap.bind_password.empty()) out.value("bindpassword", "(hidden)");
    out.text("bindpasswordfile", ldap.bind_password_file);
    out.text("userdn", ldap.user_dn);
    out.begin("groups");
    out.text("attribute", ldap.groups.own_attribute);
    out.text("base", ldap.groups.base);
    out.value("filter", ldap.groups.filter);
    out.list("members", ldap.groups.member_attributes);
    out.value("name", ldap.groups.name_attribute);
    out.value("depth", ldap.groups.depth);
    out.end();
    out.value("connecttimeout", format_duration(ldap.connect_timeout));
    out.value("timeout", format_duration(ldap.timeout));
    out.value("connections", ldap.connections);
    out.value("remember", format_duration(ldap.remember));
    out.value("grace", format_duration(ldap.grace));
    out.end();
}

void print_token(Printer& out, const auth::OutsideTokenOptions& token) {
    out.begin("token");
    out.text("realm", token.realm);
    out.value("service", token.service);
    out.value("issuer", token.issuer);
    out.text("rootcertbundle", token.rootcertbundle);
    out.text("jwks", token.jwks);
    out.list("signingalgorithms", token.signing_algorithms);
    out.value("autoredirect", token.autoredirect);
    if (token.autoredirect) out.value("autoredirectpath", token.autoredirectpath);
    out.end();
}

void print_issuer(Printer& out, const auth::IssuerOptions& issuer) {
    out.begin("issuer");
    out.value("issuer", issuer.issuer);
    out.text("service", issuer.service);
    out.text("keys", issuer.keys);
    out.value("algorithm", issuer.algorithm);
    out.value("lifetime", format_duration(issuer.lifetime));
    out.value("refreshlifetime", format_duration(issuer.refresh_lifetime));
    out.end();
}

void print_certificates(Printer& out, const auth::CertificateOptions& certificates) {
    constexpr const char* kNames[] = {"none", "cn", "dns", "email", "uri"};
    out.begin("certificates");
    out.value("name", kNames[static_cast<std::size_t>(certificates.name)]);
    if (!certificates.users.empty()) out.value("users", certificates.users);
    out.end();
}

void print_oidc(Printer& out, const std::vector<auth::OidcProvider>& providers) {
    out.begin_list("oidc");
    for (const auto& provider : providers) {
        out.begin();
        out.value("name", provider.name);
        out.value("issuer", provider.issuer);
        out.list("audiences", provider.audiences);
        out.text("jwks", provider.jwks);
        out.text("ca", provider.ca);
        out.list("algorithms", provider.algorithms);
        out.end();
    }
    out.end_list();
}

void print_path(Printer& out, const char* section, const std::string& path) {
    if (path.empty()) return;
    out.begin(section);
    out.value("path", path);
    out.end();
}

void print_auth(Printer& out, const AuthConfig& auth) {
    if (!auth.enabled()) return;
    out.begin("auth");
    if (auth.htpasswd) {
        out.begin("htpasswd");
        out.value("realm", auth.realm);
        out.value("path", auth.htpasswd->path);
        out.end();
    }
    print_path(out, "groups", auth.groups_path);
    if (auth.ldap) print_ldap(out, *auth.ldap, auth.realm);
    if (auth.token) print_token(out, *auth.token);
    if (auth.issuer) print_issuer(out, *auth.issuer);
    print_path(out, "tokens", auth.tokens_path);
    if (auth.certificates) print_certificates(out, *auth.certificates);
    if (!auth.oidc.empty()) print_oidc(out, auth.oidc);
    out.begin("throttle");
    out.value("failures", auth.login.failures_max);
    out.value("addressfailures", auth.login.address_failures_max);
    out.value("pause", format_duration(auth.login.throttle));
    out.end();
    out.end();
}

void print_policy(Printer& out, const std::vector<auth::Rule>& rules) {
    out.begin_list("policy");
    for (const auto& rule : rules) {
        out.begin();
        out.value("name", rule.name);
        out.value("effect", rule.effect == auth::Effect::deny ? "deny" : "allow");
        out.list("repositories", rule.repositories);
        out.list("tags", rule.tags);
        out.list("subjects", rule.subjects);
        out.list("actions", rule.actions);
        out.list("addresses", rule.addresses);
        if (rule.expires) out.value("expires", format_rfc3339(*rule.expires));
        out.end();
    }
    out.end_list();
}

void print_audit(Printer& out, const auth::AuditOptions& audit) {
    out.begin("audit");
    out.text("path", audit.path);
    out.value("bytes", audit.bytes_max);
    out.value("files", audit.files_max);
    out.value("syslog", audit.syslog);
    out.value("pulls", audit.pulls);
    out.end();
}

void print_headers(Printer& out, const HttpConfig& http) {
    if (http.headers.empty()) return;
    std::map<std::string, std::vector<std::string>> values;
    for (const auto& [name, value] : http.headers)
        values[name].push_back(value);
    out.value("headers", values);
}

void print_http(Printer& out, const HttpConfig& http) {
    out.begin("http");
    out.begin_list("listeners");
    for (const auto& listener : http.listeners) {
        out.begin();
        out.value("addr", listener.address);
        out.value("net", listener.network);
        out.value("tls", listener.tls);
        out.end();
    }
    out.end_list();
    if (const auto& tls = http.tls) {
        out.begin("tls");
        out.value("certificate", tls->certificate);
        out.text("chain", tls->chain);
        out.value("key", tls->key);
        out.value("minimumtls", tls->minimum);
        out.list("ciphersuites", tls->ciphersuites);
        out.list("clientcas", tls->client_cas);
        if (!tls->client_cas.empty()) {
            constexpr const char* kModes[] = {"request-client-cert", "require-any-client-cert",
                                              "verify-client-cert-if-given",
                                              "require-and-verify-client-cert"};
            out.value("clientauth", kModes[static_cast<std::size_t>(tls->client_auth)]);
        }
        out.end();
    }
    out.text("host", http.host);
    out.value("prefix", http.prefix);
    out.value("relativeurls", http.relative_urls);
    if (!http.secret.empty()) out.value("secret", "(hidden)");
    out.value("draintimeout", format_duration(http.drain_timeout));
    print_headers(out, http);
    out.list("trustedproxies", http.trusted_proxies);
    out.value("threads", http.threads);
    out.begin("limits");
    out.value("connections", http.connections_max);
    out.value("headerbytes", http.header_bytes_max);
    out.value("blobbytes", http.blob_bytes_max);
    out.end();
    out.begin("timeouts");
    out.value("header", format_duration(http.header_timeout));
    out.value("idle", format_duration(http.idle_timeout));
    out.value("body", format_duration(http.body_timeout));
    out.end();
    out.end();
}

void print_validation(Printer& out, const ValidationConfig& validation) {
    constexpr const char* kPlatforms[] = {"all", "none", "list"};
    out.begin("validation");
    out.value("enabled", validation.enabled);
    out.begin("manifests");
    if (!validation.url_allow.empty() || !validation.url_deny.empty()) {
        out.begin("urls");
        out.list("allow", validation.url_allow);
        out.list("deny", validation.url_deny);
        out.end();
    }
    out.begin("indexes");
    out.value("platforms", kPlatforms[static_cast<std::size_t>(validation.platforms)]);
    if (!validation.platform_list.empty()) {
        out.begin_list("platformlist");
        for (const auto& [architecture, os] : validation.platform_list) {
            out.begin();
            out.value("architecture", architecture);
            out.value("os", os);
            out.end();
        }
        out.end_list();
    }
    out.end();
    out.end();
    out.end();
}

}  // namespace

std::string print_config(const Config& config) {
    Printer out;
    out.begin();
    out.value("version", "0.1");
    print_log(out, config.log);
    print_storage(out, config.storage);
    print_auth(out, config.auth);
    if (config.policy) print_policy(out, *config.policy);
    if (config.audit) print_audit(out, *config.audit);
    print_http(out, config.http);
    print_validation(out, config.validation);
    out.begin("catalog");
    out.value("maxentries", config.catalog_entries_max);
    out.end();
    out.begin("tags");
    out.value("maxtags", config.tags_max);
    out.end();
    out.end();
    return out.take();
}

}  // namespace berth::app
