#include "migrate/requirements.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace berth::migrate {

namespace {

constexpr std::array<std::string_view, 3> kAuthPrefixes{"auth", "ldap", "anonymous"};
// Directives that ask something of callers which is not understood here.
constexpr std::array<std::string_view, 10> kUnknown{"use",
                                                    "sslrequire",
                                                    "<if",
                                                    "<else",
                                                    "<elseif",
                                                    "<filesmatch",
                                                    "<files",
                                                    "reject",
                                                    "luahookauthchecker",
                                                    "luahookaccesschecker"};

unsigned methods_of(const Directive& limit) {
    unsigned methods = 0;
    for (const auto& word : limit.words)
        methods |= methods_named(word);
    return limit.key == "<limit" ? methods : kAllMethods & ~methods;
}

bool is_auth(std::string_view key) {
    return std::ranges::any_of(kAuthPrefixes, [&](auto prefix) { return key.starts_with(prefix); });
}

bool asks_callers(const Directive& section) {
    return std::ranges::any_of(section.children, [](const Directive& child) {
        return child.key.starts_with("require") || child.key.starts_with("<require") ||
               child.key == "deny" || child.key == "order" || child.key == "satisfy" ||
               child.key == "use" || asks_callers(child);
    });
}

class PlaceReader {
  public:
    PlaceReader(Place& place, Report& report) : place_(place), report_(report) {}

    void read(const Directive& directive, unsigned methods, std::vector<Requirement>& into);

  private:
    void read_require(const Directive& directive, unsigned methods, std::vector<Requirement>& into);
    void read_container(const Directive& directive, unsigned methods,
                        std::vector<Requirement>& into);
    void read_limit(const Directive& directive, unsigned methods, std::vector<Requirement>& into);
    bool read_hosts(const Directive& directive, unsigned methods);
    void read_order(const Directive& directive, unsigned methods);

    Place& place_;
    Report& report_;
};

void PlaceReader::read(const Directive& directive, unsigned methods,
                       std::vector<Requirement>& into) {
    const auto& key = directive.key;
    if (key == "require") {
        read_require(directive, methods, into);
    } else if (key == "<requireall" || key == "<requireany" || key == "<requirenone") {
        read_container(directive, methods, into);
    } else if (key == "<limit" || key == "<limitexcept") {
        read_limit(directive, methods, into);
    } else if (key == "authmerging") {
        const auto word = lower_case(directive.word(0));
        place_.merging = word == "and"  ? Place::Merging::with_and
                         : word == "or" ? Place::Merging::with_or
                                        : Place::Merging::off;
        report_.carried(directive, "in the policy");
    } else if (std::ranges::count(kUnknown, key) > 0) {
        if (!directive.is_section() || asks_callers(directive))
            place_.unknown.push_back(&directive);
    } else if (!read_hosts(directive, methods) && is_auth(key)) {
        place_.auth[key] = &directive;
    }
}

void PlaceReader::read_require(const Directive& directive, unsigned methods,
                               std::vector<Requirement>& into) {
    Requirement leaf;
    leaf.methods = methods;
    leaf.directive = &directive;
    leaf.negated = equal_ignoring_case(directive.word(0), "not");
    into.push_back(std::move(leaf));
    place_.has_requirements = true;
}

void PlaceReader::read_container(const Directive& directive, unsigned methods,
                                 std::vector<Requirement>& into) {
    Requirement container;
    container.kind = directive.key == "<requireall"   ? Requirement::Kind::all
                     : directive.key == "<requireany" ? Requirement::Kind::any
                                                      : Requirement::Kind::none;
    container.methods = methods;
    container.directive = &directive;
    for (const auto& child : directive.children)
        read(child, methods, container.children);
    report_.carried(directive, "in the policy");
    if (!container.children.empty()) into.push_back(std::move(container));
}

void PlaceReader::read_limit(const Directive& directive, unsigned methods,
                             std::vector<Requirement>& into) {
    for (const auto& child : directive.children)
        read(child, methods & methods_of(directive), into);
    report_.carried(directive,
                    "in the policy: GET and HEAD are pull and catalog; POST, PUT and PATCH are "
                    "push; DELETE is delete");
}

void PlaceReader::read_order(const Directive& directive, unsigned methods) {
    const auto order = lower_case(join(directive.words, ""));
    for (unsigned i = 0; i <= static_cast<unsigned>(Method::other); ++i) {
        const auto method = static_cast<Method>(i);
        if ((methods & bit(method)) != 0) place_.hosts->deny_first[method] = order == "deny,allow";
    }
    report_.carried(directive, "in the policy");
}

bool PlaceReader::read_hosts(const Directive& directive, unsigned methods) {
    const auto& key = directive.key;
    if (key != "order" && key != "allow" && key != "deny" && key != "satisfy") return false;
    if (!place_.hosts) place_.hosts.emplace();
    if (key == "order") {
        read_order(directive, methods);
    } else if (key == "satisfy") {
        const bool any = equal_ignoring_case(directive.word(0), "any");
        for (unsigned i = 0; i <= static_cast<unsigned>(Method::other); ++i) {
            const auto method = static_cast<Method>(i);
            if ((methods & bit(method)) != 0) place_.hosts->satisfy_any[method] = any;
        }
        report_.carried(directive, "in the policy");
    } else {
        place_.hosts->entries.push_back({methods, &directive, key == "allow"});
    }
    return true;
}

class Evaluator {
  public:
    Evaluator(const Effective& place, Method method, const Meaning& meaning, Report& report)
        : place_(place), method_(method), meaning_(meaning), report_(report) {}

