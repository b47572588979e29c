#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/release.h"
#include "net/peer.h"

namespace berth::net {

namespace {

const sockaddr_in& as_v4(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr_in&>(address.storage);
}

const sockaddr_in6& as_v6(const SocketAddress& address) {
    return reinterpret_cast<const sockaddr_in6&>(address.storage);
}

using Found = std::unique_ptr<addrinfo, Release<::freeaddrinfo>>;

}  // namespace

Result<HostPort> split_host_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == text.size())
        return fail(Errc::invalid, "no port in it: write host:port");
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of(":[]") != std::string_view::npos) {
        return fail(Errc::invalid, "an IPv6 address stands in brackets: [::1]:5000");
    }
    return HostPort{std::string(host), std::string(text.substr(colon + 1))};
}

Result<std::vector<SocketAddress>> look_up(const HostPort& where, int flags, int family) {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* first = nullptr;
    const char* host = where.host.empty() ? nullptr : where.host.c_str();
    if (const int error = ::getaddrinfo(host, where.port.c_str(), &hints, &first); error != 0)
        return fail(Errc::invalid, ::gai_strerror(error));
    const Found found(first);
    std::vector<SocketAddress> addresses;
    for (const addrinfo* info = first; info != nullptr; info = info->ai_next) {
        auto& address = addresses.emplace_back();
        std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
        address.size = info->ai_addrlen;
    }
    return addresses;
}

Result<SocketAddress> resolve(const HostPort& where) {
    BERTH_TRY(const auto found, look_up(where, AI_PASSIVE));
    const auto v4 = std::ranges::find(found, AF_INET, &SocketAddress::family);
    return v4 == found.end() ? found.front() : *v4;
}

Result<SocketAddress> any_address(int family, const std::string& port) {
    BERTH_TRY(const auto found, look_up({{}, port}, AI_PASSIVE, family));
    return found.front();
}

Result<SocketAddress> unix_address(const std::string& path) {
    SocketAddress address;
    auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
    if (path.empty() || path.size() >= sizeof name.sun_path)
        return fail(Errc::invalid, "a unix socket's path has 1 to 107 bytes");
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
}

std::string host_of(const SocketAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.family() == AF_INET)
        return ::inet_ntop(AF_INET, &as_v4(address).sin_addr, text.data(), text.size());
    if (address.family() != AF_INET6) return {};
    const in6_addr& v6 = as_v6(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return ::inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
    return ::inet_ntop(AF_INET6, &v6, text.data(), text.size());
}

std::uint16_t port_of(const SocketAddress& address) {
    if (address.family() == AF_INET) return ntohs(as_v4(address).sin_port);
    return address.family() == AF_INET6 ? ntohs(as_v6(address).sin6_port) : std::uint16_t{0};
}

std::string format_address(const SocketAddress& address) {
    if (address.family() == AF_UNIX) {
        const auto& name = reinterpret_cast<const sockaddr_un&>(address.storage);
        return std::string("unix:") + name.sun_path;
    }
    return host_port(host_of(address), port_of(address));
}

}  // namespace berth::net
