// Reads Apache's AuthLDAPURL.
#include <array>
#include <charconv>
#include <optional>

#include "auth/ldap/directory.h"
#include "auth/ldap/escape.h"
#include "base/control.h"
#include "base/encoding.h"
#include "base/text.h"

namespace berth::auth {
namespace {

constexpr std::size_t kUrlBytesMax = 8192;
constexpr std::size_t kServersMax = 16;

std::unexpected<Error> wrong(std::string what) {
    return fail(Errc::invalid, std::move(what) +
                                   "; expected ldap[s]://HOST[:PORT] [HOST[:PORT]…]"
                                   "/BASE?ATTRIBUTE?SCOPE?FILTER");
}

bool is_host(std::string_view host) {
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) return false;
        host = host.substr(1, host.size() - 2);
        return host.contains(':') &&
               host.find_first_not_of("0123456789abcdefABCDEF:.") == host.npos;
    }
    return !host.empty() && host.find_first_not_of(
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.-_") == host.npos;
}

// `host`, `host:port`, `[address]:port` → `scheme://host:port`
Result<std::string> read_server(std::string_view scheme, std::string_view text) {
    std::string_view host = text;
    std::string port = scheme == "ldaps" ? "636" : "389";
    const std::size_t bracket = text.find(']');
    const std::size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
    if (colon != text.npos) {
        host = text.substr(0, colon);
        const std::string_view digits = text.substr(colon + 1);
        std::uint16_t number = 0;
        const char* end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, number);
        if (error != std::errc() || stop != end || number == 0) {
            return wrong("'" + std::string(text) + "' has no port between 1 and 65535");
        }
        port = std::to_string(number);
    }
    if (!is_host(host)) return wrong("'" + std::string(text) + "' is no host");
    return std::string(scheme) + "://" + std::string(host) + ":" + port;
}

Result<std::vector<std::string>> read_servers(std::string_view scheme, std::string_view hosts) {
    std::vector<std::string> servers;
    while (!hosts.empty()) {
        const std::size_t end = hosts.find(' ');
        const std::string_view host = hosts.substr(0, end);
        hosts.remove_prefix(end == hosts.npos ? hosts.size() : end + 1);
        if (host.empty()) continue;
        BERTH_TRY(std::string server, read_server(scheme, host));
        servers.push_back(std::move(server));
        if (servers.size() > kServersMax) {
            return wrong("more than " + std::to_string(kServersMax) + " hosts");
        }
    }
    if (servers.empty()) return wrong("it names no host");
    return servers;
}

Result<LdapUrl::Scope> read_scope(std::string_view text) {
    if (text.empty() || equal_ignoring_case(text, "sub")) return LdapUrl::Scope::subtree;
    if (equal_ignoring_case(text, "one")) return LdapUrl::Scope::one;
    return wrong("'" + std::string(text) + "' is no scope: sub or one");
}

// A filter may stand without its outer parentheses, as in Apache.
Result<std::string> read_filter(std::string text) {
    if (!text.starts_with('(')) text = "(" + text + ")";
    if (!is_filter(text)) return wrong("'" + text + "' is no filter");
    return text;
}

}  // namespace

Result<LdapUrl> LdapUrl::parse(std::string_view text) {
    if (text.size() > kUrlBytesMax) return wrong("it is too long");
    if (has_control(text)) return wrong("it has a control character");
    const std::size_t colon = text.find("://");
    const std::string_view given_scheme = text.substr(0, colon);
    std::string_view scheme;
    if (equal_ignoring_case(given_scheme, "ldap")) scheme = "ldap";
    if (equal_ignoring_case(given_scheme, "ldaps")) scheme = "ldaps";
    if (colon == text.npos || scheme.empty()) return wrong("it is no LDAP URL");
    text.remove_prefix(colon + 3);

    LdapUrl url;
    const std::size_t slash = text.find('/');
    BERTH_TRY(url.servers, read_servers(scheme, text.substr(0, slash)));
    if (slash == text.npos) return url;
    text.remove_prefix(slash + 1);

    std::array<std::string, 4> parts;  // base, attribute, scope, filter
    for (std::size_t i = 0;; ++i) {
        const std::size_t end = text.find('?');
        auto part = percent_decode(text.substr(0, end));
        if (!part || part->contains('\0')) return wrong("it has a malformed %");
        if (i >= parts.size()) return wrong("it has more after the filter");
        parts[i] = std::move(*part);
        if (end == text.npos) break;
        text.remove_prefix(end + 1);
    }
    url.base = std::move(parts[0]);
    if (!url.base.empty() && !first_rdn(url.base)) {
        return wrong("'" + url.base + "' is no distinguished name");
    }
    // Of several attributes Apache searches by the first.
    if (!parts[1].empty()) url.attribute = parts[1].substr(0, parts[1].find(','));
    if (!is_attribute(url.attribute)) return wrong("'" + url.attribute + "' is no attribute");
    BERTH_TRY(url.scope, read_scope(parts[2]));
    if (!parts[3].empty()) {
        BERTH_TRY(url.filter, read_filter(std::move(parts[3])));
    }
    return url;
}

}  // namespace berth::auth
