// The groups of a user: in an attribute of the own entry, by a search for groups that name it, and
// the groups that those are in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "auth/ldap/connection.h"
#include "auth/ldap/directory.h"
#include "base/result.h"

namespace berth::auth {

using LdapAsk = std::function<Result<std::vector<LdapEntry>>(const LdapSearch&)>;

// What of the user's entry must be read for groups_of().
std::vector<std::string> group_attributes(const LdapOptions::Groups& options);

// Their names, in order, each once. `name` is the user's where the entry has no uid. Cycles end.
// Errc::too_large past a limit: a login without all of its groups would be one that no rule meant.
Result<std::vector<std::string>> groups_of(const LdapEntry& user, const std::string& name,
                                           const LdapOptions::Groups& options, const LdapAsk& ask);

}  // namespace berth::auth
