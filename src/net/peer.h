// Peer: the other end of a connection, as the listener and TLS saw it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace berth::net {

// The client certificate that TLS verified (RFC 5280): its names as UTF-8. Names with a NUL or
// another control character in them are left out.
struct PeerCertificate {
    std::string fingerprint = {};             // SHA-256 of the DER form, 32 bytes
    std::string common_name = {};             // the subject's last CN
    std::vector<std::string> dns_names = {};  // subjectAltName
    std::vector<std::string> emails = {};
    std::vector<std::string> uris = {};  // spiffe://… among them
    Time expires = Time::max();          // notAfter: a connection may live longer than that
};

// host:port, with brackets around an IPv6 address.
inline std::string host_port(const std::string& host, std::uint16_t port) {
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

struct Peer {
    std::string address;  // numeric, without brackets; empty for a unix socket
    std::uint16_t port = 0;
    bool tls = false;
    // Set by the handshake, and never changed after it. Null: none was shown, or it was not
    // verified.
    std::shared_ptr<const PeerCertificate> certificate = nullptr;

    // host:port, [v6]:port; empty for a unix socket.
    std::string endpoint() const {
        return address.empty() ? std::string() : host_port(address, port);
    }
};

}  // namespace berth::net
