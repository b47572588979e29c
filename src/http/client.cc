#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "base/release.h"
#include "base/text.h"
#include "http/text.h"

namespace berth::http {
namespace {

constexpr std::size_t kHeadBytesMax = 64 << 10;

using Easy = std::unique_ptr<CURL, Release<curl_easy_cleanup>>;
using Url = std::unique_ptr<CURLU, Release<curl_url_cleanup>>;
using List = std::unique_ptr<curl_slist, Release<curl_slist_free_all>>;

void start_curl() {
    [[maybe_unused]] static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, Release<curl_free>> owned(text);
    return text;
}

Result<Url> parse_url(const std::string& text) {
    Url url(curl_url());
    const CURLUcode parsed = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
    if (parsed != CURLUE_OK) {
        return fail(Errc::invalid, std::string("not a URL: ") + curl_url_strerror(parsed));
    }
    const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
        return fail(Errc::invalid, "a URL that is neither http nor https");
    }
    return url;
}

// One that a head can carry.
bool is_value(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

bool is_token_text(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token);
}

// The request's fields, without those that libcurl would add by itself.
Result<List> list_of(const ClientRequest& request) {
    std::vector<std::string> lines{"Expect:"};
    const bool typed = std::ranges::any_of(request.fields, [](const auto& field) {
        return equal_ignoring_case(field.first, "content-type");
    });
    if (!typed) lines.emplace_back("Content-Type:");
    for (const auto& [name, value] : request.fields) {
        if (!is_token_text(name) || !is_value(value)) {
            return fail(Errc::invalid, "a field of the request is malformed");
        }
        // libcurl takes `name:` for "leave it out" and `name;` for an empty value.
        lines.push_back(value.empty() ? name + ";" : name + ": " + value);
    }
    List list;
    for (const std::string& line : lines) {
        curl_slist* longer = curl_slist_append(list.get(), line.c_str());
        if (!longer) return fail(Errc::unavailable, "no memory for a request");
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

// What libcurl's callbacks fill.
struct Receiver {
    const ClientRequest& request;
    CURL* easy;
    ClientResponse response = {};
    std::size_t head_bytes = 0;
    bool too_large = false;
    std::optional<Error> refused = std::nullopt;  // by the request's on_body
};

int status_of(CURL* easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
}

// Anything but `size` makes libcurl give up.
std::size_t receive_body(char* data, std::size_t, std::size_t size, void* user) {
    auto& receiver = *static_cast<Receiver*>(user);
    const int status = status_of(receiver.easy);
    if (receiver.request.on_body && status / 100 == 2) {
        auto taken = receiver.request.on_body(status, as_bytes({data, size}));
        if (taken) return size;
        receiver.refused = std::move(taken.error());
        return CURL_WRITEFUNC_ERROR;
    }
    std::string& body = receiver.response.body;
    if (size > receiver.request.body_bytes_max - body.size()) {
        receiver.too_large = true;
        return 0;
    }
    body.append(data, size);
    return size;
}

std::size_t receive_field(char* data, std::size_t, std::size_t size, void* user) {
    auto& receiver = *static_cast<Receiver*>(user);
    receiver.head_bytes += size;
    if (receiver.head_bytes > kHeadBytesMax) {
        receiver.too_large = true;
        return 0;
    }
    const std::string_view line(data, size);
    auto& fields = receiver.response.fields;
    // A new head: what came before was an interim answer (100, 103).
    if (line.starts_with("HTTP/")) fields.clear();
    const auto colon = line.find(':');
    if (colon == line.npos || line.starts_with("HTTP/")) return size;
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), to_lower);
    const auto end = line.find_last_not_of("\r\n") + 1;
    fields.emplace_back(std::move(name), trim(line.substr(colon + 1, end - colon - 1)));
    return size;
}

long milliseconds(std::chrono::milliseconds duration) {
    return std::max(1L, static_cast<long>(duration.count()));  // 0 would mean: for ever
}

void set_method(CURL* easy, const ClientRequest& request) {
    if (request.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request.method != "GET" || !request.body.empty()) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_limits(CURL* easy, const ClientRequest& request) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, long(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout));
    if (request.timeout.count() > 0)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout));
    if (request.stall_timeout.count() > 0) {
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, long(request.stall_timeout.count()));
    }
    if (!request.ca.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, request.ca.c_str());
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // or the system's would count as well
    }
}

}  // namespace

struct Session::State {
    Easy easy;
};

Session::Session() : state_(std::make_unique<State>()) {
    start_curl();
    state_->easy.reset(curl_easy_init());
}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

Result<ClientResponse> send(const ClientRequest& request) {
    return Session().send(request);
}

Result<ClientResponse> Session::send(const ClientRequest& request) {
    BERTH_TRY(const Url url, parse_url(request.url));
    if (!is_token_text(request.method)) return fail(Errc::invalid, "a method that is none");
    BERTH_TRY(const List fields, list_of(request));
    const Easy& easy = state_->easy;
    if (!easy) return fail(Errc::unavailable, "no memory for a request");
    curl_easy_reset(easy.get());  // all but the connection

    Receiver receiver{.request = request, .easy = easy.get()};
    std::array<char, CURL_ERROR_SIZE> reason{};
    curl_easy_setopt(easy.get(), CURLOPT_CURLU, url.get());
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, fields.get());
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, reason.data());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &receiver);
    curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, receive_field);
    curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &receiver);
    set_method(easy.get(), request);
    set_limits(easy.get(), request);

    const CURLcode code = curl_easy_perform(easy.get());
    const std::string host = part_of(url.get(), CURLUPART_HOST);
    if (receiver.refused) return std::unexpected(std::move(*receiver.refused));
    if (receiver.too_large) return fail(Errc::too_large, host + ": the answer is too large");
    if (code != CURLE_OK) {
        return fail(Errc::unavailable,
                    host + ": " + (reason[0] ? reason.data() : curl_easy_strerror(code)));
    }
    receiver.response.status = status_of(easy.get());
    return std::move(receiver.response);
}

Result<std::string> fetch(const std::string& url, const std::string& ca) {
    BERTH_TRY(ClientResponse response, send({.url = url, .ca = ca}));
    if (response.status != 200) {
        return fail(Errc::unavailable, part_of(parse_url(url)->get(), CURLUPART_HOST) +
                                           ": answered " + std::to_string(response.status));
    }
    return std::move(response.body);
}

}  // namespace berth::http
