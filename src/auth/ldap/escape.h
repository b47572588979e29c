// Values as parts of LDAP filters (RFC 4515) and of distinguished names (RFC 4514), and back: what
// a user typed can neither end a filter nor add a part to a name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {

// `value` as an assertion value: `*`, `(`, `)`, `\` and control characters as \XX.
std::string escape_filter_value(std::string_view value);
// nullopt for what is no escaped value: a malformed escape, or a special character that stands
// bare.
std::optional<std::string> unescape_filter_value(std::string_view text);

// Is this a filter (RFC 4515) in parentheses, nested no deeper than a server would take?
bool is_filter(std::string_view text);

// `uid`, `memberUid;lang-de`, `1.2.840.113556.1.4.656`.
bool is_attribute(std::string_view text);
// An attribute, or one with a matching rule: `member:1.2.840.113556.1.4.1941:`.
bool is_match(std::string_view text);

// `value` as an attribute's value in a name.
std::string escape_dn_value(std::string_view value);

// One part of a name: `cn=admins`.
struct Rdn {
    std::string attribute;
    std::string value;  // unescaped
};
// The first part of a name (of a part with several values the first). nullopt for what is no name,
// and for the empty name.
std::optional<Rdn> first_rdn(std::string_view dn);

}  // namespace berth::auth
