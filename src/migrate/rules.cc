#include "migrate/rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"

namespace berth::migrate {

namespace {

constexpr std::size_t kNameBytesMax = 120;

// Berth's actions, and the methods that make them up.
struct ActionOf {
    const char* name;
    std::array<Method, 3> methods;
};
constexpr std::array<ActionOf, 3> kActions{{
    {"pull", {Method::get, Method::get, Method::get}},
    {"push", {Method::post, Method::put, Method::patch}},
    {"delete", {Method::remove, Method::remove, Method::remove}},
}};

struct Allowed {
    const Region* region;
    std::string action;
    Who who;
};

// Rules that differ in their actions only become one.
class RuleBook {
  public:
    void add(bool deny, std::vector<std::string> subjects, std::vector<std::string> addresses,
             std::vector<std::string> repositories, const std::string& action) {
        auto key =
            std::tuple(deny, std::move(repositories), std::move(subjects), std::move(addresses));
        auto known = std::ranges::find(rules_, key, &Entry::first);
        if (known == rules_.end()) {
            rules_.emplace_back(std::move(key), std::vector<std::string>());
            known = std::prev(rules_.end());
        }
        auto& actions = known->second;
        if (std::ranges::count(actions, action) == 0) actions.push_back(action);
    }

    std::vector<PolicyRule> take() const {
        std::vector<PolicyRule> rules;
        for (const auto& [key, actions] : rules_) {
            const auto& [deny, repositories, subjects, addresses] = key;
            PolicyRule rule{{}, deny, subjects, actions, repositories, addresses};
            rule.name = name(rule);
            rules.push_back(std::move(rule));
        }
        return rules;
    }

  private:
    using Key = std::tuple<bool, std::vector<std::string>, std::vector<std::string>,
                           std::vector<std::string>>;
    using Entry = std::pair<Key, std::vector<std::string>>;

    static std::string name(const PolicyRule& rule) {
        auto text = join(rule.subjects, ", ") + (rule.deny ? " may not " : " may ") +
                    join(rule.actions, ", ");
        if (!rule.repositories.empty()) {
            const auto& first = rule.repositories.front();
            text += first.starts_with('!') ? " outside of " + first.substr(1) : " in " + first;
        }
        if (!rule.addresses.empty()) text += " from " + join(rule.addresses, ", ");
        if (text.size() <= kNameBytesMax) return text;
        // Not within a character.
        auto end = kNameBytesMax - 3;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end;
        return text.substr(0, end) + "...";
    }

    std::vector<Entry> rules_;
};

class Maker {
  public:
    Maker(const Regions& regions, const Meaning& meaning, const Who& within, const Directive& about,
          Report& report)
        : regions_(regions), meaning_(meaning), within_(within), about_(about), report_(report) {}

    std::vector<PolicyRule> make();

  private:
    Who in_all(const Worlds& worlds, Method method);
    Who action(const Worlds& worlds, const ActionOf& action);
    void write(const Region* region, const std::string& action, const Who& who);
    struct Denials {
        std::set<std::string> names;
        bool by_address = false;  // so that rules which allow need no addresses
    };
    Denials write_denials(const Region* region, const std::string& action, const Who& who);
    std::vector<std::string> repositories(const Region* region, const std::string& action,
                                          const Term* term) const;
    bool covered(const RepositoryPrefix& out, const std::string& action, const Term& term) const;
    const Directive& place(const Region* region) const;