    Who requirements();
    Who hosts(const HostAccess& access);

    Who both(const Who& a, const Who& b, const Directive* at);

  private:
    // Like Apache's AUTHZ_GRANTED, DENIED and NEUTRAL: who is let in; or, of what cannot let
    // anybody in (`not`, <RequireNone>), who is not refused.
    struct Verdict {
        bool grants = false;
        Who who = Who::everyone();
    };
    // nullopt: nothing that stands here is about the method.
    std::optional<Verdict> verdict(const Requirement& one);
    std::optional<Verdict> all_of(const std::vector<Requirement>& children, const Directive* at);
    std::optional<Verdict> any_of(const std::vector<Requirement>& children, const Directive* at);
    // Who is certainly not let in by it.
    Who not_granted(const Requirement& one);
    Who none_granted(const std::vector<Requirement>& children, const Directive* at);
    // Who certainly makes all of something fail.
    Who failing(const Requirement& one);

    Who leaf(const Requirement& one, bool negated);
    // Of an Allow or Deny; nullopt: not understood.
    std::optional<Who> entry(const Directive& directive, bool negated);

    const Effective& place_;
    Method method_;
    const Meaning& meaning_;
    Report& report_;
};

Who Evaluator::both(const Who& a, const Who& b, const Directive* at) {
    bool narrowed = false;
    auto who = a.both(b, narrowed);
    if (narrowed && at) {
        report_.lost(*at,
                     "a rule names one user or one group: who must be both a user and in a group, "
                     "or in two groups, is left out; make a group of those, and allow it");
    }
    return who;
}

Who Evaluator::leaf(const Requirement& one, bool negated) {
    auto words = one.directive->words;
    std::string_view arguments = one.directive->arguments;
    if (one.negated) {
        words.erase(words.begin());
        arguments.remove_prefix(std::min(arguments.find_first_of(" \t") + 1, arguments.size()));
    }
    if (words.empty()) return Who::nobody();
    const auto who = meaning_(*one.directive, words, arguments, {place_, method_, negated});
    return who.value_or(Who::nobody());
}

std::optional<Evaluator::Verdict> Evaluator::verdict(const Requirement& one) {
    switch (one.kind) {
        case Requirement::Kind::leaf:
            if ((one.methods & bit(method_)) == 0) return std::nullopt;
            return Verdict{!one.negated, leaf(one, one.negated)};
        case Requirement::Kind::all:
            return all_of(one.children, one.directive);
        case Requirement::Kind::any:
            return any_of(one.children, one.directive);
        case Requirement::Kind::none:
            if (!any_of(one.children, one.directive)) return std::nullopt;
            return Verdict{false, none_granted(one.children, one.directive)};
    }
    return std::nullopt;
}

std::optional<Evaluator::Verdict> Evaluator::all_of(const std::vector<Requirement>& children,
                                                    const Directive* at) {
    std::optional<Verdict> all;
    for (const auto& child : children) {
        const auto one = verdict(child);
        if (!one) continue;
        if (!all) all.emplace();
        all->grants = all->grants || one->grants;
        all->who = both(all->who, one->who, at);
    }
    return all;
}

std::optional<Evaluator::Verdict> Evaluator::any_of(const std::vector<Requirement>& children,
                                                    const Directive* at) {
    std::optional<Verdict> any;
    for (const auto& child : children) {
        const auto one = verdict(child);
        if (!one) continue;
        if (!any || (one->grants && !any->grants)) {
            any = one;
        } else if (one->grants) {
            any->who = any->who | one->who;
        } else if (!any->grants) {
            any->who = both(any->who, one->who, at);
        }
    }
    return any;
}

Who Evaluator::none_granted(const std::vector<Requirement>& children, const Directive* at) {
    auto who = Who::everyone();
    for (const auto& child : children)
        who = both(who, not_granted(child), at);
    return who;
}

Who Evaluator::not_granted(const Requirement& one) {
    const auto known = verdict(one);
    if (!known || !known->grants) return Who::everyone();
    if (one.kind == Requirement::Kind::leaf) return leaf(one, true);
    if (one.kind == Requirement::Kind::any) return none_granted(one.children, one.directive);
    auto who = Who::nobody();
    for (const auto& child : one.children)
        who = who | failing(child);
    return who;
}

Who Evaluator::failing(const Requirement& one) {
    const auto known = verdict(one);
    if (!known) return Who::nobody();
    if (known->grants) return not_granted(one);
    if (one.kind == Requirement::Kind::leaf) return leaf(one, false);
    if (one.kind != Requirement::Kind::none) return Who::nobody();
    const auto granted = any_of(one.children, one.directive);
    return granted && granted->grants ? granted->who : Who::nobody();
}

Who Evaluator::requirements() {
    if (place_.requirements.empty()) {
        const auto type = place_.auth.find("authtype");
        const bool asks =
            type != place_.auth.end() && !equal_ignoring_case(type->second->word(0), "none");
        if (!asks) return Who::everyone();
        // Apache answers 500.
        report_.lost(*type->second,
                     "no Require goes with it, so Apache lets nobody in; nor does "
                     "the policy");
        return Who::nobody();
    }
    std::optional<Verdict> all;
    for (const auto& [merging, section] : place_.requirements) {
        const auto one = any_of(section->requirements, section->section);
        if (!one) continue;
        if (!all || (merging == Place::Merging::with_or && one->grants && !all->grants)) {
            all = one;
        } else if (merging != Place::Merging::with_or) {
            all = Verdict{all->grants || one->grants, both(all->who, one->who, section->section)};
        } else if (one->grants) {
            all->who = all->who | one->who;
        }
    }
    // What no Require is about is open: the known trap of <Limit>.
    if (!all) return Who::everyone();
    return all->grants ? all->who : Who::nobody();
}

std::optional<Who> Evaluator::entry(const Directive& directive, bool negated) {
    auto words = directive.words;
    if (!words.empty() && equal_ignoring_case(words[0], "from")) words.erase(words.begin());
    AddressSet addresses;
    for (const auto& word : words) {
        if (equal_ignoring_case(word, "all")) {
            addresses = AddressSet::all();
        } else if (const auto network = AddressSet::parse(word)) {
            addresses = addresses.united(*network);
        } else {
            report_.lost(directive, "\"" + word +
                                        "\" is no address or network, and rules know "
                                        "nothing else; nobody is let in by it");
            if (negated) return std::nullopt;
        }
    }
    if (!report_.has(directive)) report_.carried(directive, "in the policy");
    return Who::from(negated ? addresses.complement() : addresses);
}

Who Evaluator::hosts(const HostAccess& access) {
    auto allowed = Who::nobody();
    auto not_denied = Who::everyone();
    for (const auto& [methods, directive, allows] : access.entries) {
        if ((methods & bit(method_)) == 0) continue;
        const auto who = entry(*directive, !allows).value_or(Who::nobody());
        if (allows) {
            allowed = allowed | who;
        } else {
            not_denied = both(not_denied, who, directive);
        }
    }
    const auto order = access.deny_first.find(method_);
    const bool deny_first = order == access.deny_first.end() || order->second;
    return deny_first ? allowed | not_denied : both(allowed, not_denied, nullptr);
}

}  // namespace

