#include "net/dial_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

namespace berth::net {

namespace {

using std::chrono::milliseconds;

std::unexpected<Error> unavailable(int os_errno) {
    return fail(Errc::unavailable, std::generic_category().message(os_errno), os_errno);
}

std::unexpected<Error> too_late() {
    return fail(Errc::unavailable, "no answer in time", ETIMEDOUT);
}

// Rounded up: one that is not over yet is never 0.
milliseconds time_left(Deadline deadline) {
    const auto left = deadline - std::chrono::steady_clock::now();
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(left));
}

Result<void> wait_for(int fd, short events, Deadline deadline) {
    for (;;) {
        const auto left = time_left(deadline);
        pollfd waiting{fd, events, 0};
        const int timeout = static_cast<int>(std::min<milliseconds::rep>(left.count(), INT_MAX));
        const int ready = ::poll(&waiting, 1, timeout);
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return unavailable(errno);
        if (left.count() == 0) return too_late();
    }
}

// A unix socket whose queue is full says so at once where it may not wait, and nothing tells when
// there is room again: so this one waits in the call.
Result<void> connect_unix(int fd, const SocketAddress& address, Deadline deadline) {
    for (;;) {
        const auto left = time_left(deadline);
        if (left.count() == 0) return too_late();
        const timeval timeout{left.count() / 1000, left.count() % 1000 * 1000};
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (::connect(fd, address.get(), address.size) == 0) break;
        if (errno != EINTR && errno != EAGAIN) return unavailable(errno);
    }
    if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) return unavailable(errno);
    return {};
}

Result<void> connect_tcp(int fd, const SocketAddress& address, Deadline deadline) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (::connect(fd, address.get(), address.size) == 0) return {};
    if (errno != EINPROGRESS && errno != EINTR) return unavailable(errno);
    BERTH_CHECK(wait_for(fd, POLLOUT, deadline));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return unavailable(error);
    return {};
}

}  // namespace

Result<DialSocket> DialSocket::connect(const SocketAddress& address, Deadline deadline) {
    const bool is_unix = address.family() == AF_UNIX;
    const int type = SOCK_STREAM | SOCK_CLOEXEC | (is_unix ? 0 : SOCK_NONBLOCK);
    UniqueFd fd(::socket(address.family(), type, 0));
    if (!fd) return unavailable(errno);
    BERTH_CHECK(is_unix ? connect_unix(fd.get(), address, deadline)
                        : connect_tcp(fd.get(), address, deadline));
    return DialSocket(std::move(fd));
}

ssize_t DialSocket::receive(MutableBytes out) {
    return ::recv(fd_.get(), out.data(), out.size(), 0);
}

ssize_t DialSocket::send(Bytes bytes) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool DialSocket::is_closed() const {
    pollfd gone{fd_.get(), POLLRDHUP, 0};
    return ::poll(&gone, 1, 0) > 0;
}

Result<void> DialSocket::wait(Until until, Deadline deadline) const {
    return wait_for(fd_.get(), until == Until::readable ? POLLIN : POLLOUT, deadline);
}

}  // namespace berth::net
