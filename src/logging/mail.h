// Mail on log lines (registry:2's log.hooks of type mail). Lines of a minute go into one mail; a
// mail server that is away costs mails, never a request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace berth::logging {

struct MailOptions {
    std::string address;  // host:port of the SMTP server
    std::string username, password;
    bool insecure = false;  // the server's certificate is not verified
    std::string from;
    std::vector<std::string> to;
    LogLevel level = LogLevel::error;  // and above
};

// Errc::invalid for an address that is none. `clock` outlives the sink.
Result<std::unique_ptr<LogSink>> make_mail_sink(const MailOptions& options, const Clock& clock);

}  // namespace berth::logging
