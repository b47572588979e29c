// Directory: users and groups of an LDAP directory, by libldap (RFC 4511 to 4516).
//
// A name becomes an entry by a search with the service account, or by a template; the password is
// then proved by a bind as that entry. Names are escaped (RFC 4515, RFC 4514), so that they cannot
// change the question. An empty password never binds: servers take it as an anonymous bind that
// succeeds (RFC 4513, 5.1.2).
//
// An identity's name is what the entry says, not what was typed: a directory takes `Alice`, `ALICE`
// and ` alice` for one user, and a rule about `alice` must mean each of them. It is the attribute's
// value in the entry's name, or else its first value in order.
//
// What cannot be known (no server answers, one refuses the service account or the search, a user
// has more groups than a limit allows) is Errc::unavailable: neither a wrong password, nor a login
// without the groups that a rule may deny.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verifier.h"
#include "base/clock.h"

namespace berth::auth {

// Apache's AuthLDAPURL: `ldap[s]://host[:port] [host2[:port]…]/base?attribute?scope?filter`. The
// scope `base` is refused, which Apache takes for `sub`.
struct LdapUrl {
    std::vector<std::string> servers;  // ldap[s]://host:port, asked in this order
    std::string base;
    std::string attribute = "uid";
    enum class Scope { one, subtree } scope = Scope::subtree;
    std::string filter = "(objectClass=*)";

    // Errc::invalid says what is wrong.
    static Result<LdapUrl> parse(std::string_view text);
};

struct LdapOptions {
    LdapUrl url;
    bool start_tls = false;
    std::string ca;      // PEM file; empty: the system's authorities
    bool verify = true;  // the server's certificate
    // The service account that searches. Without one searches are anonymous, and what belongs to a
    // login is read as the user.
    std::string bind_dn;
    std::string bind_password;
    std::string bind_password_file;  // instead; read anew when it changes
    // Binds straight as this entry, in which {user} stands for the name, and then reads it: it must
    // fit the URL's filter. Empty: search first.
    std::string user_dn;

    // Groups: names in an attribute of the user's own entry, and by a search for groups that name
    // the user. A group is called by `name_attribute`, or by the first part of its distinguished
    // name where that is all that is known. Groups within groups are found by the search, or
    // without one by the same attribute of the group.
    struct Groups {
        std::string own_attribute;  // memberOf; empty: not asked
        std::string base;           // empty: no search
        std::string filter =
            "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
            "(objectClass=posixGroup))";
        // memberUid holds the user's uid, all others a distinguished name. A matching rule may
        // follow: `member:1.2.840.113556.1.4.1941:`.
        std::vector<std::string> member_attributes{"member", "uniqueMember", "memberUid"};
        std::string name_attribute = "cn";
        std::size_t depth = 5;  // how many groups may stand between a user and a group; 0: none
    } groups;

    std::chrono::milliseconds connect_timeout{3'000};  // TCP, then TLS
    std::chrono::milliseconds timeout{5'000};          // of one operation
    std::size_t connections = 8;                       // at once, to all servers
    std::chrono::seconds remember{600};                // a login; and what groups it has
    std::chrono::seconds grace{3600};                  // after that, while no server answers
};

// `report` gets sentences for the log: a server that does not answer, once until it does again, and
// that; what a server refuses. Does not connect yet. Errc::invalid for options that make no sense,
// or the error of a file that cannot be read.
Result<std::unique_ptr<Verifier>> make_directory(LdapOptions options, const Clock& clock,
                                                 std::function<void(const Error&)> report);

}  // namespace berth::auth
