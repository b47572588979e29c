// Addresses of sockets: from the configuration's text to the operating system's form and back.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::net {

// A socket address as system calls take it.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    int family() const { return storage.ss_family; }
};

struct HostPort {
    std::string host;  // without brackets; empty: every address
    std::string port;
};

// host:port, [v6]:port or :port.
Result<HostPort> split_host_port(std::string_view text);
// All addresses of a host, as getaddrinfo gives them for a stream; `flags` are its own. An empty
// host is this machine, or every address with AI_PASSIVE. Errc::invalid. Waits for the resolver.
Result<std::vector<SocketAddress>> look_up(const HostPort& where, int flags,
                                           int family = AF_UNSPEC);
// Where to bind for `host` and `port`, names looked up, IPv4 before IPv6. The host is not empty.
Result<SocketAddress> resolve(const HostPort& where);
// Every address of both families (of IPv6, where the socket is told to take IPv4 too).
Result<SocketAddress> any_address(int family, const std::string& port);
// Errc::invalid when the path is longer than the system allows.
Result<SocketAddress> unix_address(const std::string& path);

// 127.0.0.1:5000, [::1]:5000, unix:/run/berth.sock
std::string format_address(const SocketAddress& address);
// The address alone, without brackets; IPv4 behind IPv6 as IPv4. Empty for a unix socket.
std::string host_of(const SocketAddress& address);
std::uint16_t port_of(const SocketAddress& address);

}  // namespace berth::net
