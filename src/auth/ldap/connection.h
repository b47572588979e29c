// Connection: one connection to one LDAP server, version 3, by libldap.
//
// Used by one thread at a time. Errc::unavailable: the server does not answer, too late, or says
// that it cannot now; the connection is broken then, and another server may serve. Errc::denied:
// the server answers, and does not do it (a base that is not there, no right to search); another
// try would hear the same. Details name the server and hold no secret.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct ldap;  // libldap's LDAP

namespace berth::auth {

class SocketDeadline;

struct ConnectionOptions {
    bool start_tls = false;
    std::string ca;      // PEM file; empty: the system's authorities
    bool verify = true;  // the server's certificate, and that it names the host
    std::chrono::milliseconds connect_timeout{3'000};  // TCP, then TLS; not the lookup of the name
    std::chrono::milliseconds timeout{5'000};          // of one operation
};

struct LdapEntry {
    struct Attribute {
        std::string name;
        std::vector<std::string> values;
    };

    std::string dn;
    std::vector<Attribute> attributes;

    // Of the attribute, whatever its case; empty where the entry has none.
    const std::vector<std::string>& values(std::string_view attribute) const;
    // One value that is always the same for an entry: the one in its name, or the first in order.
    // Empty where there is none.
    std::string value(std::string_view attribute) const;
};

struct LdapSearch {
    enum class Scope { base, one, subtree };

    std::string base;
    Scope scope = Scope::subtree;
    std::string filter;
    std::vector<std::string> attributes;
    // Entries; one more makes it an error (Errc::too_large). 0: no limit but the server's.
    std::size_t entries_max = 0;
};

class Connection {
  public:
    // Connects, and starts TLS where that is wanted. `server` is ldap[s]://host:port.
    static Result<std::unique_ptr<Connection>> open(const std::string& server,
                                                    const ConnectionOptions& options);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // A simple bind. False: the server refuses the name or the password, and the connection is
    // anonymous. An empty password with a name is refused here: servers would take it.
    Result<bool> bind(const std::string& dn, std::string_view password);
    // An entry that a search with Scope::base does not find is no error.
    Result<std::vector<LdapEntry>> search(const LdapSearch& search);
    const std::string& server() const { return server_; }
    // The other end closed it: a server that was started anew, or one that closes what idles.
    bool lost() const { return lost_; }

  private:
    Connection(std::string server, std::chrono::milliseconds timeout, ldap* handle);

    Result<void> set_up(const ConnectionOptions& options);
    Result<void> set_up_tls(const ConnectionOptions& options);
    std::unexpected<Error> failed(int code, std::string_view what);

    const std::string server_;
    const std::chrono::milliseconds timeout_;
    std::unique_ptr<SocketDeadline> deadline_;
    ldap* const handle_;
    bool lost_ = false;
};

}  // namespace berth::auth
