#include "cli/migrate.h"

#include <glob.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/config_keys.h"
#include "base/rewrite_file.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "migrate/apache.h"
#include "migrate/directive.h"

namespace berth::cli {

namespace {

constexpr std::size_t kFileBytesMax = 16 << 20;

struct Arguments {
    std::string site;
    std::string registry;
    std::string output;
    std::string report;
    std::string server_root = "/etc/apache2";
    bool as_json = false;
};

Result<std::string> read_file(const std::string& path) {
    struct ::stat status{};
    if (::stat(path.c_str(), &status) != 0) return fail_errno(path, errno);
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
        return fail(Errc::invalid, path + " is no file");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail_errno(path, errno);
    std::string text;
    for (char buffer[16 << 10]; file.read(buffer, sizeof(buffer)) || file.gcount() > 0;) {
        text.append(buffer, static_cast<std::size_t>(file.gcount()));
        if (text.size() > kFileBytesMax) return fail(Errc::too_large, path + " is too long");
    }
    return text;
}

std::vector<std::string> find_files(const std::string& pattern) {
    ::glob_t found{};
    std::vector<std::string> paths;
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {  // NOLINT(*-mt-unsafe): one thread
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    return paths;
}

// The environment's, else what Debian's envvars give to Apache.
std::optional<std::string> find_variable(const std::string& name) {
    static const std::map<std::string, std::string> kDebian{
        {"APACHE_LOG_DIR", "/var/log/apache2"},
        {"APACHE_RUN_DIR", "/var/run/apache2"},
        {"APACHE_LOCK_DIR", "/var/lock/apache2"},
        {"APACHE_PID_FILE", "/var/run/apache2/apache2.pid"},
        {"APACHE_RUN_USER", "www-data"},
        {"APACHE_RUN_GROUP", "www-data"},
    };
    if (const char* value = std::getenv(name.c_str())) return value;  // NOLINT(*-mt-unsafe)
    const auto known = kDebian.find(name);
    return known == kDebian.end() ? std::nullopt : std::optional(known->second);
}

std::string report_json(const std::vector<migrate::ReportLine>& report) {
    auto lines = nlohmann::ordered_json::array();
    for (const auto& line : report) {
        lines.push_back({{"place", line.place},
                         {"directive", line.directive},
                         {"fate", migrate::name_of(line.fate)},
                         {"text", line.text}});
    }
    // What is no UTF-8 in the site is replaced.
    return lines.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// Never over a file that is there: it may be in use, or open to others.
Result<void> write_new(const std::string& path, ::mode_t mode, const std::string& text) {
    struct ::stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
        return fail(Errc::already_exists, path + " is there already; name another file");
    }
    return rewrite_file(path, mode,
                        [&text](std::string_view) -> Result<std::string> { return text; });
}

Result<migrate::Migration> migrate_site(const Arguments& arguments) {
    migrate::Sources sources;
    sources.site_path = arguments.site;
    sources.registry_path = arguments.registry;
    sources.server_root = arguments.server_root;
    sources.read = read_file;
    sources.glob = find_files;
    sources.variable = find_variable;
    sources.registry_key = registry_key;
    if (!arguments.registry.empty()) {
        BERTH_TRY(sources.registry_yaml, read_file(arguments.registry));
    }
    return migrate::migrate_apache(sources);
}

Result<void> run_migration(const Arguments& arguments) {
    BERTH_TRY(const auto migration, migrate_site(arguments));
    const auto report = arguments.as_json ? report_json(migration.report)
                                          : migrate::format_report(migration.report);
    // A directory's password may stand in it.
    if (!arguments.output.empty()) BERTH_CHECK(write_new(arguments.output, 0600, migration.config));
    if (!arguments.report.empty()) BERTH_CHECK(write_new(arguments.report, 0644, report));
    if (arguments.output.empty()) std::cout << migration.config;
    if (arguments.report.empty()) (arguments.output.empty() ? std::cerr : std::cout) << report;
    return {};
}

}  // namespace

migrate::RegistryKey registry_key(const std::string& path) {
    using State = migrate::RegistryKey::State;
    std::string known;
    for (const auto& name : migrate::split(path, ".")) {
        known = app::member_path(known, name);
        if (known.empty()) return {State::unknown, {}};
    }
    const auto* key = app::find_key(known);
    if (!key) return {State::unknown, {}};
    switch (key->state) {
        case app::KeyState::served:
            return {State::served, {}};
        case app::KeyState::ignored:
            return {State::ignored, {}};
        case app::KeyState::warned:
            return {State::later, std::string(key->note)};
        case app::KeyState::refused:
            return {State::refused, std::string(key->note)};
    }
    return {State::unknown, {}};
}

void add_migrate(CLI::App& app, Run& run) {
    auto* command = app.add_subcommand(
        "migrate", "write the configuration that takes the place of Apache and registry:2");
    const auto arguments = std::make_shared<Arguments>();
    command->add_option("--apache", arguments->site, "the site (virtual host) before the registry")
        ->required();
    command->add_option("--registry", arguments->registry, "the registry's config.yml");
    command->add_option("--output", arguments->output,
                        "where to write it, with mode 0600 (default: standard output)");
    command->add_option("--report", arguments->report,
                        "where to write what became of each directive (default: standard output, "
                        "or standard error if the configuration goes there)");
    command->add_option("--server-root", arguments->server_root,
                        "Apache's ServerRoot, where relative paths start (default: /etc/apache2)");
    command->add_flag("--json", arguments->as_json, "the report as JSON");
    command->footer(
        "Read the report before you switch: what is lost is stricter with Berth than it was, or "
        "needs your hand.");
    command->callback(
        [arguments, &run] { run = [arguments] { return run_migration(*arguments); }; });
}

}  // namespace berth::cli
