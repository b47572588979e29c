// LDAP: no URL crashes its parser, and what is read of one reads the same again; no name that a
// user types gets out of the filter or of the distinguished name it is put in.
#include <algorithm>

#include "auth/ldap/directory.h"
#include "auth/ldap/escape.h"
#include "base/encoding.h"
#include "fuzz/fuzz.h"

using namespace berth;

namespace {

void check_url(std::string_view text) {
    const auto url = auth::LdapUrl::parse(text);
    if (!url) {
        fuzz::must(url.error().code == Errc::invalid, "a bad URL is invalid");
        return;
    }
    fuzz::must(!url->servers.empty(), "a URL has a server");
    fuzz::must(auth::is_filter(url->filter), "a URL has a filter");
    fuzz::must(auth::is_attribute(url->attribute), "a URL has an attribute");
    fuzz::must(url->base.empty() || auth::first_rdn(url->base), "a base is a name");
    std::string again = url->servers.front().substr(0, url->servers.front().find("//") + 2);
    for (const std::string& server : url->servers) {
        again += server.substr(server.find("//") + 2) + " ";
    }
    again += "/" + percent_encode(url->base) + "?" + percent_encode(url->attribute) + "?" +
             (url->scope == auth::LdapUrl::Scope::one ? "one" : "sub") + "?" +
             percent_encode(url->filter);
    const auto second = auth::LdapUrl::parse(again);
    // Encoding may make it longer than a URL may be.
    if (!second) fuzz::must(again.size() > 8000, "what was read is a URL");
    if (second) {
        fuzz::must(second->servers == url->servers && second->base == url->base &&
                       second->attribute == url->attribute && second->scope == url->scope &&
                       second->filter == url->filter,
                   "a URL written again is the same");
    }
}

void check_filter(std::string_view text) {
    const std::string escaped = auth::escape_filter_value(text);
    fuzz::must(std::ranges::none_of(escaped,
                                    [](char c) {
                                        return c == '*' || c == '(' || c == ')' || c == '\0' ||
                                               c == '\n' || c == '\r';
                                    }),
               "an escaped value has nothing that means something");
    fuzz::must(auth::unescape_filter_value(escaped) == text, "an escaped value comes back");
    fuzz::must(auth::is_filter("(&(a=b)(uid=" + escaped + "))"), "a value stays within its filter");
    if (const auto value = auth::unescape_filter_value(text)) {
        fuzz::must(auth::unescape_filter_value(auth::escape_filter_value(*value)) == *value,
                   "a value that was read comes back");
    }
    if (auth::is_filter(text)) {
        fuzz::must(std::ranges::count(text, '(') == std::ranges::count(text, ')'),
                   "a filter closes what it opens");
        fuzz::must(auth::is_filter("(!" + std::string(text) + ")") || text.size() > 32 * 3,
                   "a filter can be negated");
    }
}

void check_dn(std::string_view text) {
    const auto rdn = auth::first_rdn(text);
    if (rdn) fuzz::must(!rdn->attribute.empty(), "a part of a name has an attribute");
    if (text.empty()) return;
    const std::string dn = "uid=" + auth::escape_dn_value(text) + ",dc=example";
    const auto first = auth::first_rdn(dn);
    fuzz::must(first.has_value(), "an escaped value makes a name");
    fuzz::must(first->attribute == "uid" && first->value == text,
               "a value is one part of its name, and comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    check_url(text);
    check_url("ldap://host/" + std::string(text));
    check_filter(text);
    check_dn(text);
    return 0;
}
