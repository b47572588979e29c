// Sends a mail by SMTP, with libcurl; in TLS when the server offers it.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "logging/mail.h"

namespace berth::logging {

// Waits for the server; ends soon after a stop is asked for. A password is given away only in TLS,
// or to this machine. Errc::unavailable.
Result<void> send_by_smtp(const MailOptions& options, const std::string& mail,
                          const std::stop_token& stop);

}  // namespace berth::logging
