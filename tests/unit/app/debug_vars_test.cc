// Goal: /debug/vars is JSON that readers of Go's expvar understand, with every number of the
// metrics, and what is known of the process is true.
// Method: metrics with something in them; what the operating system says of this very test.
#include "app/debug_vars.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/process_usage.h"

namespace berth::app {
namespace {

using nlohmann::json;

TEST(DebugVars, AreThoseOfExpvar) {
    const metrics::Metrics metrics;
    const json vars = json::parse(debug_vars(metrics));
    EXPECT_THAT(vars["cmdline"][0].get<std::string>(), testing::HasSubstr("debug_vars_test"));
    // How much is no matter: a sanitizer's allocator keeps no books for malloc's.
    EXPECT_TRUE(vars["memstats"]["Alloc"].is_number_unsigned());
    EXPECT_GE(vars["memstats"]["Sys"].get<std::uint64_t>(),
              vars["memstats"]["HeapInuse"].get<std::uint64_t>());
    EXPECT_EQ(vars["registry"]["notifications"]["endpoints"], json::array());
}

TEST(DebugVars, ShowTheNumbersByTheirSeries) {
    metrics::Metrics metrics;
    metrics.gauge("berth_a", "A.", [] { return 2; });
    metrics.gauge("berth_b", "B.", [] { return 0.5; }, {{"pool", "disk"}, {"x", "y"}});
    metrics.gauge("berth_c", "C.", [] { return std::numeric_limits<double>::infinity(); });
    metrics.cache_request(true);
    metrics.storage_action("List", std::chrono::nanoseconds(1));
    const json numbers = json::parse(debug_vars(metrics))["berth"];
    EXPECT_EQ(numbers["berth_a"], 2);
    EXPECT_EQ(numbers[R"(berth_b{pool="disk",x="y"})"], 0.5);
    EXPECT_FALSE(numbers.contains("berth_c")) << "JSON has no such number";
    EXPECT_EQ(numbers["registry_storage_cache_hits_total"], 1);
    for (const auto& [series, number] : numbers.items())
        EXPECT_FALSE(series.starts_with("registry_storage_action")) << "no histograms";
}

TEST(DebugVars, ShowEachEndpointAsDistributionDoes) {
    metrics::Metrics metrics;
    metrics.event("Events", "push", "manifest", "one");
    metrics.delivery(metrics::Delivery::success, "one", 200, 3);
    metrics.delivery(metrics::Delivery::failure, "two", 500);
    metrics.pending_events("two", 7);
    const json endpoints =
        json::parse(debug_vars(metrics))["registry"]["notifications"]["endpoints"];
    EXPECT_EQ(endpoints, json::parse(R"([
        {"name": "one", "Metrics": {"Pending": 0, "Events": 1, "Successes": 3, "Failures": 0,
                                    "Errors": 0, "Statuses": {"200 OK": 3}}},
        {"name": "two", "Metrics": {"Pending": 7, "Events": 0, "Successes": 0, "Failures": 1,
                                    "Errors": 0, "Statuses": {"500 Internal Server Error": 1}}}
    ])"));
}

TEST(ProcessUsage, IsOfThisProcess) {
    const ProcessUsage usage = process_usage();
    const double now = static_cast<double>(::time(nullptr));
    EXPECT_GT(usage.resident_bytes, 1e6);
    EXPECT_GE(usage.virtual_bytes, usage.resident_bytes);
    EXPECT_GE(usage.cpu_seconds, 0);
    EXPECT_GE(usage.open_files, 3);
    EXPECT_GE(usage.files_max, usage.open_files);
    EXPECT_LE(usage.started_at, now + 1);
    EXPECT_GT(usage.started_at, now - 3600) << "tests end within the hour";
}

TEST(ProcessUsage, SeesAFileThatIsOpened) {
    const double before = process_usage().open_files;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    EXPECT_EQ(process_usage().open_files, before + 2);
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace berth::app
