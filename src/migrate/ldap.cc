#include "migrate/ldap.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace berth::migrate {

namespace {

constexpr std::string_view kPasswordFile = "/etc/berth/ldap-password";

class Writer {
  public:
    Writer(Site& site, const AuthDirectives& auth) : site_(site), auth_(auth) {}

    void write() {
        write_url();
        write_account();
        write_initial_bind();
        write_tls();
        write_times();
        write_unsaid();
    }

  private:
    const Directive* find(const std::string& key) const {
        const auto it = auth_.find(key);
        return it == auth_.end() ? nullptr : it->second;
    }
    void set(std::string_view name, std::string text) {
        site_.config.set({"auth", "ldap", name}, std::move(text));
    }
    void carried(const Directive& directive, const std::string& name) {
        site_.report.carried(directive, "auth.ldap." + name);
    }

    void write_url();
    void write_account();
    void write_initial_bind();
    void write_tls();
    void write_times();
    void write_unsaid();
    bool has_filter() const;

    Site& site_;
    const AuthDirectives& auth_;
};

void Writer::write_url() {
    const auto& directive = *find("authldapurl");
    std::string url(directive.word(0));
    auto mode = lower_case(directive.word(1));
    const auto* trusted = find("ldaptrustedmode");
    if (mode.empty() && trusted) mode = lower_case(trusted->word(0));
    if (trusted) site_.report.carried(*trusted, "auth.ldap.url, auth.ldap.starttls");
    if (mode == "ssl" && lower_case(url).starts_with("ldap://")) url.replace(0, 4, "ldaps");
    set("url", url);
    if (mode == "tls" || mode == "starttls") set("starttls", "true");
    // Apache lets nobody in while the directory does not answer.
    set("grace", "0s");
    site_.report.carried(directive,
                         "auth.ldap.url; auth.ldap.grace: 0s, as Apache lets nobody in "
                         "while no directory answers: raise it to bridge an outage");
}

void Writer::write_account() {
    if (const auto* account = find("authldapbinddn")) {
        set("binddn", join(account->words, " "));
        carried(*account, "binddn");
    }
    const auto* password = find("authldapbindpassword");
    if (!password) return;
    if (password->word(0).starts_with("exec:")) {
        set("bindpasswordfile", std::string(kPasswordFile));
        site_.report.lost(*password, "Berth runs no program: write what it says to " +
                                         std::string(kPasswordFile) +
                                         " (mode 0600), where auth.ldap.bindpasswordfile looks");
        return;
    }
    set("bindpassword", std::string(password->word(0)));
    site_.report.carried(*password,
                         "auth.ldap.bindpassword; better a file of its own, "
                         "auth.ldap.bindpasswordfile");
}

// The URL's filter, beyond the default, decides who is a user.
bool Writer::has_filter() const {
    const auto url = find("authldapurl")->word(0);
    std::size_t at = 0;
    for (int mark = 0; mark < 3; ++mark) {
        at = url.find('?', at);
        if (at == url.npos) return false;
        ++at;
    }
    const auto filter = lower_case(url.substr(at));
    return !filter.empty() && filter != "(objectclass=*)" && filter != "objectclass=*";
}

// `(.+) uid=$1,ou=people,dc=example,dc=org`
void Writer::write_initial_bind() {
    const auto* as_user = find("authldapinitialbindasuser");
    const auto* pattern = find("authldapinitialbindpattern");
    if (!as_user || equal_ignoring_case(as_user->word(0), "off")) {
        for (const auto* directive : {as_user, pattern}) {
            if (directive) site_.report.needless(*directive, "not in force");
        }
        return;
    }
    auto dn = pattern ? std::string(pattern->word(1)) : std::string();
    const auto expression = pattern ? pattern->word(0) : std::string_view();
    const bool whole = expression == "(.+)" || expression == "^(.+)$" || expression == "(.*)" ||
                       expression == "^(.*)$";
    const auto place = dn.find("$1");
    const bool is_dn = place != std::string::npos && dn.find('$', place + 1) == std::string::npos &&
                       dn.contains('=') && !dn.contains('{');
    if (whole && is_dn && !has_filter()) {
        dn.replace(place, 2, "{user}");
        set("userdn", dn);
        site_.report.carried(*as_user, "auth.ldap.userdn");
        site_.report.carried(*pattern, "auth.ldap.userdn: " + dn);
        return;
    }
    for (const auto* directive : {as_user, pattern}) {
        if (!directive) continue;
        site_.report.lost(*directive,
                          "Berth binds as a user straight away only by a "
                          "distinguished name (auth.ldap.userdn), and then without "
                          "the URL's filter; give it an account to search with "
                          "(auth.ldap.binddn)");
    }
}

void Writer::write_tls() {
    if (const auto* trusted = find("ldaptrustedglobalcert")) {
        if (equal_ignoring_case(trusted->word(0), "CA_BASE64")) {
            set("ca", site_.path(trusted->word(1)));
            carried(*trusted, "ca");
        } else {
            site_.report.lost(*trusted,
                              "auth.ldap.ca takes a PEM file: openssl x509 -inform DER "
                              "-in FILE -out FILE.pem");
        }
    }
    if (const auto* verify = find("ldapverifyservercert")) {
        if (equal_ignoring_case(verify->word(0), "off")) {
            set("verify", "false");
            site_.report.carried(*verify,
                                 "auth.ldap.verify: false; anybody between here and the "
                                 "directory can read passwords. Name its authority in "
                                 "auth.ldap.ca instead");
        } else {
            site_.report.needless(*verify, "always so");
        }
    }
}

void Writer::write_times() {
    constexpr std::array<std::array<const char*, 2>, 3> kTimes{
        {{"ldapconnectiontimeout", "connecttimeout"},
         {"ldaptimeout", "timeout"},
         {"ldapcachettl", "remember"}}};
    for (const auto& [key, name] : kTimes) {
        const auto* directive = find(key);
        if (!directive) continue;
        const auto word = directive->word(0);
        unsigned long seconds = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
        if (error != std::errc() || end != word.data() + word.size() || seconds == 0) {
            site_.report.lost(*directive, std::string("auth.ldap.") + name + " has its default");
            continue;
        }
        set(name, std::string(word) + "s");
        carried(*directive, name);
    }
    if (const auto* operations = find("ldapopcachettl")) {
        site_.report.needless(*operations,
                              "groups are remembered as long as the login is: "
                              "auth.ldap.remember");
    }
}

void Writer::write_unsaid() {
    if (const auto* name = find("authldapremoteuserattribute")) {
        site_.report.lost(*name, "users are called as they log in; rules and logs name that");
    }
    if (const auto* name = find("authldapremoteuserisdn");
        name && equal_ignoring_case(name->word(0), "on")) {
        site_.report.lost(*name, "users are called as they log in; rules and logs name that");
    }
    if (const auto* client = find("ldaptrustedclientcert")) {
        site_.report.lost(*client,
                          "Berth shows the directory no certificate; give it an account "
                          "(auth.ldap.binddn)");
    }
    if (const auto* authoritative = find("authldapbindauthoritative")) {
        site_.report.needless(*authoritative, "the password file is asked in any case");
    }
    for (const auto& [key, directive] : auth_) {
        if (!key.starts_with("ldap") && !key.starts_with("authldap")) continue;
        if (site_.report.has(*directive) || key.contains("group")) continue;
        site_.report.needless(*directive,
                              "Berth has its own way with connections, caches, aliases "
                              "and referrals");
    }
}

}  // namespace

