#include "migrate/site.h"

#include <algorithm>

#include "base/text.h"

namespace berth::migrate {

namespace {

bool is_proxying(const Directive& directive) {
    if (directive.key == "proxypass" || directive.key == "proxypassmatch") {
        return std::ranges::any_of(directive.words,
                                   [](const auto& word) { return word.contains("://"); });
    }
    return directive.key == "rewriterule" && directive.word(1).contains("://") &&
           lower_case(directive.word(2)).contains('p');
}

// How much a virtual host looks like the registry's.
int likeness(const Directive& section) {
    int points = 0;
    for (const auto& child : section.children) {
        if (is_proxying(child)) points = std::max(points, child.arguments.contains("v2") ? 12 : 8);
        if (child.key == "<location" || child.key == "<proxy" || child.key == "<locationmatch") {
            points = std::max(points, likeness(child) & ~1);
        }
    }
    for (const auto& child : section.children) {
        if (child.key == "sslengine" && equal_ignoring_case(child.word(0), "on")) points |= 1;
    }
    return points;
}

void report_inside(const Directive& section, const std::string& text, Report& report) {
    for (const auto& child : section.children) {
        report.needless(child, text);
        report_inside(child, text, report);
    }
}

void report_other_host(const Directive& host, Report& report) {
    const bool proxies = likeness(host) >= 8;
    report.lost(host, proxies ? "Berth takes the place of one virtual host; if this one is the "
                                "registry's, too, run this for it alone"
                              : "not the registry's virtual host: Berth does not listen there, and "
                                "nobody is sent on from http to https");
    report_inside(host, "of a virtual host that is not the registry's", report);
}

}  // namespace

std::vector<const Directive*> Site::all(std::string_view key) const {
    std::vector<const Directive*> found;
    for (const auto* directive : directives) {
        if (directive->key == key) found.push_back(directive);
    }
    return found;
}

const Directive* Site::last(std::string_view key) {
    const auto found = all(key);
    if (found.empty()) return nullptr;
    for (const auto* directive : found) {
        if (directive != found.back()) {
            report.needless(*directive, found.back()->place + " replaces it");
        }
    }
    return found.back();
}

std::string Site::path(std::string_view text) const {
    if (text.empty() || text.starts_with('/')) return std::string(text);
    return server_root + "/" + std::string(text);
}

Site make_site(const Sources& sources, const std::vector<Directive>& directives, Document config,
               std::string server_root, Report& report) {
    Site site{sources, report, std::move(config), std::move(server_root), nullptr, {}};
    for (const auto& directive : directives) {
        if (directive.key != "<virtualhost") {
            site.directives.push_back(&directive);
        } else if (!site.host || likeness(directive) > likeness(*site.host)) {
            site.host = &directive;
        }
    }
    if (!site.host) return site;
    for (const auto& directive : directives) {
        if (directive.key == "<virtualhost" && &directive != site.host) {
            report_other_host(directive, report);
        }
    }
    for (const auto& child : site.host->children)
        site.directives.push_back(&child);
    return site;
}

}  // namespace berth::migrate
