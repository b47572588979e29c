#include "migrate/logins.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "migrate/ldap.h"

namespace berth::migrate {

namespace {

// What makes two places ask different users.
constexpr std::array<std::string_view, 7> kIdentity{"authtype",
                                                    "authuserfile",
                                                    "authgroupfile",
                                                    "authbasicprovider",
                                                    "authldapurl",
                                                    "authldapgroupattribute",
                                                    "authldapgroupattributeisdn"};

std::string value_of(const std::map<std::string, const Directive*>& auth, std::string_view key) {
    const auto it = auth.find(std::string(key));
    if (it == auth.end()) return key == "authbasicprovider" ? "file" : "";
    return join(it->second->words, " ");
}

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == text.npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

}  // namespace

std::optional<SplitDn> split_dn(std::string_view dn) {
    const auto comma = dn.find(',');
    const auto first = dn.substr(0, comma);
    const auto equals = first.find('=');
    if (equals == first.npos || dn.find_first_of("\\\"#<>;") != dn.npos || first.contains('+')) {
        return std::nullopt;
    }
    SplitDn split{lower_case(trimmed(first.substr(0, equals))), trimmed(first.substr(equals + 1)),
                  comma == dn.npos ? std::string() : trimmed(dn.substr(comma + 1))};
    if (split.attribute.empty() || split.value.empty()) return std::nullopt;
    return split;
}

Logins::Logins(Site& site, const Effective& primary) : site_(site), auth_(primary.auth) {
    read_type();
    if (basic_) read_providers();
    if (const auto* groups = find("authgroupfile")) {
        if (groups->word(0) == "/dev/null") {
            site_.report.needless(*groups, "an empty file: there are no groups");
        } else {
            group_file_ = site_.path(groups->word(0));
        }
    }
}

const Directive* Logins::find(std::string_view key) const {
    const auto it = auth_.find(std::string(key));
    return it == auth_.end() ? nullptr : it->second;
}

std::string Logins::user_file() const {
    return by_file_ ? site_.path(find("authuserfile")->word(0)) : std::string();
}

void Logins::read_type() {
    const auto* type = find("authtype");
    if (!type) return;
    const auto word = lower_case(type->word(0));
    basic_ = word == "basic";
    if (basic_) {
        site_.report.carried(*type, "Berth asks for HTTP Basic, as registry clients expect");
    } else if (word == "none") {
        site_.report.needless(*type, "nobody is asked for a password");
    } else {
        site_.report.lost(*type,
                          "Berth asks for HTTP Basic, tokens or certificates; users of this "
                          "kind do not log in. Make a password file (berth user add) or "
                          "name a directory in auth.ldap");
    }
}

void Logins::read_providers() {
    const auto* providers = find("authbasicprovider");
    if (providers == nullptr) {
        by_file_ = find("authuserfile") != nullptr;
        return;
    }
    for (const auto& word : providers->words) {
        if (word == "file") {
            by_file_ = find("authuserfile") != nullptr;
        } else if (word == "ldap") {
            by_directory_ = find("authldapurl") != nullptr;
        } else if (word == "socache") {
            site_.report.needless(*providers, "Berth remembers passwords that were right");
        } else {
            site_.report.lost(*providers, "users of the provider " + word +
                                              " do not log in; Berth has password files and LDAP");
        }
    }
    if (by_file_ && by_directory_) {
        site_.report.lost(*providers,
                          "for a user who is in both, either password counts with "
                          "Berth, whatever the order; take such users out of the file");
    }
    if (!site_.report.has(*providers)) {
        site_.report.carried(*providers, by_directory_ ? "auth.ldap" : "auth.htpasswd");
    }
}

bool Logins::hold_at(const Effective& place, const Directive& line) {
    if (!has_users()) {
        site_.report.lost(line,
                          "there is no AuthType Basic with users that Berth knows, so "
                          "nobody is let in by it");
        return false;
    }
    for (const auto key : kIdentity) {
        if (value_of(place.auth, key) == value_of(auth_, key)) continue;
        site_.report.lost(line,
                          "users and groups come from elsewhere here, and Berth has one "
                          "place for them: nobody is let in by it. Bring them together, and "
                          "write the rule into the policy");
        return false;
    }
    return true;
}

std::optional<std::string> Logins::file_group(const Directive& line, const std::string& name) {
    if (!has_group_file()) {
        site_.report.lost(line, "no AuthGroupFile names the users of " + name +
                                    ", so nobody is let in by it, as with Apache");
        return std::nullopt;
    }
    for (const auto& [known, dn] : directory_groups_) {
        if (known != name) continue;
        site_.report.lost(line,
                          "the directory has a group of this name, too: nobody is let in by "
                          "this line; rename one of them");
        return std::nullopt;
    }
    file_groups_.insert(name);
    return "group:" + name;
}

std::optional<std::string> Logins::directory_group(const Directive& line, std::string_view dn) {
    const auto parts = split_dn(dn);
    if (!by_directory_ || !parts || parts->parent.empty()) {
        site_.report.lost(line, by_directory_ ? "this name is not understood; nobody is let in by "
                                                "it"
                                              : "AuthBasicProvider names no directory; nobody is "
                                                "let in by it");
        return std::nullopt;
    }
    const auto known = directory_groups_.find(parts->value);
    const bool taken = known != directory_groups_.end() && !equal_ignoring_case(known->second, dn);
    if (taken || file_groups_.contains(parts->value) ||
        (!group_attribute_.empty() && group_attribute_ != parts->attribute)) {
        site_.report.lost(line,
                          "Berth calls groups by one attribute, which does not tell this one "
                          "from another; nobody is let in by it");
        return std::nullopt;
    }
    group_attribute_ = parts->attribute;
    directory_groups_.emplace(parts->value, dn);
    return "group:" + parts->value;
}

void Logins::write() {
    if (by_file_) write_file();
    if (by_directory_) {
        write_ldap(site_, auth_);
        write_directory_groups();
    }
    if (has_users() && has_group_file()) {
        site_.config.set({"auth", "groups", "path"}, group_file_);
        site_.report.carried(*find("authgroupfile"), "auth.groups.path");
    }
    if (const auto* name = find("authname"); name && has_users()) {
        const auto realm = join(name->words, " ");
        site_.config.set({"auth", by_file_ ? "htpasswd" : "ldap", "realm"}, realm);
        site_.report.carried(*name, by_file_ ? "auth.htpasswd.realm" : "auth.ldap.realm");
    }
    if (const auto* directive = find("authbasicauthoritative")) {
        if (equal_ignoring_case(directive->word(0), "off")) {
            site_.report.lost(*directive, "no other module of Apache is asked");
        } else {
            site_.report.needless(*directive, "always so");
        }
    }
    if (const auto* directive = find("authzsendforbiddenonfailure")) {
        site_.report.needless(*directive, "who may not is answered 403 by Berth");
    }
}

void Logins::write_file() {
    const auto* file = find("authuserfile");
    site_.config.set({"auth", "htpasswd", "realm"}, "Docker Registry");
    site_.config.set({"auth", "htpasswd", "path"}, site_.path(file->word(0)));
    site_.report.carried(*file, "auth.htpasswd.path, every kind of hash that htpasswd writes");
}

// Only the groups that the site names, as Apache compares no others.
void Logins::write_directory_groups() {
    if (directory_groups_.empty()) return;
    auto parent = split_dn(directory_groups_.begin()->second)->parent;
    std::string filter;
    for (const auto& [name, dn] : directory_groups_) {
        const auto other = split_dn(dn)->parent;
        while (!parent.empty() && !equal_ignoring_case(other, parent) &&
               !lower_case(other).ends_with("," + lower_case(parent))) {
            const auto comma = parent.find(',');
            parent = comma == std::string::npos ? "" : trimmed(parent.substr(comma + 1));
        }
        filter += "(" + group_attribute_ + "=" + escape_filter(name) + ")";
    }
    write_ldap_groups(
        site_, auth_,
        {parent, group_attribute_, directory_groups_.size() > 1 ? "(|" + filter + ")" : filter});
}

}  // namespace berth::migrate
