#include "app/config_read.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <regex>
#include <system_error>

#include "app/config_keys.h"
#include "base/unique_fd.h"

namespace berth::app {

namespace {

constexpr std::size_t kPageMax = 1'000'000;
constexpr std::size_t kThreadsMax = 10'000;
// std::regex compiles and matches by recursion.
constexpr std::size_t kPatternBytesMax = 1000;

LogOptions read_log(const ConfigValue& root) {
    LogOptions options;
    const auto log = root.at("log");
    const auto old_level = root.at("loglevel");
    if (old_level.present()) old_level.warn("an old name; write log.level");
    log.at("level").or_old(old_level).read_word(options.level, {"debug", "info", "warn", "error"});
    log.at("formatter").read_word(options.format, {"text", "json", "logstash"});
    for (const auto& [name, value] : log.at("fields").members()) {
        if (value.present()) value.read(options.fields[name]);
    }
    const auto access = log.at("accesslog");
    bool disabled = false;
    access.at("disabled").read(disabled);
    options.access_log = !disabled;
    std::string format = "combined";
    access.at("format").read_word(format, {"combined"});
    access.at("path").read(options.access_path);
    return options;
}

void check_driver(const ConfigValue& root) {
    constexpr std::string_view kAdvice =
        "names no place for the data; write storage.filesystem.rootdirectory: "
        "/var/lib/registry, or storage.inmemory: {} to try things out";
    const auto storage = root.at("storage");
    if (!storage.named()) return root.wrong(kAdvice);
    std::vector<std::string> drivers;
    for (const auto& [name, value] : storage.members()) {
        if (std::ranges::count(storage_drivers(), name) > 0) drivers.push_back(name);
    }
    if (drivers.empty()) storage.wrong(kAdvice);
    if (drivers.size() > 1) {
        storage.wrong("names both " + drivers[0] + " and " + drivers[1] + "; keep one of them");
    }
}

StorageConfig read_storage(const ConfigValue& storage) {
    StorageConfig config;
    config.in_memory = storage.at("inmemory").named();
    if (config.in_memory) {
        storage.at("inmemory").record(Empty::map);
    } else {
        const auto files = storage.at("filesystem");
        files.at("rootdirectory").read(config.root);
        files.at("maxthreads").read_count(config.threads_max, 1, kThreadsMax);
        files.at("reserve").read_bytes(config.reserve_bytes);
    }
    storage.at("delete").at("enabled").read(config.delete_enabled);
    const auto maintenance = storage.at("maintenance");
    maintenance.at("readonly").at("enabled").read(config.read_only);
    const auto purging = maintenance.at("uploadpurging");
    purging.at("enabled").read(config.upload_purging);
    purging.at("age").read(config.upload_age);
    purging.at("interval").read(config.upload_interval);
    if (config.upload_interval == config.upload_interval.zero()) {
        purging.at("interval").wrong("must be longer than 0");
    }
    purging.at("dryrun").read(config.upload_purging_dry_run);
    return config;
}

void read_patterns(const ConfigValue& value, std::vector<std::string>& out) {
    for (const auto& item : value.items()) {
        std::string pattern;
        item.read(pattern);
        try {
            if (pattern.size() > kPatternBytesMax)
                throw std::regex_error(std::regex_constants::error_space);
            // As registry/manifest_check does: without back references, which would backtrack.
            static_cast<void>(
                std::regex(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial));
            out.push_back(std::move(pattern));
        } catch (const std::regex_error&) {
            item.wrong("\"" + pattern + "\" is not a regular expression, or too long a one");
        }
    }
}

ValidationConfig read_validation(const ConfigValue& validation) {
    ValidationConfig config;
    bool disabled = false;
    validation.at("enabled").read(config.enabled);
    validation.at("disabled").read(disabled);
    config.enabled = config.enabled && !disabled;
    const auto manifests = validation.at("manifests");
    read_patterns(manifests.at("urls").at("allow"), config.url_allow);
    read_patterns(manifests.at("urls").at("deny"), config.url_deny);
    const auto indexes = manifests.at("indexes");
    indexes.at("platforms").read_word(config.platforms, {"all", "none", "list"});
    for (const auto& item : indexes.at("platformlist").items()) {
        auto& [architecture, os] = config.platform_list.emplace_back();
        item.at("architecture").read(architecture);
        item.at("os").read(os);
        if (architecture.empty() || os.empty()) item.wrong("must name architecture and os");
    }
    if (config.platforms == ValidationConfig::Platforms::list && config.platform_list.empty()) {
        indexes.at("platforms").wrong("list needs platformlist with architecture and os of each");
    }
    return config;
}

void check_version(const ConfigValue& root) {
    std::string version;
    root.at("version").read(version);
    if (!root.at("version").present()) {
        root.wrong("version is missing: begin with version: 0.1");
    } else if (version != "0.1") {
        root.at("version").wrong("must be 0.1");
    }
}

}  // namespace

void check_file(const ConfigValue& value, const std::string& path, NamedFiles files,
                std::string_view missing) {
    if (files == NamedFiles::may_be_missing) return;
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
        auto text = path + ": " + std::generic_category().message(errno);
        if (!missing.empty() && errno == ENOENT) text += "; " + std::string(missing);
        return value.wrong(text);
    }
    if (S_ISDIR(info.st_mode)) return value.wrong(path + ": a folder, not a file");
    // Opening a pipe would wait for its writer.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) value.wrong(path + ": " + std::generic_category().message(errno));
}

void read_file_path(const ConfigValue& value, std::string& out, NamedFiles files) {
    value.read(out);
    if (!out.empty()) check_file(value, out, files);
}

Config read_config(const ConfigValue& root, NamedFiles files) {
    Config config;
    check_version(root);
    config.log = read_log(root);
    config.log_outputs = read_log_outputs(root.at("log"), files);
    check_driver(root);
    config.storage = read_storage(root.at("storage"));
    config.auth = read_auth(root.at("auth"), config.storage, files);
    config.policy = read_policy(root.at("policy"));
    config.audit = read_audit(root.at("audit"));
    config.http = read_http(root.at("http"), files);
    config.debug = read_debug(root.at("http").at("debug"));
    config.notifications = read_notifications(root.at("notifications"), config.http);
    config.redis = read_redis(root, files);
    config.health = read_health(root.at("health"));
    config.validation = read_validation(root.at("validation"));
    complete_auth(root, config);
    root.at("catalog").at("maxentries").read_count(config.catalog_entries_max, 1, kPageMax);
    root.at("tags").at("maxtags").read_count(config.tags_max, 1, kPageMax);
    return config;
}

}  // namespace berth::app
