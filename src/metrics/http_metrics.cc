#include "metrics/http_metrics.h"

#include <algorithm>

#include "metrics/histogram.h"

namespace berth::metrics {
namespace {

constexpr std::array<std::string_view, 11> kHandlers{
    "base",    "blob",     "blob_upload", "blob_upload_chunk",
    "catalog", "manifest", "tags",        "referrers",
    "token",   "admin",    "other"};
static_assert(kHandlers.size() == static_cast<std::size_t>(HandlerName::other) + 1);

// As they are exported, and as they are sent. A client may send any: the rest is one.
constexpr std::array<std::string_view, 8> kMethods{"get",   "head",   "post",    "put",
                                                   "patch", "delete", "options", "unknown"};
constexpr std::array<std::string_view, 7> kMethodWords{"GET",   "HEAD",   "POST",   "PUT",
                                                       "PATCH", "DELETE", "OPTIONS"};

// Those that a registry answers with; another counts as the first of its hundred (RFC 9110 §15).
constexpr std::array kStatuses{100, 200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308,
                               400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 415,
                               416, 417, 422, 429, 431, 500, 501, 502, 503, 504, 505, 507};
constexpr int kStatusMin = 100, kStatusMax = 599;

constexpr auto kPlaceOfStatus = [] {
    std::array<std::uint8_t, kStatusMax - kStatusMin + 1> places{};
    std::uint8_t hundred = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        const int status = kStatusMin + static_cast<int>(i);
        const auto* found = std::find(kStatuses.begin(), kStatuses.end(), status);
        const auto place = static_cast<std::uint8_t>(found - kStatuses.begin());
        if (found != kStatuses.end() && status % 100 == 0) hundred = place;
        places[i] = found != kStatuses.end() ? place : hundred;
    }
    return places;
}();

std::size_t place_of_method(std::string_view method) {
    const auto* found = std::find(kMethodWords.begin(), kMethodWords.end(), method);
    return static_cast<std::size_t>(found - kMethodWords.begin());
}

std::size_t place_of_status(int status) {
    return kPlaceOfStatus[static_cast<std::size_t>(std::clamp(status, kStatusMin, kStatusMax) -
                                                   kStatusMin)];
}

using Durations = Scale<13>;
constexpr Durations kDurations =
    in_milliseconds<13>({5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10'000, 25'000, 60'000});

// From 1 KiB to 2 GiB, each the double of the one before.
using Sizes = Scale<22>;
constexpr Sizes kSizes = [] {
    Sizes scale{{}, 1};
    for (std::size_t i = 0; i < scale.bounds.size(); ++i)
        scale.bounds[i] = std::uint64_t{1024} << i;
    return scale;
}();

constexpr std::size_t kSeries = kHandlers.size() * kMethods.size();

// What is summed up, for each series and in a whole.
template <class Count, template <std::size_t> class Histo, class Level>
struct Numbers {
    std::array<Count, kSeries * kStatuses.size()> requests{};
    std::array<Histo<13>, kSeries> durations{};
    std::array<Histo<22>, kHandlers.size()> request_sizes{};
    std::array<Histo<22>, kHandlers.size()> response_sizes{};
    std::array<Level, kHandlers.size()> in_flight{};
    Count cache_hits{}, cache_misses{};
};

}  // namespace

struct alignas(64) HttpMetrics::Stripe
    : Numbers<std::atomic<std::uint64_t>, Histogram, std::atomic<std::int64_t>> {};
struct HttpMetrics::Totals : Numbers<std::uint64_t, HistogramSum, std::int64_t> {};

HttpMetrics::HttpMetrics() : stripes_(std::make_unique<Stripe[]>(kStripes)) {}
HttpMetrics::~HttpMetrics() = default;

HttpMetrics::Stripe& HttpMetrics::mine() const {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return stripes_[number % kStripes];
}

void HttpMetrics::began(HandlerName handler) {
    mine().in_flight[static_cast<std::size_t>(handler)].fetch_add(1, std::memory_order_relaxed);
}

void HttpMetrics::ended(const ServedRequest& request) {
    const auto handler = static_cast<std::size_t>(request.handler);
    const std::size_t series = handler * kMethods.size() + place_of_method(request.method);
    const auto nanoseconds = std::max<std::int64_t>(request.duration.count(), 0);
    Stripe& stripe = mine();
    stripe.requests[series * kStatuses.size() + place_of_status(request.status)].fetch_add(
        1, std::memory_order_relaxed);
    stripe.durations[series].observe(static_cast<std::uint64_t>(nanoseconds), kDurations);
    stripe.request_sizes[handler].observe(request.request_bytes, kSizes);
    stripe.response_sizes[handler].observe(request.response_bytes, kSizes);
    // Possibly of another stripe than began(): the sum is what counts.
    stripe.in_flight[handler].fetch_sub(1, std::memory_order_relaxed);
}

void HttpMetrics::cache_asked(bool hit) {
    Stripe& stripe = mine();
    (hit ? stripe.cache_hits : stripe.cache_misses).fetch_add(1, std::memory_order_relaxed);
}

HttpMetrics::Totals HttpMetrics::total() const {
    Totals totals;
    for (std::size_t s = 0; s < kStripes; ++s) {
        const Stripe& stripe = stripes_[s];
        totals.cache_hits += stripe.cache_hits.load(std::memory_order_relaxed);
        totals.cache_misses += stripe.cache_misses.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < totals.requests.size(); ++i)
            totals.requests[i] += stripe.requests[i].load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < kSeries; ++i)
            stripe.durations[i].add_to(totals.durations[i]);
        for (std::size_t i = 0; i < kHandlers.size(); ++i) {
            stripe.request_sizes[i].add_to(totals.request_sizes[i]);
            stripe.response_sizes[i].add_to(totals.response_sizes[i]);
            totals.in_flight[i] += stripe.in_flight[i].load(std::memory_order_relaxed);
        }
    }
    return totals;
}

