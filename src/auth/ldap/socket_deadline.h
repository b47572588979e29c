// SocketDeadline: a moment after which a libldap connection's socket fails, whatever happens on it.
//
// libldap's own timeouts end where TLS begins: with GnuTLS it reads in a busy loop for as long as
// a server is silent in a handshake, and blocks on an answer that stops in its middle. This is a
// layer between libldap's (and TLS) and the socket, by lber's documented interface.
#pragma once

#include <ldap.h>

#include <chrono>

namespace berth::auth {

// Outlives the connection it is attached to. Used by one thread at a time.
class SocketDeadline {
  public:
    SocketDeadline();
    SocketDeadline(const SocketDeadline&) = delete;
    SocketDeadline& operator=(const SocketDeadline&) = delete;

    // Before it connects.
    bool attach(LDAP* handle);

    void set(std::chrono::milliseconds from_now);
    bool passed() const { return passed_; }

  private:
    static int connected(LDAP* handle, Sockbuf* socket, LDAPURLDesc* url, ::sockaddr* address,
                         ldap_conncb* context);
    static void closing(LDAP*, Sockbuf*, ldap_conncb*) {}
    static int set_up(Sockbuf_IO_Desc* layer, void* argument);
    static int control(Sockbuf_IO_Desc* layer, int option, void* argument);
    static ber_slen_t read(Sockbuf_IO_Desc* layer, void* buffer, ber_len_t size);
    static ber_slen_t write(Sockbuf_IO_Desc* layer, void* buffer, ber_len_t size);

    // False, with errno set, when the time is over.
    bool wait(Sockbuf* socket, short events);

    static Sockbuf_IO io_;
    ldap_conncb callbacks_;
    std::chrono::steady_clock::time_point at_;
    bool passed_ = false;
};

}  // namespace berth::auth
