// systemd's journal, by its native protocol: one datagram an entry, fields kept apart.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace berth::logging {

struct JournaldOptions {
    std::string socket = "/run/systemd/journal/socket";
    bool access = false;  // the access log too
};

Result<std::unique_ptr<LogSink>> make_journald_sink(const JournaldOptions& options);

}  // namespace berth::logging
