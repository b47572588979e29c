// systemd's journal, by its native protocol: one datagram an entry, fields kept apart. Entries wait
// in a bounded queue as those of logging/syslog.h do.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace berth::logging {

struct JournaldOptions {
    std::string socket = "/run/systemd/journal/socket";
    bool access = false;  // the access log too
};

// Errc::invalid for a path that is none; a journal that is away is not that. `clock` outlives the
// sink.
Result<std::unique_ptr<LogSink>> make_journald_sink(const JournaldOptions& options,
                                                    const Clock& clock);

// Is this open file, standard output or error, the one that systemd connected to the journal?
// `journal_stream` is the value of the environment's JOURNAL_STREAM, or null.
bool leads_to_journal(int fd, const char* journal_stream);

}  // namespace berth::logging
