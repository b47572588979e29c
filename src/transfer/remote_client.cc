#include "transfer/remote_client.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>

#include "base/encoding.h"
#include "oci/json.h"

namespace berth::transfer {
namespace {

using namespace std::chrono_literals;
using http::ClientResponse;

constexpr int kRedirectsMax = 5;
constexpr auto kStall = 60s;
constexpr auto kPauseMax = 60s;
constexpr std::size_t kTokenDepthMax = 8;

// https://host:port of a URL; empty: it has none.
std::string origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == url.npos) return {};
    const auto end = url.find_first_of("/?#", scheme + 3);
    return std::string(url.substr(0, end));
}

std::string host_of(std::string_view origin) {
    auto host = origin.substr(origin.find("://") + 3);
    if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
    return std::string(host.substr(0, host.find(':')));
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_later(int status) {
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::chrono::seconds retry_after(const ClientResponse& response) {
    int seconds = 0;
    if (const auto* text = find_field(response, "retry-after"))
        std::from_chars(text->data(), text->data() + text->size(), seconds);
    return std::clamp(std::chrono::seconds(seconds), 0s, std::chrono::seconds(kPauseMax));
}

// A URL that may be sent what is secret.
bool is_safe(std::string_view url) {
    return url.starts_with("https://") ||
           (url.starts_with("http://") && is_loopback(host_of(origin_of(url))));
}

}  // namespace

const std::string* find_field(const ClientResponse& response, std::string_view name) {
    const auto found = std::ranges::find_if(
        response.fields, [name](const auto& field) { return field.first == name; });
    return found == response.fields.end() ? nullptr : &found->second;
}

bool is_loopback(std::string_view host) {
    if (host == "localhost" || host == "::1") return true;
    const bool is_number = host.find_first_not_of("0123456789.") == host.npos;
    return is_number && host.starts_with("127.");
}

void RemoteClient::pause(int tries, std::chrono::seconds asked) const {
    auto duration = std::min<std::chrono::milliseconds>(
        options_.pause * (1 << std::min(tries - 1, 16)), kPauseMax);
    duration = std::max<std::chrono::milliseconds>(duration, asked);
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, duration, [] { return false; });
}

Result<ClientResponse> RemoteClient::send(const RemoteRequest& request) {
    for (int tries = 1;; ++tries) {
        auto response = exchange(request);
        const bool later =
            response ? is_later(response->status) : response.error().code == Errc::unavailable;
        if (!later || (!response && request.on_body)) return response;
        if (tries >= options_.tries) {
            if (!response) return response;
            return fail(Errc::unavailable,
                        host_of(options_.origin) + ": answers " + std::to_string(response->status));
        }
        pause(tries, response ? retry_after(*response) : 0s);
    }
}

Result<ClientResponse> RemoteClient::exchange(const RemoteRequest& request) {
    const bool is_path = request.target.starts_with('/');
    const std::string url = is_path ? options_.origin + request.target : request.target;
    BERTH_TRY(auto response, follow(request, url, remembered(request.scope)));
    if (response.status != 401) return response;
    BERTH_TRY(const auto authorization, authorize(response, request.scope));
    BERTH_TRY(auto again, follow(request, url, authorization));
    if (again.status != 401) return again;
    return fail(Errc::unauthenticated, host_of(options_.origin) + " does not accept the login");
}

