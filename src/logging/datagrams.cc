#include "logging/datagrams.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace berth::logging {

namespace {

constexpr timeval kRoomWait{2, 0};

std::unexpected<Error> unavailable(int os_errno) {
    if (os_errno == EAGAIN) return fail(Errc::unavailable, "takes no more", os_errno);
    return fail(Errc::unavailable, std::generic_category().message(os_errno), os_errno);
}

Result<void> checked(ssize_t sent) {
    if (sent >= 0) return {};
    if (errno == EMSGSIZE) return fail(Errc::too_large, "too long for a datagram", errno);
    return unavailable(errno);
}

}  // namespace

Result<Datagrams> Datagrams::connect(const net::SocketAddress& address) {
    UniqueFd socket(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return unavailable(errno);
    if (::connect(socket.get(), address.get(), address.size) != 0) return unavailable(errno);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kRoomWait, sizeof kRoomWait);
    return Datagrams(std::move(socket));
}

Result<void> Datagrams::send(std::string_view text) const {
    return checked(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL));
}

Result<void> Datagrams::send_file(const UniqueFd& file) const {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* const header = reinterpret_cast<cmsghdr*>(control.data());
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = file.get();
    std::memcpy(control.data() + CMSG_LEN(0), &fd, sizeof fd);
    return checked(::sendmsg(socket_.get(), &message, MSG_NOSIGNAL));
}

}  // namespace berth::logging
