// Goal: what is counted comes out under distribution's names, labels and buckets; what loops call
// allocates nothing; no client makes new series.
// Method: each text is read by a strict reader, and its series are looked at.
#include "metrics/metrics.h"

#include <limits>
#include <thread>

#include "support/exposition.h"
#include "unit/auth/allocation_count.h"

namespace berth::metrics {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

ServedRequest served(HandlerName handler, std::string_view method, int status) {
    return {.handler = handler,
            .method = method,
            .status = status,
            .duration = milliseconds(30),
            .request_bytes = 300,
            .response_bytes = 5000};
}

void serve(Metrics& metrics, const ServedRequest& request) {
    metrics.request_began(request.handler);
    metrics.request_ended(request);
}

std::size_t series_of(const Exposition& read, const std::string& name) {
    std::size_t count = 0;
    for (const auto& [series, value] : read.values)
        count += series == name || series.starts_with(name + "{") ? 1 : 0;
    return count;
}

TEST(Metrics, CountsARequest) {
    Metrics metrics;
    serve(metrics, served(HandlerName::manifest, "GET", 200));
    serve(metrics, served(HandlerName::manifest, "GET", 200));
    serve(metrics, served(HandlerName::manifest, "PUT", 201));
    const Exposition read = read_exposition(metrics.text());
    const std::string requests = "registry_http_requests_total";
    EXPECT_EQ(read.types.at(requests), "counter");
    EXPECT_EQ(read.value(requests + R"({code="200",handler="manifest",method="get"})"), "2");
    EXPECT_EQ(read.value(requests + R"({code="201",handler="manifest",method="put"})"), "1");
    EXPECT_EQ(series_of(read, requests), 2u) << "nothing that did not happen";
}

TEST(Metrics, TimesARequestInCumulativeBuckets) {
    Metrics metrics;
    serve(metrics, served(HandlerName::blob, "HEAD", 404));
    ServedRequest slow = served(HandlerName::blob, "HEAD", 200);
    slow.duration = std::chrono::seconds(61);
    serve(metrics, slow);
    ServedRequest exact = served(HandlerName::blob, "HEAD", 200);
    exact.duration = milliseconds(25);
    serve(metrics, exact);
    const Exposition read = read_exposition(metrics.text());
    const std::string name = "registry_http_request_duration_seconds";
    EXPECT_EQ(read.types.at(name), "histogram");
    const std::pair<const char*, const char*> kBuckets[] = {
        {"0.005", "0"}, {"0.01", "0"}, {"0.025", "1"}, {"0.05", "2"}, {"0.1", "2"},
        {"0.25", "2"},  {"0.5", "2"},  {"1", "2"},     {"2.5", "2"},  {"5", "2"},
        {"10", "2"},    {"25", "2"},   {"60", "2"},    {"+Inf", "3"}};
    for (const auto& [bound, count] : kBuckets) {
        const std::string series =
            name + R"(_bucket{handler="blob",method="head",le=")" + bound + "\"}";
        EXPECT_EQ(read.value(series), count) << series;
    }
    EXPECT_EQ(series_of(read, name + "_bucket"), std::size(kBuckets));
    EXPECT_EQ(read.value(name + R"(_count{handler="blob",method="head"})"), "3");
    EXPECT_EQ(read.value(name + R"(_sum{handler="blob",method="head"})"), "61.055");
}

TEST(Metrics, MeasuresSizes) {
    Metrics metrics;
    ServedRequest large = served(HandlerName::blob_upload_chunk, "PATCH", 202);
    large.request_bytes = std::uint64_t{3} << 30;
    large.response_bytes = 1024;
    serve(metrics, large);
    const Exposition read = read_exposition(metrics.text());
    const std::string labels = R"({handler="blob_upload_chunk",le=")";
    EXPECT_EQ(read.value("registry_http_request_size_bytes_bucket" + labels + "2.147483648e+09\"}"),
              "0");
    EXPECT_EQ(read.value("registry_http_request_size_bytes_bucket" + labels + "+Inf\"}"), "1");
    EXPECT_EQ(read.value("registry_http_response_size_bytes_bucket" + labels + "1024\"}"), "1");
    EXPECT_EQ(read.value(R"(registry_http_request_size_bytes_sum{handler="blob_upload_chunk"})"),
              "3.221225472e+09");
    EXPECT_EQ(series_of(read, "registry_http_response_size_bytes_bucket"), 23u);
}

