#include "auth/ldap/socket_deadline.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace berth::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kLevel = (LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2;
constexpr ber_len_t kAnswerBytesMax = 16 << 20;  // one message, as an entry is

}  // namespace

Sockbuf_IO SocketDeadline::io_ = {set_up, nullptr, control, read, write, nullptr};

SocketDeadline::SocketDeadline() : callbacks_{connected, closing, this} {}

bool SocketDeadline::attach(LDAP* handle) {
    return ldap_set_option(handle, LDAP_OPT_CONNECT_CB, &callbacks_) == LDAP_SUCCESS;
}

void SocketDeadline::set(milliseconds from_now) {
    at_ = steady_clock::now() + from_now;
}

int SocketDeadline::connected(LDAP*, Sockbuf* socket, LDAPURLDesc*, ::sockaddr*,
                              ldap_conncb* context) {
    ber_len_t limit = kAnswerBytesMax;
    ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &limit);
    return ber_sockbuf_add_io(socket, &io_, kLevel, context->lc_arg);
}

int SocketDeadline::set_up(Sockbuf_IO_Desc* layer, void* argument) {
    layer->sbiod_pvt = argument;
    return 0;
}

int SocketDeadline::control(Sockbuf_IO_Desc* layer, int option, void* argument) {
    return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

ber_slen_t SocketDeadline::read(Sockbuf_IO_Desc* layer, void* buffer, ber_len_t size) {
    auto* self = static_cast<SocketDeadline*>(layer->sbiod_pvt);
    if (!self->wait(layer->sbiod_sb, POLLIN)) return -1;
    return LBER_SBIOD_READ_NEXT(layer, buffer, size);
}

ber_slen_t SocketDeadline::write(Sockbuf_IO_Desc* layer, void* buffer, ber_len_t size) {
    auto* self = static_cast<SocketDeadline*>(layer->sbiod_pvt);
    if (!self->wait(layer->sbiod_sb, POLLOUT)) return -1;
    return LBER_SBIOD_WRITE_NEXT(layer, buffer, size);
}

bool SocketDeadline::wait(Sockbuf* socket, short events) {
    ::pollfd polled{-1, events, 0};
    ber_sockbuf_ctrl(socket, LBER_SB_OPT_GET_FD, &polled.fd);
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(at_ - steady_clock::now()).count();
        const int ready =
            ::poll(&polled, 1, static_cast<int>(std::clamp<decltype(left)>(left, 0, INT_MAX)));
        if (ready > 0) return true;
        if (ready < 0 && errno == EINTR) continue;
        passed_ = true;
        errno = ETIMEDOUT;
        return false;
    }
}

}  // namespace berth::auth
