// Site: what the themes of the translation (TLS, headers, …) work on: the directives that are in
// force for the registry, the configuration that is being written, and the report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/apache.h"
#include "migrate/directive.h"
#include "migrate/document.h"
#include "migrate/report.h"

namespace berth::migrate {

struct Site {
    const Sources& sources;
    Report& report;
    Document config;
    std::string server_root;
    const Directive* host = nullptr;  // the virtual host; null: the server itself
    // What stands in the server and then in the virtual host, sections included.
    std::vector<const Directive*> directives;
    bool tls = false;
    std::string prefix = "/";  // the path before v2/

    // In order.
    std::vector<const Directive*> all(std::string_view key) const;
    // The last one, which is in force; the report says of the others that it replaces them. Null:
    // there is none.
    const Directive* last(std::string_view key);
    // A path of the site, made absolute.
    std::string path(std::string_view text) const;
};

// Chooses the virtual host and makes the site of it; `directives` outlive it.
Site make_site(const Sources& sources, const std::vector<Directive>& directives, Document config,
               std::string server_root, Report& report);

// The themes. Each writes its part of the configuration and reports its directives.
void keep_registry(Site& site);     // what stays of the registry's own configuration
void translate_server(Site& site);  // addresses, timeouts, limits
void translate_tls(Site& site);
void translate_proxy(Site& site);
void translate_headers(Site& site);
void translate_access(Site& site);  // who may do what, passwords, groups
void translate_logs(Site& site);
// Whatever nobody has spoken of yet.
void report_rest(const std::vector<Directive>& directives, Site& site);

}  // namespace berth::migrate
