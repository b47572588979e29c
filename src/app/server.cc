#include "app/server.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "api/api.h"
#include "app/adoption.h"
#include "app/config_load.h"
#include "app/debug_server.h"
#include "app/listeners.h"
#include "app/log_outputs.h"
#include "app/logins.h"
#include "app/policy.h"
#include "app/process.h"
#include "app/service_manager.h"
#include "app/stores.h"
#include "auth/audit/audit_log.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/text.h"
#include "http/server.h"
#include "io/directory.h"
#include "jobs/health.h"
#include "jobs/notifications.h"
#include "jobs/upload_expiry.h"
#include "net/loop.h"
#include "net/tls_source.h"

namespace berth::app {

namespace {

constexpr std::size_t kDiskQueue = 4096;
constexpr std::size_t kLoginQueue = 256;
// How often what may be late is written down.
constexpr auto kUpkeep = std::chrono::minutes(1);
// A loop that does not get round to anything new in this time may hang.
constexpr auto kAnswer = std::chrono::seconds(1);

Result<std::optional<io::DirectoryLock>> lock_data(const Config& config) {
    if (config.storage.in_memory) return std::optional<io::DirectoryLock>();
    auto lock = io::DirectoryLock::acquire(config.storage.root, kLockPath,
                                           "process " + std::to_string(getpid()));
    if (!lock) return std::unexpected(std::move(lock.error()));
    return std::optional<io::DirectoryLock>(std::move(*lock));
}

Result<std::unique_ptr<auth::AuditLog>> open_audit(const Config& config, const Clock& clock,
                                                   Logger& log) {
    if (!config.audit) return std::unique_ptr<auth::AuditLog>();
    return auth::AuditLog::open(*config.audit, clock, [&log](const Error& error) {
        log.write(LogLevel::error, error.detail);
    });
}

api::ApiOptions api_options(const Config& config) {
    api::ApiOptions options;
    options.realm = config.auth.realm;
    if (const auto& token = config.auth.token) {
        options.outside_realm = token->realm;
        options.outside_service = token->service;
        if (token->autoredirect) options.autoredirect_path = token->autoredirectpath;
    }
    options.prefix = config.http.prefix;
    options.host = config.http.host;
    options.relative_urls = config.http.relative_urls;
    options.trusted_proxies = config.http.trusted_proxies;
    options.delete_enabled = config.storage.delete_enabled;
    options.read_only = config.storage.read_only;
    options.events = jobs::recorded_events(config.notifications).any();
    options.catalog_entries_max = config.catalog_entries_max;
    options.tags_max = config.tags_max;
    options.blob_bytes_max = config.http.blob_bytes_max;
    return options;
}

http::ServerOptions http_options(const HttpConfig& http, Logger& log) {
    http::ServerOptions options;
    options.connections_max = http.connections_max;
    options.header_bytes_max = http.header_bytes_max;
    options.header_timeout = http.header_timeout;
    options.idle_timeout = http.idle_timeout;
    options.body_timeout = http.body_timeout;
    options.fields = api::common_fields(http.headers);
    options.on_tls_failure = [&log](const net::Peer& peer, const Error& why) {
        if (!log.enabled(LogLevel::debug)) return;
        log.write(LogLevel::debug, why.detail, {{"http.request.remoteaddr", peer.address}});
    };
    return options;
}

jobs::UploadExpiryOptions expiry_options(const StorageConfig& storage) {
    jobs::UploadExpiryOptions options;
    options.age = storage.upload_age;
    options.interval = storage.upload_interval;
    options.dry_run = storage.upload_purging_dry_run;
    return options;
}

jobs::HealthOptions health_options(const Config& config) {
    jobs::HealthOptions options = config.health;
    options.storage_driver = driver_of(config.storage);
    return options;
}

// How long to wait for a wish: the watchdog is told twice in each of its periods.
std::chrono::milliseconds patience_of(const ServiceManager& manager) {
    constexpr std::chrono::milliseconds upkeep = kUpkeep;
    return std::min(upkeep, manager.watchdog().value_or(2 * upkeep) / 2);
}

// What the api does is told to them.
void tell(jobs::Notifications& notifications, api::Services& services) {
    services.on_change = [&notifications] { notifications.wake(); };
    if (!notifications.wants_pulls()) return;
    services.on_pull = [&notifications](registry::Event event) {
        notifications.pulled(std::move(event));
    };
}

void report(Logger& log, const Result<void>& done) {
    if (!done) log.write(LogLevel::error, done.error().detail);
}

// Puts the policy of the configuration read again in force; the rest of it waits for a restart. Who
// may log in stays as it was, so the policy is made for that.
void reload_policy(const Config& running, const ReadAgain& read_again, auth::LivePolicy& policy,
                   Logger& log) {
    auto fresh = read_again();
    if (!fresh) {
        log.write(LogLevel::error, "the configuration stays as it was: " + fresh.error().detail);
        return;
    }
    Config changed = running;
    changed.policy = fresh->policy;
    auto made = make_policy(changed);
    if (!made) {
        log.write(LogLevel::error, "the policy stays as it was: " + made.error().detail);
        return;
    }
    policy.replace(std::move(*made));
    log.write(LogLevel::info, "the policy is read again and in force");
    if (!same_values(running.effective, fresh->effective, "policy")) {
        log.write(LogLevel::warn, "what else has changed in the configuration waits for a restart");
    }
}

}  // namespace

Result<void> serve(const Config& config, const ReadAgain& read_again, const OnReady& on_ready) {
    claim_process();
    const SystemClock clock;
    BERTH_TRY(const auto log, open_log(config, clock));
    for (const auto& warning : config.warnings)
        log->write(LogLevel::warn, warning);

    BERTH_TRY(const auto lock, lock_data(config));
    const auto metrics = make_metrics(config);
    const auto descriptors = open_descriptors(config, clock, *log, metrics.get());
    BERTH_TRY(const auto stores,
              open_stores(config, clock, logged_adoption(*log), metrics.get(), descriptors.get()));
    const jobs::Health health(jobs::make_health_checks(*stores.directory, health_options(config)),
                              *log);
    BERTH_TRY(const auto logins, open_logins(config.auth, clock, *log));
    BERTH_TRY(auto rules, make_policy(config));
    auth::LivePolicy policy(std::move(rules));
    BERTH_TRY(const auto audit, open_audit(config, clock, *log));
    BERTH_TRY(const auto tls, open_tls(config.http.tls, clock, *log));
    BERTH_TRY(auto listeners, open_listeners(config.http, tls));

    Pool disk({"disk", config.storage.threads_max, kDiskQueue});
    Pool login_pool({"logins", login_threads(config.auth), kLoginQueue});
    std::optional<jobs::Notifications> notifications;
    if (!config.notifications.endpoints.empty())
        notifications.emplace(*stores.index, clock, *log, config.notifications, metrics.get());
    api::Services services{.registry = *stores.registry,
                           .authenticator = *logins.authenticator,
                           .policy = policy,
                           .disk = disk,
                           .logins = login_pool,
                           .log = *log,
                           .clock = clock,
                           .issuer = logins.issuer.get(),
                           .access_tokens = logins.access_tokens.get(),
                           .audit = audit.get(),
                           .metrics = metrics.get()};
    if (config.health.any()) services.ready = [&health] { return health.ready(); };
    if (notifications) tell(*notifications, services);
    BERTH_TRY(const auto api, api::make_api(services, api_options(config)));
    std::optional<jobs::UploadExpiry> expiry;
    if (config.storage.upload_purging && !config.storage.read_only) {
        expiry.emplace(*stores.blobs, clock, *log, expiry_options(config.storage));
    }

    net::Loops loops(config.http.threads == 0 ? cores() : config.http.threads);
    http::Server server(loops, *api, disk, http_options(config.http, *log));
    for (auto& listener : listeners)
        server.add(std::move(listener));
    BERTH_TRY(const auto debug, open_debug_server(config, metrics.get(),
                                                  {.stores = stores,
                                                   .server = server,
                                                   .connections_max = config.http.connections_max,
                                                   .authenticator = *logins.authenticator,
                                                   .disk = disk,
                                                   .logins = login_pool,
                                                   .health = health,
                                                   .tls = tls.get(),
                                                   .clock = clock},
                                                  *log));
    loops.start();
    const auto addresses = addresses_of(server);
    for (const auto& address : addresses)
        log->write(LogLevel::info, "listening on " + address);
    on_ready(addresses);
    stores.adoption->start();
    ServiceManager manager(process_environment());
    const std::string status = "listening on " + join(addresses, ", ");
    manager.ready(status);

    const auto patience = patience_of(manager);
    for (;;) {
        const Wish wish = wait_for_wish(patience);
        if (loops.answer(kAnswer)) manager.alive();
        if (logins.access_tokens) report(*log, logins.access_tokens->save_last_used());
        if (wish == Wish::end) break;
        if (wish == Wish::nothing) continue;
        log->reopen();
        if (audit) audit->reopen();
        if (wish == Wish::reopen) continue;
        manager.reloading();
        if (tls) tls->refresh();
        if (read_again) reload_policy(config, read_again, policy, *log);
        manager.ready(status);
    }
    manager.stopping();
    log->write(LogLevel::info, "stopping: requests under way may end");
    server.stop_accepting();
    loops.stop(config.http.drain_timeout);
    log->write(LogLevel::info, "stopped");
    return {};
}

}  // namespace berth::app
