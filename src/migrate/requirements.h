// What a place of the site (a <Location>, <Proxy> or the server itself) asks of callers, as Apache
// merges and evaluates it: mod_authz_core, mod_access_compat and <Limit>.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrate/directive.h"
#include "migrate/expression.h"
#include "migrate/report.h"

namespace berth::migrate {

// Methods that Apache tells apart and a registry knows; HEAD goes with GET.
enum class Method : unsigned { get, post, put, patch, remove, options, other };
inline constexpr unsigned kAllMethods = (1u << (static_cast<unsigned>(Method::other) + 1)) - 1;
constexpr unsigned bit(Method method) {
    return 1u << static_cast<unsigned>(method);
}

// The bits of a method's name; HEAD's are GET's.
unsigned methods_named(std::string_view name);

// Require lines and their containers.
struct Requirement {
    enum class Kind { leaf, all, any, none } kind = Kind::leaf;
    bool negated = false;
    unsigned methods = kAllMethods;  // for which it stands here
    const Directive* directive = nullptr;
    std::vector<Requirement> children;
};

// Order, Allow, Deny, Satisfy (mod_access_compat).
struct HostAccess {
    struct Entry {
        unsigned methods;
        const Directive* directive;
        bool allows;
    };
    std::map<Method, bool> deny_first;  // Order deny,allow, which is the default
    std::map<Method, bool> satisfy_any;
    std::vector<Entry> entries;
};

struct Place {
    const Directive* section = nullptr;  // null: the server
    // The last directive of each name that takes part in authentication (AuthName, AuthLDAPURL, …).
    std::map<std::string, const Directive*> auth;
    std::vector<Requirement> requirements;  // any of them; empty: none here
    bool has_requirements = false;
    std::optional<HostAccess> hosts;
    enum class Merging { off, with_and, with_or } merging = Merging::off;
    // Directives that restrict callers in a way that is not understood.
    std::vector<const Directive*> unknown;
};

// Reads what stands in a section, or in the server. `children` outlive the place. Directives that
// are none of its concern stay unreported.
Place read_place(const Directive* section, const std::vector<const Directive*>& children,
                 Report& report);

// What is in force where `outer` and then `inner` apply.
struct Effective {
    std::map<std::string, const Directive*> auth;
    // Sections whose requirements count, joined as AuthMerging says; the first is the outermost.
    std::vector<std::pair<Place::Merging, const Place*>> requirements;
    const HostAccess* hosts = nullptr;
    std::vector<const Directive*> unknown;

    void apply(const Place& inner);
};

struct Question {
    const Effective& place;
    Method method;
    bool negated;  // who does not fit is asked for
};

// What a Require line means in Berth; `words` and `arguments` are without its `not`. Reports it.
// nullopt: it cannot be said, so nobody is let in by it.
using Meaning =
    std::function<std::optional<Who>(const Directive& line, const std::vector<std::string>& words,
                                     std::string_view arguments, const Question&)>;

// Who may use the method. What narrows the answer is reported at the directive that does.
Who evaluate(const Effective& place, Method method, const Meaning& meaning, Report& report);

}  // namespace berth::migrate
