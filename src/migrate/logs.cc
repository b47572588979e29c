// Logs: ErrorLog, LogLevel, CustomLog.
#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "migrate/site.h"

namespace berth::migrate {

namespace {

std::optional<std::string> level_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kLevels{
        {{"emerg", "error"},
         {"alert", "error"},
         {"crit", "error"},
         {"error", "error"},
         {"warn", "warn"},
         {"notice", "info"},
         {"info", "info"},
         {"debug", "debug"},
         {"trace", "debug"}}};
    for (const auto& [theirs, ours] : kLevels) {
        if (lower_case(word).starts_with(theirs)) return std::string(ours);
    }
    return std::nullopt;
}

void translate_level(Site& site) {
    const auto* directive = site.last("loglevel");
    if (!directive) return;
    std::optional<std::string> level;
    for (const auto& word : directive->words) {
        if (!word.contains(':')) level = level_of(word);
    }
    const auto* known = site.config.find({"log", "level"});
    if (known && !known->text.empty()) {
        site.report.needless(
            *directive, "log.level: " + known->text + " of the registry's configuration stays");
    } else if (level) {
        site.config.set({"log", "level"}, *level);
        site.report.carried(*directive, "log.level: " + *level);
    } else {
        site.report.needless(*directive, "about single modules of Apache");
    }
}

// The format's name or text is the combined one, or one of its usual kin.
bool is_combined(Site& site, std::string_view format) {
    const auto same = [](std::string_view name, std::string_view text) {
        return name == "combined" || (text.contains("%h") && text.contains("%>s") &&
                                      text.contains("{Referer}i") && text.contains("{User-"));
    };
    for (const auto* definition : site.all("logformat")) {
        if (definition->word(1) == format) return same("", definition->word(0));
    }
    return same(format, format);
}

void translate_access_logs(Site& site) {
    bool taken = false;
    for (const auto* directive : site.directives) {
        const bool transfer = directive->key == "transferlog";
        if (directive->key != "customlog" && !transfer) continue;
        const auto path = std::string(directive->word(0));
        if (path.starts_with('|') || lower_case(path).starts_with("syslog")) {
            site.report.lost(*directive,
                             "Berth writes to a file or to standard output: name a "
                             "file in log.accesslog.path for logrotate, or let the "
                             "service manager take standard output");
            continue;
        }
        if (directive->words.size() > 2) {
            site.report.lost(*directive,
                             "the access log has a line for every request, without "
                             "conditions");
            continue;
        }
        if (taken) {
            site.report.lost(*directive, "there is one access log");
            continue;
        }
        taken = true;
        auto& log = site.config.at({"log", "accesslog"});
        log.erase("disabled");
        site.config.set({"log", "accesslog", "path"}, site.path(path));
        const bool combined = !transfer && is_combined(site, directive->word(1));
        site.report.carried(*directive, std::string("log.accesslog.path") +
                                            (combined ? "" : ", in Apache's combined format") +
                                            "; Berth's user must be able to write there");
    }
}

}  // namespace

void translate_logs(Site& site) {
    translate_level(site);
    translate_access_logs(site);
    if (const auto* directive = site.last("errorlog")) {
        site.report.needless(*directive,
                             "Berth logs to standard output, which the service manager "
                             "or the container's log driver keeps");
    }
}

}  // namespace berth::migrate
