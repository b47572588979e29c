// Goal: nobody may do with the written policy what Apache did not let them do; and where the report
// speaks of no loss, whatever Apache allowed is allowed. Method: random sites by seed, decided both
// by Berth's policy and by a model of mod_authz_core and mod_access_compat that decides one request
// at a time. What the migration cannot know (Require env) is true or false by chance.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <regex>

#include "app/config_load.h"
#include "app/policy.h"
#include "base/networks.h"
#include "cli/migrate.h"
#include "unit/migrate/site_files.h"

namespace berth::migrate {
namespace {

constexpr unsigned kSeeds = 1500;
constexpr int kRequestsOfSite = 40;

const std::map<std::string, std::vector<std::string>> kGroups{
    {"alice", {"dev"}}, {"bob", {"dev", "ops"}}, {"carol", {}}, {"jenkins", {"ops"}}};
constexpr std::array<const char*, 5> kUsers{"", "alice", "bob", "carol", "jenkins"};
constexpr std::array<const char*, 4> kAddresses{"10.1.2.3", "10.2.0.1", "192.0.2.9", "2001:db8::1"};
constexpr std::array<const char*, 4> kNetworks{"10.0.0.0/8", "10.1", "192.0.2.0/255.255.255.0",
                                               "2001:db8::/32"};
constexpr std::array<const char*, 6> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr std::array<const char*, 6> kRepositories{"team",  "team/app", "team/app/x",
                                                   "other", "x/public", "teams"};

struct Call {
    std::string method, path, user, address;
    bool env = false;
};

// true: granted, false: denied, nothing: neutral, as nothing there is about the method.
using Verdict = std::optional<bool>;

struct Node {
    std::string kind;  // a Require's provider; all, any, none
    bool negated = false;
    std::vector<std::string> words;
    std::vector<std::string> methods;  // of the <Limit> around it; empty: all
    std::vector<Node> children;

    bool holds(const Call& call) const {
        const auto has = [&](const std::string& word) {
            return std::ranges::count(words, word) > 0;
        };
        if (kind == "granted") return true;
        if (kind == "valid-user") return !call.user.empty();
        if (kind == "user") return has(call.user);
        if (kind == "ip") {
            std::vector<std::string> networks;
            for (const auto& word : words)
                networks.push_back(word == "10.1"         ? "10.1.0.0/16"
                                   : word.contains("255") ? "192.0.2.0/24"
                                                          : word);
            return Networks::parse(networks)->contains(call.address);
        }
        if (kind == "method") return has(call.method);
        if (kind == "env") return call.env;
        if (kind != "group" || call.user.empty()) return false;
        return std::ranges::any_of(kGroups.at(call.user), has);
    }

    Verdict check(const Call& call) const {
        Verdict verdict;
        if (children.empty()) {
            if (!methods.empty() && std::ranges::count(methods, call.method) == 0) return {};
            verdict = holds(call);
        } else {
            const bool all = kind == "all";
            for (const auto& child : children) {
                const auto one = child.check(call);
                if (!one) continue;
                verdict = !verdict ? *one : all ? *verdict && *one : *verdict || *one;
            }
        }
        const bool turned = negated || kind == "none";
        if (!turned || !verdict) return verdict;
        if (*verdict) return false;
        return {};
    }

    bool about(const Call& call) const {
        if (!children.empty()) {
            return std::ranges::any_of(children,
                                       [&](const Node& child) { return child.about(call); });
        }
        return methods.empty() || std::ranges::count(methods, call.method) > 0;
    }

    std::string text() const {
        std::string made;
        if (!methods.empty()) made += "<Limit" + words_of(methods) + ">\n";
        if (children.empty()) {
            made += std::string("Require ") + (negated ? "not " : "") +
                    (kind == "granted" ? "all granted" : kind) + words_of(words) + "\n";
        } else {
            const auto name = kind == "all"   ? "RequireAll"
                              : kind == "any" ? "RequireAny"
                                              : "RequireNone";
            made += std::string("<") + name + ">\n";
            for (const auto& child : children)
                made += child.text();
            made += std::string("</") + name + ">\n";
        }
        if (!methods.empty()) made += "</Limit>\n";
        return made;
    }

    static std::string words_of(const std::vector<std::string>& words) {
        std::string text;
        for (const auto& word : words)
            text += " " + word;
        return text;
    }
};

struct Hosts {
    bool deny_first = true, either = false;
    std::vector<std::pair<bool, std::string>> entries;  // allows, network