std::string escape_filter(std::string_view value) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string escaped;
    for (const char c : value) {
        if (std::string_view("*()\\").contains(c) || c == '\0') {
            const auto byte = static_cast<unsigned char>(c);
            escaped += {'\\', kDigits[byte >> 4], kDigits[byte & 15]};
        } else {
            escaped += c;
        }
    }
    return escaped;
}

void write_ldap(Site& site, const AuthDirectives& auth) {
    Writer(site, auth).write();
}

void write_ldap_groups(Site& site, const AuthDirectives& auth, const LdapGroups& groups) {
    const auto find = [&](const std::string& key) -> const Directive* {
        const auto it = auth.find(key);
        return it == auth.end() ? nullptr : it->second;
    };
    site.config.set({"auth", "ldap", "groups", "base"}, groups.base);
    site.config.set({"auth", "ldap", "groups", "name"}, groups.attribute);

    std::vector<std::string> members{"member", "uniqueMember"};
    if (const auto* attribute = find("authldapgroupattribute")) {
        members = {std::string(attribute->word(0))};
        site.report.carried(*attribute, "auth.ldap.groups.members");
    }
    site.config.set({"auth", "ldap", "groups", "members"}, members);
    if (const auto* is_dn = find("authldapgroupattributeisdn")) {
        site.report.needless(*is_dn, "members may be named either way");
    }

    // Apache looks into no group of groups unless it is told to.
    std::string depth = "0";
    if (const auto* most = find("authldapmaxsubgroupdepth")) {
        const auto word = most->word(0);
        if (!word.empty() && word.find_first_not_of("0123456789") == word.npos) depth = word;
        site.report.carried(*most, "auth.ldap.groups.depth");
    }
    site.config.set({"auth", "ldap", "groups", "depth"}, depth);
    // Groups between a user and a group that is asked for must be found, too.
    if (depth == "0") site.config.set({"auth", "ldap", "groups", "filter"}, groups.filter);
    for (const auto* key : {"authldapsubgroupattribute", "authldapsubgroupclass"}) {
        if (const auto* directive = find(key)) {
            site.report.lost(*directive,
                             "groups within groups are named by "
                             "auth.ldap.groups.members, and found by its filter");
        }
    }
}

}  // namespace berth::migrate
