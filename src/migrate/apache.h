// Migration: reads an Apache site in front of a registry, and writes the configuration of a Berth
// that takes the place of both, with a report of what became of each directive. Pure but for what
// Sources brings.
//
// Rights are translated exactly, or else to stricter ones, and the report says so: nobody may do
// with Berth what Apache did not let them do.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "migrate/report.h"

namespace berth::migrate {

struct Migration {
    std::string config;  // YAML, complete; may hold a directory's password
    std::vector<ReportLine> report;
};

// What Berth does with a key of the registry's configuration.
struct RegistryKey {
    // ignored: nothing is lost without it; later: what it asks for is not done.
    enum class State { served, ignored, later, refused, unknown } state = State::served;
    std::string note;  // why
};

struct Sources {
    std::string site_path;
    std::string registry_path;  // stands for it in the report
    std::string registry_yaml;  // the registry's config.yml; empty: none was named
    // A file's text; for Include (patterns are expanded by `glob`) and the site itself.
    std::function<Result<std::string>(const std::string& path)> read;
    std::function<std::vector<std::string>(const std::string& pattern)> glob;
    // ${NAME} of the site, where no Define gives it; APACHE_LOG_DIR and its like.
    std::function<std::optional<std::string>(const std::string& name)> variable;
    std::function<RegistryKey(const std::string& path)> registry_key;
    // What relative paths start from, until a ServerRoot says otherwise.
    std::string server_root = "/etc/apache2";
};

// Errc::invalid: not Apache's grammar, with file and line. Errc::not_found, Errc::io: a file that
// is included cannot be read; without it too little might be asked of callers.
Result<Migration> migrate_apache(const Sources& sources);

}  // namespace berth::migrate