    bool allow(const Call& call) const {
        bool allowed = false, denied = false;
        for (const auto& [allows, network] : entries) {
            if (Node{"ip", false, {network}, {}, {}}.holds(call))
                (allows ? allowed : denied) = true;
        }
        return deny_first ? allowed || !denied : allowed && !denied;
    }
    std::string text() const {
        std::string made = deny_first ? "Order deny,allow\n" : "Order allow,deny\n";
        if (either) made += "Satisfy Any\n";
        for (const auto& [allows, network] : entries)
            made += (allows ? "Allow from " : "Deny from ") + network + "\n";
        return made;
    }
};

struct Section {
    std::string header, close;
    std::regex path;
    std::string merging = "Off";
    std::vector<Node> requires_;
    std::optional<Hosts> hosts;
};

class Maker {
  public:
    explicit Maker(unsigned seed) : random_(seed) {}

    std::vector<Section> site() {
        std::vector<Section> sections{section("<Location />", "</Location>", "^/")};
        constexpr std::array<std::array<const char*, 3>, 7> kPlaces{{
            {"<Location /v2/team>", "</Location>", "^/v2/team(/|$)"},
            {"<Location /v2/team/app/>", "</Location>", "^/v2/team/app/"},
            {"<Location /v2/other>", "</Location>", "^/v2/other(/|$)"},
            {"<Location /v2/_catalog>", "</Location>", "^/v2/_catalog"},
            {"<LocationMatch ^/v2/(team|x)/>", "</LocationMatch>", "^/v2/(team|x)/"},
            {"<LocationMatch ^/v2/team>", "</LocationMatch>", "^/v2/team"},
            {"<LocationMatch ^/v2/[^/]+/public/>", "</LocationMatch>", "^/v2/[^/]+/public/"},
        }};
        while (pick(2) == 0 && sections.size() < 5) {
            const auto& [header, close, path] = kPlaces[pick(kPlaces.size())];
            sections.push_back(section(header, close, path));
        }
        return sections;
    }

    Call call(const std::string& method, const std::string& path) {
        return {method, path, word(kUsers), word(kAddresses), pick(2) == 0};
    }
    template <std::size_t N>
    std::string word(const std::array<const char*, N>& words) {
        return words[pick(N)];
    }
    std::size_t pick(std::size_t n) { return random_() % n; }

  private:
    Section section(const char* header, const char* close, const char* path) {
        Section made{header, close, std::regex(path), "Off", {}, {}};
        const bool first = std::string_view(header) == "<Location />";
        for (std::size_t count = pick(3) + (first ? 1 : 0); count > 0; --count)
            made.requires_.push_back(node(2, false));
        if (pick(4) == 0) made.merging = pick(2) == 0 ? "And" : "Or";
        if (pick(4) == 0) {
            made.hosts.emplace();
            made.hosts->deny_first = pick(2) == 0;
            made.hosts->either = pick(3) == 0;
            for (std::size_t count = pick(3); count > 0; --count)
                made.hosts->entries.emplace_back(pick(2) == 0, word(kNetworks));
        }
        return made;
    }

    // In RequireAll only may a child be negated, and not alone, or Apache does not start.
    Node node(int depth, bool may_negate) {
        if (depth > 0 && pick(3) == 0) {
            Node made{pick(2) == 0 ? "all" : "any", false, {}, {}, {}};
            made.children.push_back(node(depth - 1, false));
            for (std::size_t count = pick(3); count > 0; --count)
                made.children.push_back(node(depth - 1, made.kind == "all"));
            return made;
        }
        if (may_negate && depth > 0 && pick(4) == 0) {
            Node made{"none", false, {}, {}, {}};
            for (std::size_t count = 1 + pick(2); count > 0; --count)
                made.children.push_back(node(depth - 1, false));
            return made;
        }
        return leaf(may_negate);
    }

    Node leaf(bool may_negate) {
        Node made;
        switch (pick(8)) {
            case 0:
                made = {"valid-user", false, {}, {}, {}};
                break;
            case 1:
            case 2:
                made = {"user", false, {kUsers[1 + pick(4)], kUsers[1 + pick(4)]}, {}, {}};
                break;
            case 3:
                made = {"group", false, {pick(2) == 0 ? "dev" : "ops"}, {}, {}};
                break;
            case 4:
                made = {"ip", false, {word(kNetworks)}, {}, {}};
                break;
            case 5:
                made = {"method", false, {word(kMethods), word(kMethods)}, {}, {}};
                break;
            case 6:
                made = {"granted", false, {}, {}, {}};
                break;
            default:
                made = {"env", false, {"let_in"}, {}, {}};
        }
        if (pick(12) != 0 && made.kind == "env") made = {"valid-user", false, {}, {}, {}};
        made.negated = may_negate && pick(3) == 0;
        if (pick(5) == 0) {
            made.methods = pick(2) == 0
                               ? std::vector<std::string>{"GET"}
                               : std::vector<std::string>{"POST", "PUT", "PATCH", "DELETE"};
            if (pick(4) == 0) made.methods.pop_back();
            if (made.methods.empty()) made.methods = {"DELETE"};
        }
        return made;
    }

