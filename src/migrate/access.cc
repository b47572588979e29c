// Who may do what: the sections of the site, as Berth's policy, and the section auth.
#include <algorithm>
#include <array>
#include <list>
#include <optional>

#include "base/text.h"
#include "migrate/logins.h"
#include "migrate/regions.h"
#include "migrate/requirements.h"
#include "migrate/rules.h"
#include "migrate/scope.h"
#include "migrate/site.h"

namespace berth::migrate {

namespace {

constexpr std::array<std::string_view, 4> kFileSections{"<directory", "<directorymatch", "<files",
                                                        "<filesmatch"};

void report_all(const Directive& section, Fate fate, const std::string& text, Report& report) {
    report.add(section, fate, text);
    for (const auto& child : section.children)
        report_all(child, fate, text, report);
}

std::vector<const Directive*> pointers(const std::vector<Directive>& directives) {
    std::vector<const Directive*> pointers;
    for (const auto& directive : directives)
        pointers.push_back(&directive);
    return pointers;
}

bool asks_anything(const Place& place) {
    return place.has_requirements || place.hosts || !place.unknown.empty() || !place.auth.empty();
}

class Access {
  public:
    explicit Access(Site& site) : site_(site) {}

    void translate();

  private:
    Effective everywhere();
    void apply_section(const Directive& section, Regions& regions);
    Scope scope_of(const Directive& section) const;
    void choose_logins(const Regions& regions);
    std::optional<Who> meaning(const Directive& line, const std::vector<std::string>& words,
                               std::string_view arguments, const Question& question);
    std::optional<Who> users(const Directive& line, const std::vector<std::string>& words,
                             const Question& question);
    std::optional<Who> groups(const Directive& line, const std::vector<std::string>& words,
                              std::string_view arguments, const Question& question);
    std::optional<Who> addresses(const Directive& line, const std::vector<std::string>& words,
                                 const Question& question);
    std::optional<Who> fixed(const Directive& line, bool fits, const Question& question);
    std::optional<Who> unsaid(const Directive& line, std::string text);
    void write(const std::vector<PolicyRule>& rules, bool has_own_auth);
    void set_aside_registry_auth();

