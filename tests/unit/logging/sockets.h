// Sockets that stand in for a collector of log lines.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "net/address.h"

namespace berth::logging {

// A bound socket; `type` as socket() has it.
inline UniqueFd bind_socket(const net::SocketAddress& address, int type) {
    UniqueFd fd(::socket(address.family(), type | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), address.get(), address.size) != 0) throw std::runtime_error("bind");
    if (type == SOCK_STREAM && ::listen(fd.get(), 8) != 0) throw std::runtime_error("listen");
    return fd;
}

inline net::SocketAddress bound_address(const UniqueFd& fd) {
    net::SocketAddress address;
    address.size = sizeof address.storage;
    ::getsockname(fd.get(), address.get(), &address.size);
    return address;
}

// The next datagram, or what there is of a stream; waits for it.
inline std::string receive(const UniqueFd& fd) {
    std::string text(64 << 10, '\0');
    const ssize_t n = ::recv(fd.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
}

// The next datagram and the file that came with it, if one did.
inline std::pair<std::string, UniqueFd> receive_file(const UniqueFd& fd) {
    std::string text(64 << 10, '\0');
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n = ::recvmsg(fd.get(), &message, MSG_CMSG_CLOEXEC);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return {text, UniqueFd()};
    int file = -1;
    std::memcpy(&file, CMSG_DATA(header), sizeof file);
    return {text, UniqueFd(file)};
}

}  // namespace berth::logging
