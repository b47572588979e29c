// What is behind the site: mod_proxy's directives. Berth is the registry, so nothing is passed on;
// what counts is at which path the registry stands.
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "migrate/site.h"

namespace berth::migrate {

namespace {

struct Mapping {
    const Directive* directive;
    std::string from;  // a path of the site
    std::string to;    // of the registry
};

// The path of http://host:port/path.
std::optional<std::string> path_of_url(std::string_view url) {
    const auto begin = url.find("://");
    if (begin == url.npos) return std::nullopt;
    const auto slash = url.find('/', begin + 3);
    return slash == url.npos ? std::string() : std::string(url.substr(slash));
}

// Where `path` below v2/ of the registry is on the site; nullopt: the mapping does not lead there.
std::optional<std::string> outside(const Mapping& mapping, std::string_view registry_prefix) {
    const auto v2 = std::string(registry_prefix) + "v2/";
    auto to = mapping.to.empty() ? "/" : mapping.to;
    auto from = mapping.from;
    // `/v2` and `/v2/` are written alike.
    if (!to.ends_with('/')) to += '/';
    if (!from.ends_with('/')) from += '/';
    if (!v2.starts_with(to)) return std::nullopt;
    return from + v2.substr(to.size());
}

void add_mappings(const Directive& directive, std::string_view location,
                  std::vector<Mapping>& mappings, Site& site) {
    const auto& words = directive.words;
    if (directive.key == "proxypass") {
        const bool inside = !location.empty() && !words.empty() && words[0].contains("://");
        const std::string from(inside ? location : directive.word(0));
        const auto to = path_of_url(inside ? directive.word(0) : directive.word(1));
        if (directive.word(inside ? 0 : 1) == "!") {
            site.report.lost(directive, "Berth answers at this path, too; it serves no files");
        } else if (to) {
            mappings.push_back({&directive, from, *to});
        } else {
            site.report.lost(directive, "not understood");
        }
        return;
    }
    // ^/(.*)$ http://localhost:5000/$1 is ProxyPass / http://localhost:5000/.
    const bool is_match = directive.key == "proxypassmatch";
    const bool is_rule = directive.key == "rewriterule" && directive.word(1).contains("://") &&
                         lower_case(directive.word(2)).contains('p');
    if (!is_match && !is_rule) return;
    auto from = directive.word(0);
    auto to = path_of_url(directive.word(1));
    for (const std::string_view tail : {"(.*)$", "(.*)", "(.+)$", "(.+)"}) {
        if (!from.starts_with("^/") || !from.ends_with(tail) || !to || !to->ends_with("$1")) {
            continue;
        }
        from.remove_suffix(tail.size());
        if (from.find_first_of("(.*)+?[]$|\\") != from.npos) break;
        to->resize(to->size() - 2);
        mappings.push_back({&directive, std::string(from.substr(1)), *to});
        return;
    }
    site.report.lost(
        directive, "this expression is not understood; Berth answers below " + site.prefix + "v2/");
}

std::vector<Mapping> read_mappings(Site& site) {
    std::vector<Mapping> mappings;
    for (const auto* directive : site.directives) {
        add_mappings(*directive, {}, mappings, site);
        if (directive->key != "<location") continue;
        for (const auto& child : directive->children)
            add_mappings(child, directive->word(0), mappings, site);
    }
    return mappings;
}

void translate_mappings(Site& site) {
    std::string registry_prefix = "/";
    if (const auto* prefix = site.config.find({"http", "prefix"});
        prefix && !prefix->text.empty()) {
        registry_prefix = prefix->text;
    }
    const Mapping* registry = nullptr;
    std::string v2;
    int likeness = -1;
    const auto mappings = read_mappings(site);
    for (const auto& mapping : mappings) {
        const auto there = outside(mapping, registry_prefix);
        if (!there || !there->ends_with("/v2/")) continue;
        // Of several, one that names v2 is the registry's, else one for all of the site.
        const int points = mapping.to.contains("v2") ? 2 : mapping.from == "/" ? 1 : 0;
        if (points <= likeness) continue;
        likeness = points;
        registry = &mapping;
        v2 = *there;
    }
    for (const auto& mapping : mappings) {
        const bool same = registry && outside(mapping, registry_prefix) == v2;
        if (same) {
            site.report.carried(*mapping.directive, "Berth is the registry; it answers at " + v2);
        } else {
            site.report.lost(*mapping.directive,
                             "not the registry: Berth passes nothing on to other servers; give "
                             "that one a proxy, or a name, of its own");
        }
    }
    if (!registry) return;
    site.prefix = v2.substr(0, v2.size() - 3);
    if (site.prefix != "/" || registry_prefix != "/") {
        site.config.set({"http", "prefix"}, site.prefix);
    }
}

}  // namespace

void translate_proxy(Site& site) {
    translate_mappings(site);
    for (const auto* directive : site.all("proxyrequests")) {
        if (equal_ignoring_case(directive->word(0), "on")) {
            site.report.lost(*directive, "Berth is no proxy for other servers");
        } else {
            site.report.needless(*directive, "Berth is no proxy for other servers either");
        }
    }
}

}  // namespace berth::migrate