TEST(Metrics, ShowsWhatIsUnderWay) {
    Metrics metrics;
    metrics.request_began(HandlerName::tags);
    metrics.request_began(HandlerName::tags);
    const std::string series = R"(registry_http_in_flight_requests{handler="tags"})";
    EXPECT_EQ(read_exposition(metrics.text()).value(series), "2");
    metrics.request_ended(served(HandlerName::tags, "GET", 200));
    EXPECT_EQ(read_exposition(metrics.text()).value(series), "1");
    EXPECT_EQ(read_exposition(metrics.text())
                  .value(R"(registry_http_in_flight_requests{handler="base"})"),
              "0")
        << "all handlers are there from the start";
}

TEST(Metrics, NoClientMakesNewSeries) {
    Metrics metrics;
    for (const char* method : {"BREW", "get", "", "PROPFIND", "OPTIONS"})
        serve(metrics, served(HandlerName::base, method, 405));
    for (int status = -1; status < 1000; ++status)
        serve(metrics, served(HandlerName::other, "GET", status));
    const Exposition read = read_exposition(metrics.text());
    const std::string requests = "registry_http_requests_total";
    EXPECT_EQ(read.value(requests + R"({code="405",handler="base",method="unknown"})"), "4");
    EXPECT_EQ(read.value(requests + R"({code="405",handler="base",method="options"})"), "1");
    EXPECT_EQ(read.value(requests + R"({code="404",handler="other",method="get"})"), "1");
    EXPECT_EQ(read.value(requests + R"({code="418",handler="other",method="get"})"), "none");
    EXPECT_LT(series_of(read, requests), 50u);
}

TEST(Metrics, WhatLoopsCallAllocatesNothing) {
    Metrics metrics;
    serve(metrics, served(HandlerName::manifest, "GET", 200));
    const std::size_t before = allocation_count();
    serve(metrics, served(HandlerName::manifest, "GET", 200));
    serve(metrics, served(HandlerName::blob, "BREW", 599));
    metrics.cache_request(true);
    metrics.storage_action("GetContent", nanoseconds(1));
    EXPECT_EQ(allocation_count(), before);
}

