#include "logging/smtp.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/release.h"
#include "net/address.h"

namespace berth::logging {

namespace {

constexpr long kConnectSeconds = 10;
constexpr long kSeconds = 30;

using Easy = std::unique_ptr<CURL, Release<curl_easy_cleanup>>;
using List = std::unique_ptr<curl_slist, Release<curl_slist_free_all>>;

std::size_t give_mail(char* out, std::size_t size, std::size_t count, void* user) {
    auto& rest = *static_cast<std::string_view*>(user);
    const auto length = std::min(size * count, rest.size());
    std::memcpy(out, rest.data(), length);
    rest.remove_prefix(length);
    return length;
}

// Anything but 0 makes libcurl give up.
int is_stopped(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

bool is_this_machine(const std::string& host) {
    return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

void set_server(CURL* easy, const MailOptions& options) {
    const auto where = net::split_host_port(options.address).value_or(net::HostPort());
    const bool tls_first = where.port == "465";
    const auto url = (tls_first ? "smtps://" : "smtp://") + options.address;
    const bool needs_tls = !options.username.empty() && !is_this_machine(where.host);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_USE_SSL, long{needs_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY});
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    if (options.insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (options.username.empty()) return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, options.username.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options.password.c_str());
}

Result<List> list_of(const std::vector<std::string>& addresses) {
    List list;
    for (const auto& address : addresses) {
        curl_slist* longer = curl_slist_append(list.get(), address.c_str());
        if (longer == nullptr) return fail(Errc::unavailable, "no memory for a mail");
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

}  // namespace

Result<void> send_by_smtp(const MailOptions& options, const std::string& mail,
                          const std::stop_token& stop) {
    const Easy easy(curl_easy_init());
    if (!easy) return fail(Errc::unavailable, "libcurl does not start");
    BERTH_TRY(const auto recipients, list_of(options.to));
    std::string_view rest = mail;
    auto asked = stop;
    std::array<char, CURL_ERROR_SIZE> why{};
    set_server(easy.get(), options);
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, why.data());
    curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT, kSeconds);
    curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, options.from.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);  // some get it
    curl_easy_setopt(easy.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_READFUNCTION, give_mail);
    curl_easy_setopt(easy.get(), CURLOPT_READDATA, &rest);
    curl_easy_setopt(easy.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy.get(), CURLOPT_XFERINFOFUNCTION, is_stopped);
    curl_easy_setopt(easy.get(), CURLOPT_XFERINFODATA, &asked);
    const CURLcode done = curl_easy_perform(easy.get());
    if (done == CURLE_OK) return {};
    return fail(Errc::unavailable, why.front() != '\0' ? why.data() : curl_easy_strerror(done));
}

}  // namespace berth::logging