    const Regions& regions_;
    const Meaning& meaning_;
    const Who& within_;
    const Directive& about_;
    Report& report_;
    std::vector<Allowed> allowed_;
    RuleBook book_;
};

const Directive& Maker::place(const Region* region) const {
    if (region) {
        for (const auto& world : region->worlds) {
            if (!world.requirements.empty() && world.requirements.back().second->section) {
                return *world.requirements.back().second->section;
            }
        }
    }
    return about_;
}

Who Maker::in_all(const Worlds& worlds, Method method) {
    auto who = within_;
    bool narrowed = false;
    for (const auto& world : worlds)
        who = who.both(evaluate(world, method, meaning_, report_), narrowed);
    if (narrowed) {
        report_.lost(about_,
                     "sections that may both apply ask for different users or groups; who "
                     "must be in both is left out");
    }
    return who;
}

Who Maker::action(const Worlds& worlds, const ActionOf& action) {
    const auto first = in_all(worlds, action.methods[0]);
    auto who = first;
    bool narrowed = false;
    bool differs = false;
    for (std::size_t i = 1; i < action.methods.size(); ++i) {
        if (action.methods[i] == action.methods[i - 1]) continue;
        const auto one = in_all(worlds, action.methods[i]);
        differs = differs || !(one == first);
        who = who.both(one, narrowed);
    }
    if (differs) {
        report_.lost(about_,
                     "POST, PUT and PATCH are open to different callers; pushing takes all "
                     "three, so who may push is who may send each of them");
    }
    return who;
}

// Does what the regions within `out` allow take in all that `term` does?
bool Maker::covered(const RepositoryPrefix& out, const std::string& action,
                    const Term& term) const {
    if (regions_.has_holes()) return false;
    return std::ranges::all_of(allowed_, [&](const Allowed& other) {
        if (other.action != action || !other.region || other.region->everything) return true;
        const bool meets = std::ranges::any_of(other.region->in, [&](const RepositoryPrefix& in) {
            return relation(in, out) != Relation::apart;
        });
        if (!meets) return true;
        const bool denies = std::ranges::any_of(
            other.who.terms(), [](const Term& known) { return !known.except.empty(); });
        return !denies && std::ranges::any_of(other.who.terms(), [&](const Term& known) {
            return term.inside(known);
        });
    });
}

// Of a rule of that region; with a `term` it may reach into others that allow as much.
std::vector<std::string> Maker::repositories(const Region* region, const std::string& action,
                                             const Term* term) const {
    std::vector<std::string> patterns;
    if (!region) return patterns;
    for (const auto& in : region->in) {
        for (auto& pattern : in.patterns())
            patterns.push_back(std::move(pattern));
    }
    for (const auto& out : region->out) {
        if (term && covered(out, action, *term)) continue;
        for (const auto& pattern : out.patterns())
            patterns.push_back("!" + pattern);
    }
    return patterns;
}

// Rules that deny, for what the terms leave out.
Maker::Denials Maker::write_denials(const Region* region, const std::string& action,
                                    const Who& who) {
    const auto where = repositories(region, action, nullptr);
    Denials denials;
    auto& names = denials.names;
    for (const auto& term : who.terms())
        names.insert(term.except.begin(), term.except.end());
    for (const auto& name : names) {
        const bool exact = std::ranges::all_of(who.terms(), [&](const Term& term) {
            return term.except.contains(name) || !may_be(term.subject, name);
        });
        if (!exact) {
            report_.lost(place(region), "a rule that denies wins over all others, so " + name +
                                            " may not " + action +
                                            " here, whatever else lets them in");
        }
        book_.add(true, {name}, {}, where, action);
    }
    if (who.terms().empty()) return denials;
    const auto& addresses = who.terms().front().addresses;
    const bool alike = std::ranges::all_of(
        who.terms(), [&](const Term& term) { return term.addresses == addresses; });
    if (!alike || addresses.is_all()) return denials;
    const auto denied = addresses.complement().networks();
    if (denied.size() >= addresses.networks().size()) return denials;
    book_.add(true, {"everyone"}, denied, where, action);
    denials.by_address = true;
    return denials;
}

void Maker::write(const Region* region, const std::string& action, const Who& who) {
    const auto denials = write_denials(region, action, who);
    // Terms that differ in their subjects only become one rule.
    using Where = std::pair<std::vector<std::string>, std::vector<std::string>>;
    std::vector<std::pair<Where, std::vector<std::string>>> rules;
    for (const auto& term : who.terms()) {
        if (denials.names.contains(term.subject)) continue;
        std::vector<std::string> addresses;
        if (!denials.by_address && !term.addresses.is_all()) addresses = term.addresses.networks();
        // Without its addresses the rule would be wider than the term in other regions.
        const auto* covered = denials.by_address ? nullptr : &term;
        Where where{repositories(region, action, covered), std::move(addresses)};
        auto known = std::ranges::find(rules, where, [](const auto& rule) { return rule.first; });
        if (known == rules.end()) {
            rules.emplace_back(std::move(where), std::vector<std::string>());
            known = std::prev(rules.end());
        }
        if (std::ranges::count(known->second, term.subject) == 0) {
            known->second.push_back(term.subject);
        }
    }
    for (auto& [where, subjects] : rules)
        book_.add(false, subjects, where.second, where.first, action);
}

std::vector<PolicyRule> Maker::make() {
    for (const auto& region : regions_.repositories()) {
        for (const auto& one : kActions)
            allowed_.push_back({&region, one.name, action(region.worlds, one)});
    }
    const auto catalog = in_all(regions_.catalog(), Method::get);
    for (const auto& [region, action, who] : allowed_) {
        write(region, action, who);
        if (region->everything && action == "pull") write(nullptr, "catalog", catalog);
    }
    return book_.take();
}

}  // namespace

std::vector<PolicyRule> make_rules(const Regions& regions, const Meaning& meaning,
                                   const Who& within, const Directive& about, Report& report) {
    return Maker(regions, meaning, within, about, report).make();
}

}  // namespace berth::migrate
