#include "migrate/apache.h"

#include <utility>

#include "migrate/apache_parser.h"
#include "migrate/site.h"

namespace berth::migrate {

Result<Migration> migrate_apache(const Sources& sources) {
    Report report;
    BERTH_TRY(auto parsed, parse_apache(sources, report));
    BERTH_TRY(auto config, Document::parse(sources.registry_path, sources.registry_yaml));
    auto site = make_site(sources, parsed.directives, std::move(config),
                          std::move(parsed.server_root), report);
    keep_registry(site);
    translate_tls(site);
    translate_server(site);
    translate_proxy(site);
    translate_headers(site);
    translate_access(site);
    translate_logs(site);
    report_rest(parsed.directives, site);
    const auto head = "# Written by `berth migrate` from " + sources.site_path +
                      (sources.registry_yaml.empty() ? "" : " and " + sources.registry_path) +
                      ".\n# Check it: berth config check FILE\n";
    return Migration{head + site.config.write(), report.take()};
}

}  // namespace berth::migrate
