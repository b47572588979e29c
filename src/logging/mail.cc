#include "logging/mail.h"

#include <curl/curl.h>

#include <utility>

#include "logging/mail_message.h"
#include "logging/mail_sink.h"
#include "logging/smtp.h"
#include "net/address.h"

namespace berth::logging {

namespace {

Result<void> check(const MailOptions& options) {
    BERTH_CHECK(net::split_host_port(options.address));
    if (options.to.empty()) return fail(Errc::invalid, "nobody to send mail to");
    if (!is_mail_address(options.from))
        return fail(Errc::invalid, "not a mail address: " + options.from);
    for (const auto& to : options.to) {
        if (!is_mail_address(to)) return fail(Errc::invalid, "not a mail address: " + to);
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<LogSink>> make_mail_sink(const MailOptions& options, const Clock& clock) {
    auto checked = check(options);
    if (!checked) return std::unexpected(std::move(checked.error()).with_context("log.hooks"));
    [[maybe_unused]] static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    const auto send = [options](const std::string& mail, const std::stop_token& stop) {
        return send_by_smtp(options, mail, stop);
    };
    return std::make_unique<MailSink>(options, send, clock);
}

}  // namespace berth::logging