// Where a blob lies elsewhere, the URL is the permission; the login stays here.
Result<ClientResponse> RemoteClient::follow(const RemoteRequest& request, const std::string& url,
                                            const std::string& authorization) {
    std::string at = url;
    for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
        http::ClientRequest sent{.method = request.method,
                                 .url = at,
                                 .fields = request.fields,
                                 .ca = options_.ca,
                                 .connect_timeout = 10s,
                                 .timeout = request.timeout,
                                 .stall_timeout = kStall,
                                 .body_bytes_max = request.body_bytes_max,
                                 .on_body = request.on_body};
        if (!authorization.empty() && origin_of(at) == options_.origin)
            sent.fields.emplace_back("Authorization", authorization);
        BERTH_TRY(auto response, raw(sent));
        const auto* location = find_field(response, "location");
        if (!is_redirect(response.status) || !location) return response;
        const std::string next = location->starts_with('/') ? origin_of(at) + *location : *location;
        if (at.starts_with("https://") && !next.starts_with("https://")) {
            return fail(Errc::denied, host_of(origin_of(at)) + " sends us to where it is not safe");
        }
        at = next;
    }
    return fail(Errc::unavailable, host_of(options_.origin) + ": too many redirects");
}

Result<ClientResponse> RemoteClient::raw(const http::ClientRequest& request) {
    std::unique_ptr<http::Session> session;
    {
        std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            session = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!session) session = std::make_unique<http::Session>();
    auto response = session->send(request);
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(session));
    return response;
}

Result<std::string> RemoteClient::authorize(const ClientResponse& refusal,
                                            const std::string& scope) {
    std::vector<Challenge> challenges;
    for (const auto& [name, value] : refusal.fields) {
        if (name != "www-authenticate") continue;
        auto parsed = parse_challenges(value);
        std::ranges::move(parsed, std::back_inserter(challenges));
    }
    for (const auto& challenge : challenges) {
        std::string authorization;
        if (challenge.scheme == "bearer") {
            BERTH_TRY(authorization, fetch_token(challenge, scope));
        } else if (challenge.scheme == "basic" && options_.login) {
            if (!is_safe(options_.origin)) {
                return fail(Errc::denied, "a password goes over plain http to this machine only");
            }
            authorization = basic();
        } else {
            continue;
        }
        std::lock_guard lock(mutex_);
        authorizations_[scope] = authorization;
        return authorization;
    }
    return fail(
        Errc::unauthenticated,
        host_of(options_.origin) + " wants a login: give one by --user and --password-file");
}

Result<std::string> RemoteClient::fetch_token(const Challenge& challenge,
                                              const std::string& scope) {
    const auto value = [&challenge](const char* name) {
        const auto found = challenge.parameters.find(name);
        return found == challenge.parameters.end() ? std::string() : found->second;
    };
    const std::string realm = value("realm");
    const std::string asked = value("scope").empty() ? scope : value("scope");
    std::string url = realm + (realm.find('?') == realm.npos ? "?" : "&") +
                      "service=" + percent_encode(value("service"));
    if (!asked.empty()) url += "&scope=" + percent_encode(asked);
    http::ClientRequest request{.url = url, .ca = options_.ca, .timeout = 30s};
    if (options_.login) {
        if (!is_safe(realm)) {
            return fail(Errc::denied, "the token service's address is not safe for a password");
        }
        request.url += "&account=" + percent_encode(options_.login->user);
        request.fields.emplace_back("Authorization", basic());
    }
    BERTH_TRY(const auto response, raw(request));
    if (response.status != 200) {
        const auto code = is_later(response.status) ? Errc::unavailable : Errc::unauthenticated;
        return fail(code, host_of(origin_of(realm)) + ": the token service answers " +
                              std::to_string(response.status));
    }
    BERTH_TRY(const auto json, oci::parse_json(response.body, kTokenDepthMax));
    for (const char* name : {"token", "access_token"}) {
        if (json.is_object() && json.contains(name) && json[name].is_string())
            return "Bearer " + json[name].get<std::string>();
    }
    return fail(Errc::unauthenticated,
                host_of(origin_of(realm)) + ": the token service answers without a token");
}

std::string RemoteClient::basic() const {
    return "Basic " +
           base64_encode(as_bytes(options_.login->user + ":" + options_.login->password));
}

std::string RemoteClient::remembered(const std::string& scope) {
    std::lock_guard lock(mutex_);
    const auto found = authorizations_.find(scope);
    return found == authorizations_.end() ? std::string() : found->second;
}

}  // namespace berth::transfer
