// The form of a mail, RFC 5322 and MIME. Pure. Whatever a line holds, it adds no header and no
// recipient: the subject is encoded (RFC 2047), the body is Base64.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace berth::logging {

struct MailMessage {
    std::string from;
    std::vector<std::string> to;
    Time at;
    std::string id;       // without angle brackets
    std::string subject;  // one line
    std::string body;
};

// A plain one, as in an envelope: name@example.com, or the name of somebody on the server.
bool is_mail_address(std::string_view text);

std::string format_mail(const MailMessage& message);

}  // namespace berth::logging