// Both ways: registry:2 has one counter with a type, its successor three.
void HttpMetrics::append_cache(const Totals& totals, std::vector<Family>& families) {
    const auto hits = static_cast<double>(totals.cache_hits);
    const auto misses = static_cast<double>(totals.cache_misses);
    constexpr const char* kHelp = "The number of cache request received";
    families.push_back({"registry_storage_cache_total",
                        kHelp,
                        Kind::counter,
                        {{"", {{"type", "Hit"}}, hits},
                         {"", {{"type", "Miss"}}, misses},
                         {"", {{"type", "Request"}}, hits + misses}}});
    families.push_back(
        {"registry_storage_cache_hits_total", kHelp, Kind::counter, {{"", {}, hits}}});
    families.push_back(
        {"registry_storage_cache_requests_total", kHelp, Kind::counter, {{"", {}, hits + misses}}});
}

void HttpMetrics::append_to(std::vector<Family>& families) const {
    const Totals totals = total();
    append_cache(totals, families);
    Family in_flight{
        "registry_http_in_flight_requests", "The in-flight HTTP requests", Kind::gauge, {}};
    Family durations{"registry_http_request_duration_seconds",
                     "The HTTP request latencies in seconds.",
                     Kind::histogram,
                     {}};
    Family request_sizes{"registry_http_request_size_bytes",
                         "The HTTP request sizes in bytes.",
                         Kind::histogram,
                         {}};
    Family requests{
        "registry_http_requests_total", "Total number of HTTP requests made.", Kind::counter, {}};
    Family response_sizes{"registry_http_response_size_bytes",
                          "The HTTP response sizes in bytes.",
                          Kind::histogram,
                          {}};
    for (std::size_t h = 0; h < kHandlers.size(); ++h) {
        const std::string handler(kHandlers[h]);
        // Between two stripes a request may be seen to end before it began.
        const auto level = static_cast<double>(std::max<std::int64_t>(totals.in_flight[h], 0));
        in_flight.samples.push_back({"", {{"handler", handler}}, level});
        totals.request_sizes[h].append_to(request_sizes, {{"handler", handler}}, kSizes);
        totals.response_sizes[h].append_to(response_sizes, {{"handler", handler}}, kSizes);
        for (std::size_t m = 0; m < kMethods.size(); ++m) {
            const std::string method(kMethods[m]);
            const std::size_t series = h * kMethods.size() + m;
            totals.durations[series].append_to(
                durations, {{"handler", handler}, {"method", method}}, kDurations);
            for (std::size_t s = 0; s < kStatuses.size(); ++s) {
                const std::uint64_t count = totals.requests[series * kStatuses.size() + s];
                if (count == 0) continue;
                requests.samples.push_back({"",
                                            {{"code", std::to_string(kStatuses[s])},
                                             {"handler", handler},
                                             {"method", method}},
                                            static_cast<double>(count)});
            }
        }
    }
    for (Family* family : {&in_flight, &durations, &request_sizes, &requests, &response_sizes})
        families.push_back(std::move(*family));
}

}  // namespace berth::metrics
