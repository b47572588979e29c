// Goal: whole sites become the configurations that they should. Method: each folder of sites/ has a
// site.conf, perhaps a registry.yml, and what `berth migrate` must write for them: config.yml and
// report.txt. After a wanted change, `berth migrate` in that folder writes them anew:
// berth migrate --apache site.conf --registry registry.yml --output config.yml --report report.txt
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "app/config_load.h"
#include "cli/migrate.h"
#include "migrate/apache.h"
#include "migrate/apache_parser.h"

namespace berth::migrate {
namespace {

const std::filesystem::path kSites = BERTH_SOURCE_DIR "/tests/unit/migrate/sites";

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

class Sites : public testing::TestWithParam<std::string> {
  protected:
    std::filesystem::path folder_ = kSites / GetParam();

    Sources sources() const {
        Sources made;
        made.site_path = "site.conf";
        made.registry_path = "registry.yml";
        made.registry_yaml = read_file(folder_ / "registry.yml").value_or("");
        made.read = [this](const std::string& path) -> Result<std::string> {
            auto text = read_file(folder_ / std::filesystem::path(path).filename());
            if (!text) return fail(Errc::not_found, path + ": no such file");
            return std::move(*text);
        };
        made.glob = [](const std::string&) { return std::vector<std::string>(); };
        made.variable = [](const std::string& name) -> std::optional<std::string> {
            if (name == "APACHE_LOG_DIR") return "/var/log/apache2";
            return std::nullopt;
        };
        made.registry_key = cli::registry_key;
        return made;
    }
};

void collect(const std::vector<Directive>& directives, std::set<std::string>& places) {
    for (const auto& directive : directives) {
        places.insert(directive.place);
        collect(directive.children, places);
    }
}

TEST_P(Sites, BecomeWhatStandsBesideThem) {
    const auto migration = migrate_apache(sources());
    ASSERT_TRUE(migration) << migration.error().detail;
    EXPECT_EQ(migration->config, read_file(folder_ / "config.yml"));
    EXPECT_EQ(format_report(migration->report), read_file(folder_ / "report.txt"));
}

TEST_P(Sites, AreReportedLineByLine) {
    const auto from = sources();
    const auto migration = migrate_apache(from);
    ASSERT_TRUE(migration);
    Report report;
    const auto site = parse_apache(from, report);
    ASSERT_TRUE(site);
    std::set<std::string> wanted, reported;
    collect(site->directives, wanted);
    for (const auto& line : migration->report) {
        reported.insert(line.place);
        EXPECT_FALSE(line.text.empty());
    }
    for (const auto& place : wanted)
        EXPECT_TRUE(reported.contains(place)) << place;
}

TEST_P(Sites, MakeConfigurationsThatLoad) {
    const auto written = read_file(folder_ / "config.yml");
    ASSERT_TRUE(written);
    const auto config =
        app::parse_config("config.yml", *written, {}, app::NamedFiles::may_be_missing);
    const auto report = read_file(folder_ / "report.txt").value_or("");
    // What Berth refuses stays in the file, so that it does not start with less than was asked for.
    const bool refused = report.contains("Berth will not start with it");
    EXPECT_EQ(config.has_value(), !refused) << (config ? "" : config.error().detail);
}

TEST_P(Sites, KeepSecretsOutOfTheirReports) {
    const auto report = read_file(folder_ / "report.txt").value_or("");
    for (const auto* secret : {"s3cret", "hunter2", "geheim", "dXNlcjpzZWNyZXQ"})
        EXPECT_FALSE(report.contains(secret)) << secret;
}

std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(kSites))
        names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

INSTANTIATE_TEST_SUITE_P(All, Sites, testing::ValuesIn(names()), [](const auto& site) {
    std::string name = site.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

}  // namespace
}  // namespace berth::migrate