TEST(Metrics, ThreadsAddUp) {
    Metrics metrics;
    constexpr int kThreads = 12, kEach = 1000;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&metrics] {
            for (int n = 0; n < kEach; ++n) {
                serve(metrics, served(HandlerName::blob, "GET", 200));
                metrics.cache_request(n % 4 != 0);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    const Exposition read = read_exposition(metrics.text());
    EXPECT_EQ(read.value(R"(registry_http_requests_total{code="200",handler="blob",method="get"})"),
              "12000");
    EXPECT_EQ(read.value(R"(registry_http_in_flight_requests{handler="blob"})"), "0");
    EXPECT_EQ(read.value("registry_storage_cache_hits_total"), "9000");
    EXPECT_EQ(read.value("registry_storage_cache_requests_total"), "12000");
    EXPECT_EQ(read.value(R"(registry_storage_cache_total{type="Hit"})"), "9000");
    EXPECT_EQ(read.value(R"(registry_storage_cache_total{type="Miss"})"), "3000");
    EXPECT_EQ(read.value(R"(registry_storage_cache_total{type="Request"})"), "12000");
}

TEST(Metrics, TimesTheStorage) {
    Metrics metrics("inmemory");
    metrics.storage_action("GetContent", milliseconds(7));
    metrics.storage_action("Sync", std::chrono::seconds(11));
    metrics.storage_action("Nonsense", milliseconds(1));
    const Exposition read = read_exposition(metrics.text());
    const std::string name = "registry_storage_action_seconds";
    EXPECT_EQ(read.value(name + R"(_bucket{action="GetContent",driver="inmemory",le="0.005"})"),
              "0");
    EXPECT_EQ(read.value(name + R"(_bucket{action="GetContent",driver="inmemory",le="0.01"})"),
              "1");
    EXPECT_EQ(read.value(name + R"(_bucket{action="Sync",driver="inmemory",le="10"})"), "0");
    EXPECT_EQ(series_of(read, name + "_count"), 2u);
    EXPECT_FALSE(read.types.contains("registry_storage_cache_redis_seconds"));
    metrics.redis_action("Stat", milliseconds(1));
    EXPECT_EQ(read_exposition(metrics.text())
                  .value(R"(registry_storage_cache_redis_seconds_count{operation="Stat"})"),
              "1");
}

TEST(Metrics, CountsNotifications) {
    Metrics metrics;
    metrics.event("Events", "push", "manifest", "mail");
    metrics.event("Events", "pull", "blob", "mail");
    metrics.delivery(Delivery::success, "mail", 200);
    metrics.delivery(Delivery::failure, "mail", 503, 2);
    metrics.delivery(Delivery::error, "mail");
    metrics.delivery(Delivery::failure, "mail", 7777777);
    metrics.pending_events("mail", 5);
    metrics.pending_events("mail", 4);
    const Exposition read = read_exposition(metrics.text());
    const std::string events = "registry_notifications_events_total";
    EXPECT_EQ(read.value(events + R"({endpoint="mail",type="Events"})"), "2");
    EXPECT_EQ(read.value(events + R"({endpoint="mail",type="Successes"})"), "1");
    EXPECT_EQ(read.value(events + R"({endpoint="mail",type="Failures"})"), "3");
    EXPECT_EQ(read.value(events + R"({endpoint="mail",type="Errors"})"), "1");
    const std::string status = "registry_notifications_status_total";
    EXPECT_EQ(read.value(status + R"({code="200 OK",endpoint="mail"})"), "1");
    EXPECT_EQ(read.value(status + R"({code="503 Service Unavailable",endpoint="mail"})"), "2");
    EXPECT_EQ(series_of(read, status), 2u);
    EXPECT_EQ(read.types.at("registry_notifications_pending_total"), "gauge");
    EXPECT_EQ(read.value(R"(registry_notifications_pending_total{endpoint="mail"})"), "4");
    EXPECT_EQ(read.value("berth_notifications_events_total"
                         R"({action="pull",artifact="blob",endpoint="mail"})"),
              "1");
}

TEST(Metrics, AsksOthersForTheirNumbers) {
    Metrics metrics;
    double connections = 3;
    metrics.gauge("berth_connections", "Open connections.", [&] { return connections; });
    metrics.gauge("berth_pool_waiting", "Jobs that wait.", [] { return 1; }, {{"pool", "disk"}});
    metrics.gauge("berth_aside", "Between.", [] { return 0; });
    metrics.gauge("berth_pool_waiting", "Jobs that wait.", [] { return 2; }, {{"pool", "logins"}});
    metrics.gauge("berth_unknown", "Not known now.",
                  [] { return std::numeric_limits<double>::quiet_NaN(); });
    metrics.counter("berth_refusals_total", "Refused.", [] { return 9; });
    Exposition read = read_exposition(metrics.text());
    EXPECT_EQ(read.value("berth_connections"), "3");
    EXPECT_EQ(read.value(R"(berth_pool_waiting{pool="disk"})"), "1");
    EXPECT_EQ(read.value(R"(berth_pool_waiting{pool="logins"})"), "2");
    EXPECT_EQ(read.types.at("berth_refusals_total"), "counter");
    EXPECT_FALSE(read.types.contains("berth_unknown"));
    connections = 4;
    read = read_exposition(metrics.text());
    EXPECT_EQ(read.value("berth_connections"), "4");
}

}  // namespace
}  // namespace berth::metrics