    std::mt19937 random_;
};

std::string text_of(const std::vector<Section>& sections) {
    std::string text = "ProxyPass / http://localhost:5000/\n";
    for (const auto& section : sections) {
        text += section.header + "\n";
        if (&section == &sections.front())
            text += "AuthType Basic\nAuthName x\nAuthUserFile /users\nAuthGroupFile /groups\n";
        if (section.merging != "Off") text += "AuthMerging " + section.merging + "\n";
        if (section.hosts) text += section.hosts->text();
        for (const auto& node : section.requires_)
            text += node.text();
        text += section.close + "\n";
    }
    return text;
}

// As Apache decides.
bool lets_in(const std::vector<Section>& sections, const Call& call) {
    std::vector<const Section*> requirements;
    const Hosts* hosts = nullptr;
    for (const auto& section : sections) {
        if (!std::regex_search(call.path, section.path)) continue;
        if (section.hosts) hosts = &*section.hosts;
        if (section.requires_.empty()) continue;
        if (section.merging == "Off") requirements.clear();
        requirements.push_back(&section);
    }
    Verdict verdict;
    bool about = false;
    for (const auto* section : requirements) {
        Verdict any;
        for (const auto& node : section->requires_) {
            if (const auto one = node.check(call)) any = any ? *any || *one : *one;
        }
        about = about || std::ranges::any_of(section->requires_,
                                             [&](const Node& node) { return node.about(call); });
        if (!any) continue;
        verdict = !verdict ? *any : section->merging == "And" ? *verdict && *any : *verdict || *any;
    }
    // Neutral although something is about the method: nobody is let in by it.
    const bool required = verdict.value_or(!about);
    if (!hosts) return required;
    return hosts->either ? required || hosts->allow(call) : required && hosts->allow(call);
}

struct Wanted {
    auth::Action action;
    std::string repository;
    std::vector<Call> calls;  // all of which Apache must let through
};

Wanted wanted(Maker& make) {
    const auto repository = make.word(kRepositories);
    const auto path = "/v2/" + repository + "/manifests/1";
    auto call = make.call("GET", path);
    const auto with = [&call](const char* method) {
        auto made = call;
        made.method = method;
        return made;
    };
    switch (make.pick(4)) {
        case 0:
            return {auth::Action::pull, repository, {call}};
        case 1:
            return {auth::Action::create, repository, {with("POST"), with("PUT"), with("PATCH")}};
        case 2:
            return {auth::Action::remove, repository, {with("DELETE")}};
        default:
            call.path = "/v2/_catalog";
            return {auth::Action::catalog, "", {call}};
    }
}

TEST(Policies, AreNeverWiderThanTheSite) {
    std::size_t allowed = 0, exact = 0, requests = 0;
    for (unsigned seed = 0; seed < kSeeds; ++seed) {
        Maker make(seed);
        const auto sections = make.site();
        const SiteFiles files{{{"site.conf", text_of(sections)}}, {}};
        auto sources = files.sources();
        sources.registry_key = cli::registry_key;
        const auto migration = migrate_apache(sources);
        ASSERT_TRUE(migration) << migration.error().detail;
        const auto config =
            app::parse_config("config.yml", migration->config, {}, app::NamedFiles::may_be_missing);
        ASSERT_TRUE(config) << config.error().detail << files.files.at("site.conf");
        // The test has its own users.
        const auto policy =
            config->policy ? *auth::Policy::compile(*config->policy) : auth::Policy::open();
        const bool lossless = std::ranges::none_of(
            migration->report, [](const ReportLine& line) { return line.fate == Fate::lost; });
        for (int i = 0; i < kRequestsOfSite; ++i) {
            const auto request = wanted(make);
            const auto& call = request.calls.front();
            auth::Identity who{call.user, {}, "htpasswd"};
            if (!call.user.empty()) who.groups = kGroups.at(call.user);
            const bool by_berth =
                policy.allows(who, {request.action, request.repository, "1", call.address});
            const bool by_apache = std::ranges::all_of(
                request.calls, [&](const Call& one) { return lets_in(sections, one); });
            const auto said = "seed " + std::to_string(seed) + ": " + call.user + " from " +
                              call.address + " " + request.calls.back().method + " " + call.path +
                              "\n" + files.files.at("site.conf") + migration->config +
                              format_report(migration->report);
            ASSERT_TRUE(!by_berth || by_apache) << "wider, " << said;
            ASSERT_TRUE(!lossless || by_berth == by_apache) << "stricter unsaid, " << said;
            allowed += by_berth;
            exact += by_berth == by_apache;
            ++requests;
        }
    }
    // Not by denying everything.
    EXPECT_GT(allowed, requests / 5);
    EXPECT_GT(exact, requests * 8 / 10);
}

}  // namespace
}  // namespace berth::migrate