    Site& site_;
    std::list<Place> places_;
    std::optional<Logins> logins_;
    // Where what is about no single line is reported.
    const Directive* about_ = nullptr;
    bool conflict_ = false;
};

// The server itself, the virtual host, and what is behind it (<Proxy>).
Effective Access::everywhere() {
    std::vector<const Directive*> plain;
    for (const auto* directive : site_.directives) {
        if (!directive->is_section()) plain.push_back(directive);
    }
    Effective effective;
    auto& server = places_.emplace_back(read_place(nullptr, plain, site_.report));
    if (site_.config.find({"http", "tls", "clientcas"})) {
        for (const auto* key : {"sslcarevocationfile", "sslcarevocationpath"}) {
            for (const auto* directive : site_.all(key))
                server.unknown.push_back(directive);
        }
    }
    effective.apply(server);
    for (const auto* key : {"<proxy", "<proxymatch"}) {
        for (const auto* section : site_.all(key)) {
            auto& place = places_.emplace_back(
                read_place(section, pointers(section->children), site_.report));
            effective.apply(place);
            site_.report.carried(*section, "counts for all of the registry");
        }
    }
    return effective;
}

Scope Access::scope_of(const Directive& section) const {
    if (section.key == "<if") return {};
    const bool expression = section.key == "<locationmatch" || section.word(0) == "~";
    const auto text = section.word(section.word(0) == "~" ? 1 : 0);
    return expression ? scope_of_expression(text, site_.prefix) : scope_of_path(text, site_.prefix);
}

void Access::apply_section(const Directive& section, Regions& regions) {
    const auto scope = scope_of(section);
    if (scope.kind == Scope::Kind::nothing) {
        report_all(section, Fate::needless, "not a path of repositories", site_.report);
        return;
    }
    auto& place =
        places_.emplace_back(read_place(&section, pointers(section.children), site_.report));
    if (!asks_anything(place)) {
        site_.report.needless(section, "it asks nothing of callers");
        return;
    }
    if (!about_) about_ = &section;
    const bool exact = regions.apply(place, scope);
    std::vector<std::string> where;
    for (const auto& prefix : scope.repositories)
        where.push_back(prefix.patterns().front());
    if (scope.catalog) where.push_back("the catalog");
    if (!exact) {
        site_.report.lost(section,
                          "it overlaps another section in a way that rules cannot say: "
                          "nobody is let in where both apply");
    } else if (scope.kind == Scope::Kind::unknown) {
        site_.report.lost(section,
                          "it cannot be told which repositories this is about, so callers "
                          "must be let in both with it and without it");
    } else {
        site_.report.carried(
            section, "in the policy" + (where.empty() ? std::string() : ": " + join(where, ", ")));
    }
}

void Access::choose_logins(const Regions& regions) {
    const Effective* primary = nullptr;
    const auto look = [&](const Worlds& worlds) {
        for (const auto& world : worlds) {
            const auto type = world.auth.find("authtype");
            const bool asks =
                type != world.auth.end() && !equal_ignoring_case(type->second->word(0), "none");
            if (asks && !primary) primary = &world;
        }
    };
    for (const auto& region : regions.repositories())
        look(region.worlds);
    look(regions.catalog());
    logins_.emplace(site_, primary ? *primary : regions.repositories().front().worlds.front());
}

std::optional<Who> Access::unsaid(const Directive& line, std::string text) {
    site_.report.lost(line, std::move(text));
    return std::nullopt;
}

std::optional<Who> Access::fixed(const Directive& line, bool fits, const Question& question) {
    site_.report.carried(line, "in the policy");
    return fits != question.negated ? Who::everyone() : Who::nobody();
}

std::optional<Who> Access::users(const Directive& line, const std::vector<std::string>& words,
                                 const Question& question) {
    if (!logins_->hold_at(question.place, line)) return std::nullopt;
    if (words[0] == "valid-user") {
        site_.report.carried(line, "in the policy: authenticated");
        return question.negated ? Who::not_subject("authenticated") : Who::subject("authenticated");
    }
    auto who = question.negated ? Who::everyone() : Who::nobody();
    std::vector<std::string> names;
    bool narrowed = false;
    for (std::size_t i = 1; i < words.size(); ++i) {
        if (words[i].contains("%{")) {
            return unsaid(line, "expressions are not understood; nobody is let in by it");
        }
        names.push_back("user:" + words[i]);
        who = question.negated ? who.both(Who::not_subject(names.back()), narrowed)
                               : who | Who::subject(names.back());
    }
    site_.report.carried(line, "in the policy: " + join(names, ", "));
    return who;
}

std::optional<Who> Access::groups(const Directive& line, const std::vector<std::string>& words,
                                  std::string_view arguments, const Question& question) {
    if (!logins_->hold_at(question.place, line)) return std::nullopt;
    if (arguments.contains("%{")) {
        return unsaid(line, "expressions are not understood; nobody is let in by it");
    }
    std::vector<std::optional<std::string>> subjects;
    if (words[0] == "ldap-group") {
        auto dn = arguments.substr(std::min(arguments.find(' ') + 1, arguments.size()));
        while (dn.starts_with(' ') || dn.starts_with('"'))
            dn.remove_prefix(1);
        while (dn.ends_with(' ') || dn.ends_with('"'))
            dn.remove_suffix(1);
        subjects.push_back(logins_->directory_group(line, dn));
    } else {
        for (std::size_t i = 1; i < words.size(); ++i)
            subjects.push_back(logins_->file_group(line, words[i]));
    }
    auto who = question.negated ? Who::everyone() : Who::nobody();
    std::vector<std::string> names;
    bool narrowed = false;
    for (const auto& subject : subjects) {
        if (!subject && question.negated) return std::nullopt;
        if (!subject) continue;
        names.push_back(*subject);
        who = question.negated ? who.both(Who::not_subject(*subject), narrowed)
                               : who | Who::subject(*subject);
    }
    if (!names.empty()) site_.report.carried(line, "in the policy: " + join(names, ", "));
    return who;
}

std::optional<Who> Access::addresses(const Directive& line, const std::vector<std::string>& words,
                                     const Question& question) {
    AddressSet set;
    if (words[0] == "local") {
        set = AddressSet::parse("127.0.0.0/8")->united(*AddressSet::parse("::1"));
    }
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto network = AddressSet::parse(words[i]);
        if (network) set = set.united(*network);
        if (!network && question.negated) {
            return unsaid(line, "\"" + words[i] + "\" is no address or network");
        }
        if (!network)
            unsaid(line, "\"" + words[i] +
                             "\" is no address or network; nobody is let "
                             "in by it");
    }
    site_.report.carried(line, "in the policy: " + join(set.networks(), ", "));
    return Who::from(question.negated ? set.complement() : set);
}

std::optional<Who> Access::meaning(const Directive& line, const std::vector<std::string>& words,
                                   std::string_view arguments, const Question& question) {
    const auto provider = lower_case(words[0]);
    const auto second = words.size() > 1 ? lower_case(words[1]) : std::string();
    if (provider == "all") return fixed(line, second == "granted", question);
    if (provider == "ssl" && site_.tls) return fixed(line, true, question);
    if (provider == "method") {
        bool fits = false;
        for (std::size_t i = 1; i < words.size(); ++i)
            fits = fits || (methods_named(words[i]) & bit(question.method)) != 0;
        return fixed(line, fits, question);
    }
    if (provider == "ssl-verify-client") {
        const auto* mode = site_.config.find({"http", "tls", "clientauth"});
        if (mode && mode->text == "require-and-verify-client-cert") {
            return fixed(line, true, question);
        }
    }
    if (conflict_ && (provider.ends_with("user") || provider.ends_with("group"))) {
        return unsaid(line,
                      "the registry asks for a password of its own, too (its auth), and "
                      "Berth cannot ask for both: nobody is let in by it. Keep one of them");
    }
    if (provider == "valid-user" || provider == "user") return users(line, words, question);
    if (provider == "ldap-user" && !question.negated) return users(line, words, question);
    if (provider == "group" || provider == "ldap-group") {
        return groups(line, words, arguments, question);
    }
    if (provider == "ip" || provider == "local") return addresses(line, words, question);
    if (provider == "host" || provider == "forward-dns") {
        return unsaid(line,
                      "rules know addresses, not names of hosts: nobody is let in by it; "
                      "write Require ip, or addresses into the policy");
    }
    if (provider == "ldap-filter" || provider == "ldap-attribute" || provider == "ldap-search" ||
        provider == "ldap-dn") {
        return unsaid(line,
                      "nobody is let in by it; make a group of those users in the directory, "
                      "or put the filter into auth.ldap.url if it counts for everybody");
    }
    return unsaid(line,
                  "Berth's rules know no such thing: nobody is let in by it; write what is "
                  "meant into the policy");
}

// The registry may have had a password file of its own behind the site.
void Access::set_aside_registry_auth() {
    const auto* own = site_.config.find({"auth"});
    const auto* path = site_.config.find({"auth", "htpasswd", "path"});
    if (!own || !logins_->has_users()) return;
    const bool same_file = path && own->children.size() == 1 && logins_->user_file() == path->text;
    conflict_ = !same_file;
    if (same_file) site_.config.root().erase("auth");
}

void Access::write(const std::vector<PolicyRule>& rules, bool has_own_auth) {
    const auto is_open = [&](const PolicyRule& rule) {
        return !rule.deny && rule.repositories.empty() && rule.addresses.empty() &&
               rule.actions.size() == 4 &&
               rule.subjects.front() == (has_own_auth ? "authenticated" : "everyone");
    };
    // Then Berth without a policy says the same.
    if (rules.size() == 1 && is_open(rules.front())) return;
    auto& policy = site_.config.at({"policy"});
    policy = {};
    policy.key = "policy";
    policy.kind = YamlValue::Kind::list;
    for (const auto& rule : rules) {
        YamlValue item;
        const auto put = [&](const char* key, YamlValue value) {
            value.key = key;
            item.member(key) = std::move(value);
        };
        put("name", YamlValue::of(rule.name));
        if (rule.deny) put("effect", YamlValue::of(std::string("deny")));
        put("subjects", YamlValue::of(rule.subjects));
        put("actions", YamlValue::of(rule.actions));
        if (!rule.repositories.empty()) put("repositories", YamlValue::of(rule.repositories));
        if (!rule.addresses.empty()) put("addresses", YamlValue::of(rule.addresses));
        policy.children.push_back(std::move(item));
    }
}

void Access::translate() {
    Regions regions(everywhere());
    for (const auto* section : site_.directives) {
        if (section->key == "<location" || section->key == "<locationmatch" ||
            section->key == "<if") {
            apply_section(*section, regions);
        } else if (std::ranges::count(kFileSections, section->key) > 0) {
            report_all(*section, Fate::needless, "about files, not about what is passed on",
                       site_.report);
        }
    }
    const Directive nowhere;
    if (!about_) about_ = site_.host ? site_.host : &nowhere;

    choose_logins(regions);
    set_aside_registry_auth();
    const bool has_own_auth = site_.config.find({"auth"}) != nullptr;
    const Meaning meaning = [this](const Directive& line, const std::vector<std::string>& words,
                                   std::string_view arguments, const Question& question) {
        return this->meaning(line, words, arguments, question);
    };
    auto rules =
        make_rules(regions, meaning, has_own_auth ? Who::subject("authenticated") : Who::everyone(),
                   *about_, site_.report);
    // A policy must have a rule, also one that lets nobody in.
    if (rules.empty()) {
        rules.push_back({"nobody may do anything",
                         true,
                         {"everyone"},
                         {"pull", "push", "delete", "catalog"},
                         {},
                         {}});
    }
    if (!conflict_) logins_->write();
    write(rules, has_own_auth);
}

}  // namespace

void translate_access(Site& site) {
    Access(site).translate();
}

}  // namespace berth::migrate
