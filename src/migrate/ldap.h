// The directory: mod_authnz_ldap and mod_ldap, as auth.ldap.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "migrate/site.h"

namespace berth::migrate {

using AuthDirectives = std::map<std::string, const Directive*>;

// What is in force, by name; there is an AuthLDAPURL.
void write_ldap(Site& site, const AuthDirectives& auth);

struct LdapGroups {
    std::string base;
    std::string attribute;  // that names a group
    std::string filter;     // finds those that the site asks for
};
void write_ldap_groups(Site& site, const AuthDirectives& auth, const LdapGroups& groups);

// RFC 4515.
std::string escape_filter(std::string_view value);

}  // namespace berth::migrate
