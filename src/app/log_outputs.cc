#include "app/log_outputs.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace berth::app {

namespace {

using Sinks = std::vector<std::unique_ptr<LogSink>>;

Result<Sinks> make_sinks(const LogOutputs& outputs, const Clock& clock) {
    Sinks sinks;
    if (outputs.syslog) {
        BERTH_TRY(sinks.emplace_back(), logging::make_syslog_sink(*outputs.syslog, clock));
    }
    if (outputs.journald) {
        BERTH_TRY(sinks.emplace_back(), logging::make_journald_sink(*outputs.journald, clock));
    }
    for (const auto& mail : outputs.mails) {
        BERTH_TRY(sinks.emplace_back(), logging::make_mail_sink(mail, clock));
    }
    return sinks;
}

// Under systemd standard output and error lead to the journal as well, which would have each line
// twice.
LogOptions without_repetition(LogOptions log, const logging::JournaldOptions& journald) {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    if (logging::leads_to_journal(STDERR_FILENO, stream)) log.standard_error = false;
    const bool access_is_there =
        log.access_path.empty() && logging::leads_to_journal(STDOUT_FILENO, stream);
    if (journald.access && access_is_there) log.access_log = false;
    return log;
}

}  // namespace

Result<std::unique_ptr<Logger>> open_log(const Config& config, const Clock& clock) {
    BERTH_TRY(auto sinks, make_sinks(config.log_outputs, clock));
    const auto& journald = config.log_outputs.journald;
    auto log = journald ? without_repetition(config.log, *journald) : config.log;
    return Logger::open(std::move(log), clock, std::move(sinks));
}

}  // namespace berth::app
