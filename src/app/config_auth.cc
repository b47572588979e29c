// The sections `auth` and `audit`.

#include <algorithm>

#include "app/config_read.h"
#include "base/control.h"

namespace berth::app {
namespace {

constexpr std::size_t kCountMost = 1'000'000;
constexpr std::size_t kGroupDepthMost = 50;
constexpr std::uint64_t kAuditBytesLeast = 64 << 10;
// Docker's clients take a shorter one for this long.
constexpr auto kTokenLifetimeLeast = std::chrono::seconds(60);

void read_realm(const ConfigValue& value, std::string& out) {
    value.read(out);
    if (has_control(out)) value.wrong("must not hold control characters");
}

void read_seconds_above_zero(const ConfigValue& value, std::chrono::seconds& out) {
    value.read(out);
    if (out <= out.zero()) value.wrong("must be longer than 0");
}

void read_htpasswd(const ConfigValue& htpasswd, AuthConfig& config, NamedFiles files) {
    if (!htpasswd.named()) return;
    auto& to = config.htpasswd.emplace();
    if (!htpasswd.at("realm").present()) {
        htpasswd.wrong("realm is missing: the name that clients show when they ask for a password");
    }
    read_realm(htpasswd.at("realm"), config.realm);
    htpasswd.at("path").read(to.path);
    if (to.path.empty()) {
        htpasswd.wrong("path is missing: the file with users and the hashes of their passwords");
    } else {
        check_file(htpasswd.at("path"), to.path, files,
                   "make one with `berth user add NAME` or `htpasswd -Bc " + to.path + " NAME`");
    }
}

void read_ldap_groups(const ConfigValue& groups, auth::LdapOptions::Groups& to) {
    groups.at("attribute").read(to.own_attribute);
    groups.at("base").read(to.base);
    groups.at("filter").read(to.filter);
    groups.at("members").read(to.member_attributes);
    groups.at("name").read(to.name_attribute);
    groups.at("depth").read_count(to.depth, 0, kGroupDepthMost);
}

bool crosses_a_network(const std::string& server) {
    return server.starts_with("ldap://") && !server.starts_with("ldap://127.") &&
           !server.starts_with("ldap://[::1]");
}

void read_ldap(const ConfigValue& ldap, AuthConfig& config, NamedFiles files) {
    if (!ldap.named()) return;
    auto& to = config.ldap.emplace();
    std::string url;
    ldap.at("url").read(url);
    auto parsed = auth::LdapUrl::parse(url);
    if (url.empty()) {
        ldap.wrong("url is missing: ldaps://HOST/BASE?ATTRIBUTE?sub?(FILTER)");
    } else if (parsed) {
        to.url = std::move(*parsed);
    } else {
        ldap.at("url").wrong(parsed.error().detail);
    }
    read_realm(ldap.at("realm"), config.realm);
    ldap.at("starttls").read(to.start_tls);
    if (!to.start_tls && std::ranges::any_of(to.url.servers, crosses_a_network)) {
        ldap.at("url").warn("passwords cross the network as they are; use ldaps:// or starttls");
    }
    read_file_path(ldap.at("ca"), to.ca, files);
    ldap.at("verify").read(to.verify);
    if (!to.verify) ldap.at("verify").warn("anybody between here and the directory can read along");
    ldap.at("binddn").read(to.bind_dn);
    ldap.at("bindpassword").read_secret(to.bind_password);
    read_file_path(ldap.at("bindpasswordfile"), to.bind_password_file, files);
    if (!to.bind_password.empty() && !to.bind_password_file.empty()) {
        ldap.at("bindpassword").wrong("stands beside bindpasswordfile; keep one of them");
    }
    ldap.at("userdn").read(to.user_dn);
    if (!to.user_dn.empty() && to.user_dn.find("{user}") == std::string::npos) {
        ldap.at("userdn").wrong("must hold {user}, such as uid={user},ou=people,dc=example,dc=org");
    }
    read_ldap_groups(ldap.at("groups"), to.groups);
    ldap.at("connecttimeout").read(to.connect_timeout);
    ldap.at("timeout").read(to.timeout);
    ldap.at("connections").read_count(to.connections, 1, kCountMost);
    ldap.at("remember").read(to.remember);
    ldap.at("grace").read(to.grace);
}

void read_token(const ConfigValue& token, AuthConfig& config, NamedFiles files) {
    if (!token.named()) return;
    auto& to = config.token.emplace();
    const std::pair<const char*, std::string*> texts[] = {
        {"realm", &to.realm}, {"service", &to.service}, {"issuer", &to.issuer}};
    token.at("autoredirect").read(to.autoredirect);
    token.at("autoredirectpath").read(to.autoredirectpath);
    for (const auto& [name, text] : texts) {
        token.at(name).read(*text);
        const bool needed = name != std::string_view("realm") || !to.autoredirect;
        if (text->empty() && needed) token.wrong(std::string(name) + " is missing");
        if (has_control(*text)) token.at(name).wrong("must not hold control characters");
    }
    read_file_path(token.at("rootcertbundle"), to.rootcertbundle, files);
    read_file_path(token.at("jwks"), to.jwks, files);
    if (to.rootcertbundle.empty() && to.jwks.empty()) {
        token.wrong("rootcertbundle or jwks is missing: the keys by which tokens are verified");
    }
    token.at("signingalgorithms").read(to.signing_algorithms);
}

void read_certificates(const ConfigValue& certificates, AuthConfig& config) {
    if (!certificates.named()) return;
    auto& to = config.certificates.emplace();
    certificates.at("name").read_word(to.name, {"none", "cn", "dns", "email", "uri"});
    for (const auto& [name, user] : certificates.at("users").members()) {
        user.read(to.users[name]);
        if (to.users[name].empty()) user.wrong("names no user");
    }
}

void read_oidc(const ConfigValue& oidc, AuthConfig& config, NamedFiles files) {
    for (const auto& item : oidc.items()) {
        auth::OidcProvider& to = config.oidc.emplace_back();
        item.at("name").read(to.name);
        item.at("issuer").read(to.issuer);
        item.at("audiences").read(to.audiences);
        item.at("jwks").read_url(to.jwks);
        read_file_path(item.at("ca"), to.ca, files);
        item.at("algorithms").read(to.algorithms);
        if (to.name.empty() || to.name.find_first_of(": \t") != std::string::npos) {
            item.wrong("name must be a word: rules say oidc:NAME");
        }
        if (to.issuer.empty()) item.wrong("issuer is missing: the `iss` of its tokens");
        if (to.audiences.empty()) {
            item.wrong(
                "audiences is missing: without it a token meant for others would count here");
        }
    }
}

void read_issuer(const ConfigValue& issuer, const StorageConfig& storage, AuthConfig& config) {
    bool enabled = true;
    issuer.at("enabled").read(enabled);
    if (!enabled) return;
    auto& to = config.issuer.emplace();
    if (!storage.in_memory) to.keys = storage.root + "/berth/keys";
    issuer.at("issuer").read(to.issuer);
    issuer.at("service").read(to.service);
    issuer.at("keys").read(to.keys);
    issuer.at("algorithm").read_word(to.algorithm, {"ES256", "RS256", "EdDSA"});
    issuer.at("lifetime").read(to.lifetime);
    if (to.lifetime < kTokenLifetimeLeast) issuer.at("lifetime").wrong("must be at least 1m");
    read_seconds_above_zero(issuer.at("refreshlifetime"), to.refresh_lifetime);
}

void read_throttle(const ConfigValue& throttle, auth::AuthenticatorOptions& to) {
    throttle.at("failures").read_count(to.failures_max, 1, kCountMost);
    throttle.at("addressfailures").read_count(to.address_failures_max, 1, kCountMost);
    read_seconds_above_zero(throttle.at("pause"), to.throttle);
}

// Does the policy let in callers that have not logged in?
bool has_rules_for_anonymous(const std::vector<auth::Rule>& rules) {
    return std::ranges::any_of(rules, [](const auth::Rule& rule) {
        return rule.effect == auth::Effect::allow &&
               std::ranges::any_of(rule.subjects, [](const std::string& subject) {
                   return subject == "anonymous" || subject == "everyone";
               });
    });
}

bool yields(const AuthConfig& auth, const std::string& subject) {
    if (subject.starts_with("robot:")) return !auth.tokens_path.empty() || auth.certificates;
    if (subject.starts_with("group:")) {
        // An outside issuer's users may be in the group file.
        return !auth.groups_path.empty() || auth.ldap;
    }
    if (!subject.starts_with("oidc:")) return true;
    const auto name = subject.substr(5, subject.find(' ') - 5);
    return std::ranges::count(auth.oidc, name, &auth::OidcProvider::name) > 0;
}

// A rule for somebody whom no login yields is silent, a denying one too.
void warn_of_nobody(const ConfigValue& policy, const Config& config) {
    const auto items = policy.items();
    for (std::size_t i = 0; i < config.policy->size(); ++i) {
        for (const std::string& subject : (*config.policy)[i].subjects) {
            if (yields(config.auth, subject)) continue;
            items[i]
                .at("subjects")
                .warn(subject + " is nobody: no login of the auth section yields one");
        }
    }
}

}  // namespace

AuthConfig read_auth(const ConfigValue& auth, const StorageConfig& storage, NamedFiles files) {
    AuthConfig config;
    read_htpasswd(auth.at("htpasswd"), config, files);
    read_ldap(auth.at("ldap"), config, files);
    read_token(auth.at("token"), config, files);
    read_certificates(auth.at("certificates"), config);
    read_oidc(auth.at("oidc"), config, files);
    read_file_path(auth.at("groups").at("path"), config.groups_path, files);
    const bool own_logins =
        config.htpasswd || config.ldap || config.certificates || !config.oidc.empty();
    if (own_logins && !storage.in_memory) config.tokens_path = storage.root + "/berth/tokens";
    auth.at("tokens").at("path").read(config.tokens_path);
    const auto throttle = auth.at("throttle");
    if (config.enabled() || throttle.named()) read_throttle(throttle, config.login);
    return config;
}

std::optional<auth::AuditOptions> read_audit(const ConfigValue& audit) {
    if (!audit.named()) return std::nullopt;
    auth::AuditOptions options;
    audit.at("path").read(options.path);
    audit.at("bytes").read_bytes(options.bytes_max);
    if (options.bytes_max < kAuditBytesLeast) audit.at("bytes").wrong("must be at least 64KiB");
    audit.at("files").read_count(options.files_max, 1, kCountMost);
    audit.at("syslog").read(options.syslog);
    audit.at("pulls").read(options.pulls);
    if (options.path.empty() && !options.syslog) {
        audit.wrong("path is missing: the file that is written");
    }
    return options;
}

void complete_auth(const ConfigValue& root, Config& config) {
    AuthConfig& auth = config.auth;
    const bool anonymous = config.policy && has_rules_for_anonymous(*config.policy);
    // Docker's clients send a password only to whom asked for one at GET /v2/, and cannot do
    // without one then; with tokens they can do both.
    const auto issuer = root.at("auth").at("issuer");
    if (issuer.named() || (anonymous && auth.enabled() && !auth.token)) {
        read_issuer(issuer, config.storage, auth);
    }
    if (auth.issuer && auth.token) {
        issuer.wrong("stands beside token: clients can be sent to one token server");
    }
    if (auth.issuer && !auth.enabled()) {
        issuer.wrong("needs a way to log in, such as auth.htpasswd");
    }
    if (auth.certificates && (!config.http.tls || config.http.tls->client_cas.empty())) {
        root.at("auth").at("certificates").wrong("needs http.tls.clientcas: whose certificates");
    }
    if (!config.policy) return;
    if (!auth.enabled()) {
        root.at("policy").warn(
            "without an auth section nobody can log in: only rules for everyone and anonymous "
            "apply");
    } else {
        warn_of_nobody(root.at("policy"), config);
    }
}

}  // namespace berth::app
