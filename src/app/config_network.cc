#include "app/config_network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/control.h"
#include "http/text.h"

namespace berth::app {

namespace {

constexpr unsigned kPortMost = 65535;

// What is wrong with host:port, [v6]:port or :port; empty: nothing.
std::string_view tcp_problem(std::string_view address) {
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos) {
        return "must be host:port, [IPv6 address]:port or :port, such as :5000";
    }
    const auto host = address.substr(0, colon);
    if (!is_number(address.substr(colon + 1), kPortMost)) return "must end with a port up to 65535";
    if (host.starts_with('[')) {
        const bool closed = host.size() > 2 && host.ends_with(']');
        if (!closed || address_bits(std::string(host.substr(1, host.size() - 2))) != 128u) {
            return "must have an IPv6 address between its brackets";
        }
    } else if (host.find_first_of(":/ ]") != std::string_view::npos) {
        return "must be host:port; an IPv6 address stands in brackets, such as [::1]:5000";
    }
    return {};
}

}  // namespace

bool is_number(std::string_view text, unsigned most) {
    unsigned value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && rest == text.data() + text.size() && value <= most;
}

std::optional<unsigned> address_bits(const std::string& text) {
    std::array<unsigned char, 16> bytes;
    if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return 32;
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return 128;
    return std::nullopt;
}

void check_tcp_address(const ConfigValue& value, const std::string& address) {
    if (const auto problem = tcp_problem(address); !problem.empty()) {
        value.wrong("\"" + address + "\" " + std::string(problem));
    }
}

void check_peer(const ConfigValue& value, std::string& address) {
    check_tcp_address(value, address);
    if (address.starts_with(':')) address.insert(0, "localhost");
}

void read_http_url(const ConfigValue& value, std::string& out) {
    value.read_url(out);
    const auto begin = out.starts_with("https://") ? 8u : out.starts_with("http://") ? 7u : 0u;
    const auto rest = std::string_view(out).substr(begin);
    const auto host = rest.substr(0, rest.find_first_of("/?#"));
    const bool plain = std::ranges::none_of(rest, [](char c) { return c == ' ' || is_control(c); });
    if (value.present() && (begin == 0 || host.empty() || host.ends_with('@') || !plain)) {
        value.wrong("must be a URL that begins with http:// or https://");
    }
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, http::is_token);
}

void read_secret_headers(const ConfigValue& headers, Headers& out) {
    for (const auto& [name, value] : headers.members()) {
        if (!is_token(name)) value.wrong("is no name of a header");
        for (const auto& item : value.items()) {
            std::string text;
            item.read_secret(text);
            if (has_control(text)) item.wrong("must not hold control characters");
            out.emplace_back(name, std::move(text));
        }
    }
}

}  // namespace berth::app
