#include "app/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

#include "api/api.h"
#include "app/policy.h"
#include "app/stores.h"
#include "auth/authenticator.h"
#include "auth/password_file.h"
#include "base/log.h"
#include "base/pool.h"
#include "http/server.h"
#include "io/directory.h"
#include "jobs/upload_expiry.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/tls.h"

namespace berth::app {

namespace {

constexpr std::size_t kDiskQueue = 4096;
constexpr std::size_t kPasswordQueue = 256;

sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
        sigaddset(&set, signal);
    return set;
}

// Before any thread starts: all of them inherit it, and only wait_for_end() takes a signal.
void claim_process() {
    const auto set = our_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

void wait_for_end(Logger& log) {
    const auto set = our_signals();
    for (;;) {
        int signal = 0;
        if (sigwait(&set, &signal) != 0) continue;
        if (signal == SIGTERM || signal == SIGINT) return;
        log.reopen();
    }
}

std::size_t cores() {
    return std::max(1u, std::thread::hardware_concurrency());
}

Result<std::optional<io::DirectoryLock>> lock_data(const Config& config) {
    if (config.storage.in_memory) return std::optional<io::DirectoryLock>();
    auto lock = io::DirectoryLock::acquire(config.storage.root, kLockPath,
                                           "process " + std::to_string(getpid()));
    if (!lock) return std::unexpected(std::move(lock.error()));
    return std::optional<io::DirectoryLock>(std::move(*lock));
}

Result<std::shared_ptr<const net::TlsContext>> open_tls(const std::optional<TlsConfig>& tls) {
    if (!tls) return std::shared_ptr<const net::TlsContext>();
    net::TlsOptions options;
    options.certificate = tls->certificate;
    options.chain = tls->chain;
    options.key = tls->key;
    options.minimum = tls->minimum;
    options.ciphersuites = tls->ciphersuites;
    return net::TlsContext::open(options);
}

using Listeners = std::vector<std::unique_ptr<net::Listener>>;

// Sockets that the service manager opened stand in for the configured addresses, in their order.
Result<Listeners> open_listeners(const Config& config) {
    BERTH_TRY(const auto tls, open_tls(config.http.tls));
    const auto& configured = config.http.listeners;
    Listeners listeners;
    for (auto& socket : net::inherited_sockets()) {
        const auto place = listeners.size();
        const bool secure = place < configured.size() ? configured[place].tls : tls != nullptr;
        BERTH_TRY(auto listener, net::Listener::adopt(std::move(socket), secure ? tls : nullptr));
        listeners.push_back(std::move(listener));
    }
    if (!listeners.empty()) return listeners;
    for (const auto& [network, address, secure] : configured) {
        BERTH_TRY(auto listener, net::Listener::open({network, address, secure ? tls : nullptr}));
        listeners.push_back(std::move(listener));
    }
    return listeners;
}

Result<std::unique_ptr<auth::PasswordFile>> open_passwords(const Config& config, const Clock& clock,
                                                           Logger& log) {
    if (!config.auth.htpasswd) return std::unique_ptr<auth::PasswordFile>();
    return auth::PasswordFile::open(config.auth.htpasswd->path, clock, [&log](const Error& error) {
        log.write(LogLevel::error, error.detail);
    });
}

api::ApiOptions api_options(const Config& config) {
    api::ApiOptions options;
    if (config.auth.htpasswd) options.realm = config.auth.htpasswd->realm;
    options.prefix = config.http.prefix;
    options.host = config.http.host;
    options.relative_urls = config.http.relative_urls;
    options.trusted_proxies = config.http.trusted_proxies;
    options.delete_enabled = config.storage.delete_enabled;
    options.read_only = config.storage.read_only;
    options.catalog_entries_max = config.catalog_entries_max;
    options.tags_max = config.tags_max;
    options.blob_bytes_max = config.http.blob_bytes_max;
    return options;
}

http::ServerOptions http_options(const HttpConfig& http) {
    http::ServerOptions options;
    options.connections_max = http.connections_max;
    options.header_bytes_max = http.header_bytes_max;
    options.header_timeout = http.header_timeout;
    options.idle_timeout = http.idle_timeout;
    options.body_timeout = http.body_timeout;
    options.fields = api::common_fields(http.headers);
    return options;
}

std::vector<std::string> addresses_of(const http::Server& server) {
    std::vector<std::string> addresses;
    for (const auto& listener : server.listeners()) {
        const auto& address = listener->address();
        const bool is_path = address.starts_with("unix:");
        const std::string scheme = listener->tls() ? "https://" : "http://";
        addresses.push_back(is_path ? address : scheme + address);
    }
    return addresses;
}

jobs::UploadExpiryOptions expiry_options(const StorageConfig& storage) {
    jobs::UploadExpiryOptions options;
    options.age = storage.upload_age;
    options.interval = storage.upload_interval;
    options.dry_run = storage.upload_purging_dry_run;
    return options;
}

}  // namespace

Result<void> serve(const Config& config, const OnReady& on_ready) {
    claim_process();
    const SystemClock clock;
    BERTH_TRY(const auto log, Logger::open(config.log, clock));
    for (const auto& warning : config.warnings)
        log->write(LogLevel::warn, warning);

    BERTH_TRY(const auto lock, lock_data(config));
    BERTH_TRY(const auto stores, open_stores(config, clock));
    BERTH_TRY(auto passwords, open_passwords(config, clock, *log));
    BERTH_TRY(auto policy, make_policy(config));
    auth::Authenticator authenticator(std::move(passwords), {}, clock);
    BERTH_TRY(auto listeners, open_listeners(config));

    Pool disk({"disk", config.storage.threads_max, kDiskQueue});
    Pool password_pool({"passwords", cores(), kPasswordQueue});
    BERTH_TRY(const auto api,
              api::make_api({*stores.registry, authenticator, disk, password_pool, *log, clock},
                            std::move(policy), api_options(config)));
    std::optional<jobs::UploadExpiry> expiry;
    if (config.storage.upload_purging && !config.storage.read_only) {
        expiry.emplace(*stores.blobs, clock, *log, expiry_options(config.storage));
    }

    net::Loops loops(config.http.threads == 0 ? cores() : config.http.threads);
    http::Server server(loops, *api, disk, http_options(config.http));
    for (auto& listener : listeners)
        server.add(std::move(listener));
    loops.start();
    const auto addresses = addresses_of(server);
    for (const auto& address : addresses)
        log->write(LogLevel::info, "listening on " + address);
    on_ready(addresses);

    wait_for_end(*log);
    log->write(LogLevel::info, "stopping: requests under way may end");
    server.stop_accepting();
    loops.stop(config.http.drain_timeout);
    log->write(LogLevel::info, "stopped");
    return {};
}

}  // namespace berth::app
