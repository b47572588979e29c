// Apache's configuration: no site crashes the migration or makes it slow, and whatever it writes is
// a configuration that Berth takes or refuses for a named reason. `Include` includes the input
// itself; the first line may be the registry's configuration instead.
#include <algorithm>
#include <optional>

#include "app/config_load.h"
#include "cli/migrate.h"
#include "fuzz/fuzz.h"
#include "migrate/apache.h"

using namespace berth;

namespace {

constexpr std::size_t kSizeMax = 16 << 10;
constexpr std::string_view kRegistryMark = "# registry\n";

migrate::Sources sources_of(std::string_view text) {
    migrate::Sources sources;
    sources.site_path = "site.conf";
    sources.registry_path = "registry.yml";
    const auto mark = text.find(kRegistryMark);
    if (mark != text.npos) sources.registry_yaml = text.substr(mark + kRegistryMark.size());
    const std::string site(text.substr(0, mark));
    sources.read = [site](const std::string& path) -> Result<std::string> {
        if (path.ends_with("none")) return fail(Errc::not_found, path + ": no such file");
        return site;
    };
    sources.glob = [](const std::string& pattern) {
        return std::vector<std::string>(pattern.size() % 3, "site.conf");
    };
    sources.variable = [](const std::string& name) {
        return name.size() % 2 == 0 ? std::optional("${" + name + "}") : std::nullopt;
    };
    sources.registry_key = cli::registry_key;
    return sources;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, std::min(size, kSizeMax));
    const auto migration = migrate::migrate_apache(sources_of(text));
    if (!migration) {
        fuzz::must(!migration.error().detail.empty(), "an error says what is wrong");
        return 0;
    }
    for (const auto& line : migration->report) {
        fuzz::must(!line.place.empty() && !line.text.empty(),
                   "a line of the report says something");
    }
    const auto config =
        app::parse_config("config.yml", migration->config, {}, app::NamedFiles::may_be_missing);
    fuzz::must(config || !config.error().detail.contains("not YAML"), "what is written is YAML");
    return 0;
}
