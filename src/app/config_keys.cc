#include "app/config_keys.h"

#include <algorithm>
#include <array>

namespace berth::app {

namespace {

using enum KeyState;

constexpr std::string_view kDriver =
    "this storage is not served by this version; use storage.filesystem, or stay with the original";
constexpr std::string_view kMiddleware =
    "middleware is not served; take the section out if the registry may do without it";

constexpr std::string_view kSentinel =
    "Sentinel is not asked; name the Redis server itself in redis.addrs";

constexpr ConfigKey kKeys[] = {
    {"version", served, ""},

    {"log", served, ""},
    {"log.level", served, ""},
    {"log.formatter", served, ""},
    {"log.fields", served, ""},
    {"log.fields.*", served, ""},
    {"log.reportcaller", ignored, ""},
    {"log.accesslog", served, ""},
    {"log.accesslog.disabled", served, ""},
    {"log.accesslog.format", served, ""},
    {"log.accesslog.path", served, ""},
    {"log.hooks", served, ""},
    {"log.hooks[]", served, ""},
    {"log.hooks[].type", served, ""},
    {"log.hooks[].disabled", served, ""},
    {"log.hooks[].levels", served, ""},
    {"log.hooks[].options", served, ""},
    {"log.hooks[].options.smtp", served, ""},
    {"log.hooks[].options.smtp.addr", served, ""},
    {"log.hooks[].options.smtp.username", served, ""},
    {"log.hooks[].options.smtp.password", served, ""},
    {"log.hooks[].options.smtp.insecure", served, ""},
    {"log.hooks[].options.from", served, ""},
    {"log.hooks[].options.to", served, ""},
    {"log.syslog", served, ""},
    {"log.syslog.address", served, ""},
    {"log.syslog.facility", served, ""},
    {"log.syslog.appname", served, ""},
    {"log.syslog.access", served, ""},
    {"log.syslog.ca", served, ""},
    {"log.syslog.certificate", served, ""},
    {"log.syslog.key", served, ""},
    {"log.journald", served, ""},
    {"log.journald.access", served, ""},
    {"log.journald.socket", served, ""},
    {"loglevel", served, ""},
    {"reporting", warned, "nothing is reported to Bugsnag or New Relic"},
    {"reporting.bugsnag", warned, ""},
    {"reporting.bugsnag.apikey", warned, ""},
    {"reporting.bugsnag.releasestage", warned, ""},
    {"reporting.bugsnag.endpoint", warned, ""},
    {"reporting.newrelic", warned, ""},
    {"reporting.newrelic.licensekey", warned, ""},
    {"reporting.newrelic.name", warned, ""},
    {"reporting.newrelic.verbose", warned, ""},

    {"storage", served, ""},
    {"storage.filesystem", served, ""},
    {"storage.filesystem.rootdirectory", served, ""},
    {"storage.filesystem.maxthreads", served, ""},
    {"storage.filesystem.reserve", served, ""},
    {"storage.inmemory", served, ""},
    {"storage.s3", refused, kDriver},
    {"storage.s3aws", refused, kDriver},
    {"storage.azure", refused, kDriver},
    {"storage.gcs", refused, kDriver},
    {"storage.swift", refused, kDriver},
    {"storage.oss", refused, kDriver},
    {"storage.cache", ignored, ""},
    {"storage.cache.blobdescriptor", served, ""},
    {"storage.cache.layerinfo", served, ""},
    {"storage.cache.blobdescriptorsize", ignored, ""},
    {"storage.delete", served, ""},
    {"storage.delete.enabled", served, ""},
    {"storage.redirect", ignored, ""},
    {"storage.redirect.disable", ignored, ""},
    {"storage.maintenance", served, ""},
    {"storage.maintenance.uploadpurging", served, ""},
    {"storage.maintenance.uploadpurging.enabled", served, ""},
    {"storage.maintenance.uploadpurging.age", served, ""},
    {"storage.maintenance.uploadpurging.interval", served, ""},
    {"storage.maintenance.uploadpurging.dryrun", served, ""},
    {"storage.maintenance.readonly", served, ""},
    {"storage.maintenance.readonly.enabled", served, ""},
    {"storage.tag", ignored, ""},
    {"storage.tag.concurrencylimit", ignored, ""},

    {"auth", served, ""},
    {"auth.none", ignored, ""},
    {"auth.htpasswd", served, ""},
    {"auth.htpasswd.realm", served, ""},
    {"auth.htpasswd.path", served, ""},
    {"auth.token", served, ""},
    {"auth.token.realm", served, ""},
    {"auth.token.service", served, ""},
    {"auth.token.issuer", served, ""},
    {"auth.token.rootcertbundle", served, ""},
    {"auth.token.jwks", served, ""},
    {"auth.token.autoredirect", served, ""},
    {"auth.token.autoredirectpath", served, ""},
    {"auth.token.signingalgorithms", served, ""},
    {"auth.silly", refused, "it lets everybody in; use auth.htpasswd"},
    {"auth.ldap", served, ""},
    {"auth.ldap.url", served, ""},
    {"auth.ldap.realm", served, ""},
    {"auth.ldap.starttls", served, ""},
    {"auth.ldap.ca", served, ""},
    {"auth.ldap.verify", served, ""},
    {"auth.ldap.binddn", served, ""},
    {"auth.ldap.bindpassword", served, ""},
    {"auth.ldap.bindpasswordfile", served, ""},
    {"auth.ldap.userdn", served, ""},
    {"auth.ldap.groups", served, ""},
    {"auth.ldap.groups.attribute", served, ""},
    {"auth.ldap.groups.base", served, ""},
    {"auth.ldap.groups.filter", served, ""},
    {"auth.ldap.groups.members", served, ""},
    {"auth.ldap.groups.name", served, ""},
    {"auth.ldap.groups.depth", served, ""},
    {"auth.ldap.connecttimeout", served, ""},
    {"auth.ldap.timeout", served, ""},
    {"auth.ldap.connections", served, ""},
    {"auth.ldap.remember", served, ""},
    {"auth.ldap.grace", served, ""},
    {"auth.groups", served, ""},
    {"auth.groups.path", served, ""},
    {"auth.tokens", served, ""},
    {"auth.tokens.path", served, ""},
    {"auth.issuer", served, ""},
    {"auth.issuer.enabled", served, ""},
    {"auth.issuer.issuer", served, ""},
    {"auth.issuer.service", served, ""},
    {"auth.issuer.keys", served, ""},
    {"auth.issuer.algorithm", served, ""},
    {"auth.issuer.lifetime", served, ""},
    {"auth.issuer.refreshlifetime", served, ""},
    {"auth.certificates", served, ""},
    {"auth.certificates.name", served, ""},
    {"auth.certificates.users", served, ""},
    {"auth.certificates.users.*", served, ""},
    {"auth.oidc", served, ""},
    {"auth.oidc[]", served, ""},
    {"auth.oidc[].name", served, ""},
    {"auth.oidc[].issuer", served, ""},
    {"auth.oidc[].audiences", served, ""},
    {"auth.oidc[].jwks", served, ""},
    {"auth.oidc[].ca", served, ""},
    {"auth.oidc[].algorithms", served, ""},
    {"auth.throttle", served, ""},
    {"auth.throttle.failures", served, ""},
    {"auth.throttle.addressfailures", served, ""},
    {"auth.throttle.pause", served, ""},

    {"policy", served, ""},
    {"policy[]", served, ""},
    {"policy[].name", served, ""},
    {"policy[].effect", served, ""},
    {"policy[].subjects", served, ""},
    {"policy[].actions", served, ""},
    {"policy[].repositories", served, ""},
    {"policy[].tags", served, ""},
    {"policy[].addresses", served, ""},
    {"policy[].expires", served, ""},
    {"policy.repository", warned, "repository classes are not checked"},
    {"policy.repository.classes", warned, ""},

    {"audit", served, ""},
    {"audit.path", served, ""},
    {"audit.bytes", served, ""},
    {"audit.files", served, ""},
    {"audit.syslog", served, ""},
    {"audit.pulls", served, ""},

    {"middleware", served, ""},
    {"middleware.registry", refused, kMiddleware},
    {"middleware.repository", refused, kMiddleware},
    {"middleware.storage", refused, kMiddleware},

    {"http", served, ""},
    {"http.addr", served, ""},
    {"http.net", served, ""},
    {"http.listeners", served, ""},
    {"http.listeners[]", served, ""},
    {"http.listeners[].addr", served, ""},
    {"http.listeners[].net", served, ""},
    {"http.listeners[].tls", served, ""},
    {"http.host", served, ""},
    {"http.prefix", served, ""},
    {"http.relativeurls", served, ""},
    {"http.secret", served, ""},
    {"http.draintimeout", served, ""},
    {"http.headers", served, ""},
    {"http.headers.*", served, ""},
    {"http.trustedproxies", served, ""},
    {"http.threads", served, ""},
    {"http.limits", served, ""},
    {"http.limits.connections", served, ""},
    {"http.limits.headerbytes", served, ""},
    {"http.limits.blobbytes", served, ""},
    {"http.timeouts", served, ""},
    {"http.timeouts.header", served, ""},
    {"http.timeouts.idle", served, ""},
    {"http.timeouts.body", served, ""},
    {"http.tls", served, ""},
    {"http.tls.certificate", served, ""},
    {"http.tls.chain", served, ""},
    {"http.tls.key", served, ""},
    {"http.tls.minimumtls", served, ""},
    {"http.tls.ciphersuites", served, ""},
    {"http.tls.clientcas", served, ""},
    {"http.tls.clientauth", served, ""},
    {"http.tls.letsencrypt", refused,
     "certificates are not fetched by this version; use certbot and name its files in "
     "http.tls.certificate and http.tls.key"},
    {"http.tls.letsencrypt.cachefile", refused, ""},
    {"http.tls.letsencrypt.cachedir", refused, ""},
    {"http.tls.letsencrypt.email", refused, ""},
    {"http.tls.letsencrypt.hosts", refused, ""},
    {"http.tls.letsencrypt.directoryurl", refused, ""},
    {"http.debug", served, ""},
    {"http.debug.addr", served, ""},
    {"http.debug.prometheus", served, ""},
    {"http.debug.prometheus.enabled", served, ""},
    {"http.debug.prometheus.path", served, ""},
    {"http.http2", ignored, ""},
    {"http.http2.disabled", ignored, ""},
    {"http.h2c", warned, "HTTP/1.1 is spoken; a proxy before this server must do so, too"},
    {"http.h2c.enabled", warned, ""},

    {"notifications", served, ""},
    {"notifications.events", served, ""},
    {"notifications.events.includereferences", served, ""},
    {"notifications.events.keep", served, ""},
    {"notifications.events.max", served, ""},
    {"notifications.endpoints", served, ""},
    {"notifications.endpoints[]", served, ""},
    {"notifications.endpoints[].name", served, ""},
    {"notifications.endpoints[].disabled", served, ""},
    {"notifications.endpoints[].url", served, ""},
    {"notifications.endpoints[].headers", served, ""},
    {"notifications.endpoints[].headers.*", served, ""},
    {"notifications.endpoints[].timeout", served, ""},
    {"notifications.endpoints[].threshold", served, ""},
    {"notifications.endpoints[].backoff", served, ""},
    {"notifications.endpoints[].ignoredmediatypes", served, ""},
    {"notifications.endpoints[].ignore", served, ""},
    {"notifications.endpoints[].ignore.mediatypes", served, ""},
    {"notifications.endpoints[].ignore.actions", served, ""},

    {"redis", served, ""},
    {"redis.addr", served, ""},
    {"redis.addrs", served, ""},
    {"redis.username", served, ""},
    {"redis.password", served, ""},
    {"redis.db", served, ""},
    {"redis.dialtimeout", served, ""},
    {"redis.readtimeout", served, ""},
    {"redis.writetimeout", served, ""},
    {"redis.tls", served, ""},
    {"redis.tls.enabled", served, ""},
    {"redis.tls.certificate", served, ""},
    {"redis.tls.key", served, ""},
    {"redis.tls.rootcas", served, ""},
    {"redis.pool", served, ""},
    {"redis.pool.maxidle", served, ""},
    {"redis.pool.maxactive", served, ""},
    {"redis.pool.idletimeout", served, ""},
    {"redis.maxidleconns", served, ""},
    {"redis.poolsize", served, ""},
    {"redis.connmaxidletime", served, ""},
    {"redis.mastername", refused, kSentinel},
    {"redis.sentinelusername", refused, kSentinel},
    {"redis.sentinelpassword", refused, kSentinel},
    {"redis.clientname", ignored, ""},
    {"redis.protocol", ignored, ""},
    {"redis.maxretries", ignored, ""},
    {"redis.minretrybackoff", ignored, ""},
    {"redis.maxretrybackoff", ignored, ""},
    {"redis.contexttimeoutenabled", ignored, ""},
    {"redis.poolfifo", ignored, ""},
    {"redis.pooltimeout", ignored, ""},
    {"redis.minidleconns", ignored, ""},
    {"redis.maxactiveconns", ignored, ""},
    {"redis.connmaxlifetime", ignored, ""},
    {"redis.maxredirects", ignored, ""},
    {"redis.readonly", ignored, ""},
    {"redis.routebylatency", ignored, ""},
    {"redis.routerandomly", ignored, ""},
    {"redis.disableidentity", ignored, ""},
    {"redis.identitysuffix", ignored, ""},
    {"redis.unstableresp3", ignored, ""},

    {"health", served, ""},
    {"health.storagedriver", served, ""},
    {"health.storagedriver.enabled", served, ""},
    {"health.storagedriver.interval", served, ""},
    {"health.storagedriver.threshold", served, ""},
    {"health.file", served, ""},
    {"health.file[]", served, ""},
    {"health.file[].file", served, ""},
    {"health.file[].interval", served, ""},
    {"health.file[].threshold", ignored, ""},
    {"health.http", served, ""},
    {"health.http[]", served, ""},
    {"health.http[].uri", served, ""},
    {"health.http[].headers", served, ""},
    {"health.http[].headers.*", served, ""},
    {"health.http[].statuscode", served, ""},
    {"health.http[].timeout", served, ""},
    {"health.http[].interval", served, ""},
    {"health.http[].threshold", served, ""},
    {"health.tcp", served, ""},
    {"health.tcp[]", served, ""},
    {"health.tcp[].addr", served, ""},
    {"health.tcp[].timeout", served, ""},
    {"health.tcp[].interval", served, ""},
    {"health.tcp[].threshold", served, ""},

    {"proxy", ignored, ""},
    {"proxy.remoteurl", refused,
     "a pull-through cache is not served by this version, which would answer from its own data "
     "and accept pushes; stay with the original"},
    {"proxy.username", ignored, ""},
    {"proxy.password", ignored, ""},
    {"proxy.exec", ignored, ""},
    {"proxy.exec.command", ignored, ""},
    {"proxy.exec.lifetime", ignored, ""},
    {"proxy.ttl", ignored, ""},
    {"proxy.cachewritetimeout", ignored, ""},

    {"compatibility", served, ""},
    {"compatibility.schema1", served, ""},
    {"compatibility.schema1.enabled", refused,
     "manifest schema 1 is a dead format and not served; push such images anew"},
    {"compatibility.schema1.trustkey", ignored, ""},
    {"compatibility.schema1.signingkeyfile", ignored, ""},

    {"validation", served, ""},
    {"validation.enabled", served, ""},
    {"validation.disabled", served, ""},
    {"validation.manifests", served, ""},
    {"validation.manifests.urls", served, ""},
    {"validation.manifests.urls.allow", served, ""},
    {"validation.manifests.urls.deny", served, ""},
    {"validation.manifests.indexes", served, ""},
    {"validation.manifests.indexes.platforms", served, ""},
    {"validation.manifests.indexes.platformlist", served, ""},
    {"validation.manifests.indexes.platformlist[]", served, ""},
    {"validation.manifests.indexes.platformlist[].architecture", served, ""},
    {"validation.manifests.indexes.platformlist[].os", served, ""},

    {"catalog", served, ""},
    {"catalog.maxentries", served, ""},
    {"tags", served, ""},
    {"tags.maxtags", served, ""},
};

constexpr std::array<std::string_view, 8> kDrivers{"filesystem", "inmemory", "s3",    "s3aws",
                                                   "azure",      "gcs",      "swift", "oss"};

}  // namespace

std::span<const ConfigKey> config_keys() {
    return kKeys;
}

const ConfigKey* find_key(std::string_view path) {
    const auto* it = std::ranges::find(kKeys, path, &ConfigKey::path);
    return it == std::end(kKeys) ? nullptr : it;
}

std::string member_path(std::string_view parent, std::string_view name) {
    const auto names = member_names(parent);
    const auto prefix = parent.empty() ? std::string() : std::string(parent) + ".";
    if (std::ranges::count(names, name) > 0 && name != "*") return prefix + std::string(name);
    return std::ranges::count(names, "*") > 0 ? prefix + "*" : std::string();
}

std::vector<std::string_view> member_names(std::string_view parent) {
    std::vector<std::string_view> names;
    for (const auto& key : kKeys) {
        auto rest = key.path;
        if (!parent.empty()) {
            if (!rest.starts_with(parent) || !rest.substr(parent.size()).starts_with('.')) continue;
            rest.remove_prefix(parent.size() + 1);
        }
        const auto name = rest.substr(0, rest.find_first_of(".["));
        if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
}

bool takes_any_name(std::string_view path) {
    for (const std::string_view section : {"storage", "auth"}) {
        if (path == section) return true;
        const auto name = path.substr(std::min(path.size(), section.size() + 1));
        if (path.starts_with(section) && name.find('.') == std::string_view::npos) return true;
    }
    // Ignoring a part of what is refused as a whole would be to serve without it.
    return std::ranges::any_of(kKeys, [&](const ConfigKey& key) {
        return key.state == refused && path.starts_with(key.path) &&
               (path.size() == key.path.size() || path[key.path.size()] == '[' ||
                path[key.path.size()] == '.') &&
               member_names(key.path).empty();
    });
}

std::span<const std::string_view> storage_drivers() {
    return kDrivers;
}

}  // namespace berth::app
