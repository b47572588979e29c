// Who is asking, and how they proved it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace berth::auth {

class Grants;

// A value. The anonymous identity has an empty name.
struct Identity {
    // Names of one kind say nothing about those of another: a robot that happens to have a user's
    // name is not that user.
    enum class Kind { user, robot, oidc };

    std::string name = {};
    std::vector<std::string> groups = {};
    std::string proof =
        {};  // how: none, htpasswd, ldap, token, bearer, certificate, oidc; for the logs
    Kind kind = Kind::user;

    // Of an OIDC identity: the provider's name in the configuration, and the token's claims that
    // are texts, numbers or booleans. Rules ask for them (`oidc:github repo=org/app`).
    std::string provider = {};
    std::map<std::string, std::string, std::less<>> claims = {};

    // The id of the access token that it was proved by; what is issued for it ends with it.
    std::string credential = {};
    // What the credential itself is limited to; the policy must allow it as well. Null: no limit.
    std::shared_ptr<const Grants> grants = nullptr;

    bool anonymous() const { return name.empty(); }
};

}  // namespace berth::auth
