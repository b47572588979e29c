// Servers: the servers of one directory in order, with the connections that are open to them.
//
// A server that does not answer is left alone for a while, and work goes to the next. Connections
// are bounded, and kept for later work; a broken one is thrown away, and so is one that is bound as
// a user.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/ldap/connection.h"
#include "base/clock.h"
#include "base/result.h"

namespace berth::auth {

struct ServiceAccount {
    std::string dn;  // empty: searches are anonymous
    std::string password;
    std::uint64_t version = 0;  // another one when the password may have changed
};

// A connection while it is lent. Searches are the service account's.
class LdapSession {
  public:
    Result<std::vector<LdapEntry>> search(const LdapSearch& search);
    // Is this the entry's password? Without a service account, searches are the user's afterwards.
    Result<bool> prove(const std::string& dn, std::string_view password);

  private:
    friend class Servers;
    enum class Bound { nobody, service, user };

    LdapSession(std::unique_ptr<Connection> connection, Bound bound, const ServiceAccount& account)
        : connection_(std::move(connection)), bound_(bound), account_(account) {}

    Result<void> bind_service();
    bool lost() const { return connection_ && connection_->lost(); }

    std::unique_ptr<Connection> connection_;
    Bound bound_;
    const ServiceAccount& account_;
    bool broken_ = false;
    bool refused_ = false;  // the service account was
};

// Thread-safe.
class Servers {
  public:
    struct Options {
        std::vector<std::string> urls;  // ldap[s]://host:port
        ConnectionOptions connection;
        std::size_t connections = 8;  // at once, to all servers
    };
    using Report = std::function<void(const Error&)>;

    // `clock` outlives it.
    Servers(Options options, const Clock& clock, Report report);
    ~Servers();

    // Runs `work` with the first server that answers. It runs anew, with another connection, after
    // Errc::unavailable; any other result is the result. Errc::unavailable: no server answers, or
    // all connections are busy for too long.
    using Work = std::function<Result<void>(LdapSession&)>;
    Result<void> run(const ServiceAccount& account, const Work& work);

  private:
    struct Server;
    struct Slot;
    enum class Pass { first, last_resort };

    Result<void> try_server(Server& server, const ServiceAccount& account, const Work& work);
    Result<void> attempt(Server& server, LdapSession& session, const Work& work);
    std::optional<LdapSession> take_kept(Server& server, const ServiceAccount& account);
    bool begin(Server& server, Pass pass, const ServiceAccount& account);
    void succeeded(Server& server);
    void failed(Server& server, const Error& error, bool refused, const ServiceAccount& account);

    const Options options_;
    const Clock& clock_;
    const Report report_;
    std::mutex mutex_;
    std::condition_variable slot_free_;
    std::size_t slots_taken_ = 0;
    std::vector<std::unique_ptr<Server>> servers_;
};

}  // namespace berth::auth