unsigned methods_named(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, Method>, 7> kMethods{
        {{"GET", Method::get},
         {"HEAD", Method::get},
         {"POST", Method::post},
         {"PUT", Method::put},
         {"PATCH", Method::patch},
         {"DELETE", Method::remove},
         {"OPTIONS", Method::options}}};
    for (const auto& [known, method] : kMethods) {
        if (name == known) return bit(method);
    }
    return bit(Method::other);
}

Place read_place(const Directive* section, const std::vector<const Directive*>& children,
                 Report& report) {
    Place place;
    place.section = section;
    PlaceReader reader(place, report);
    for (const auto* child : children)
        reader.read(*child, kAllMethods, place.requirements);
    return place;
}

void Effective::apply(const Place& inner) {
    for (const auto& [key, directive] : inner.auth)
        auth[key] = directive;
    if (inner.has_requirements) {
        if (inner.merging == Place::Merging::off) requirements.clear();
        requirements.emplace_back(inner.merging, &inner);
    }
    if (inner.hosts) hosts = &*inner.hosts;
    unknown.insert(unknown.end(), inner.unknown.begin(), inner.unknown.end());
}

Who evaluate(const Effective& place, Method method, const Meaning& meaning, Report& report) {
    Evaluator evaluator(place, method, meaning, report);
    auto who = evaluator.requirements();
    if (place.hosts) {
        const auto hosts = evaluator.hosts(*place.hosts);
        const auto any = place.hosts->satisfy_any.find(method);
        const bool either = any != place.hosts->satisfy_any.end() && any->second;
        who = either ? who | hosts : evaluator.both(who, hosts, nullptr);
    }
    for (const auto* directive : place.unknown) {
        report.lost(*directive,
                    "what it asks of callers is not understood, so nobody is let in where it "
                    "stands; write rules for it into the policy");
        who = Who::nobody();
    }
    return who;
}

}  // namespace berth::migrate
