#include "metrics/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "metrics/histogram.h"
#include "metrics/http_metrics.h"

namespace berth::metrics {
namespace {

// Prometheus' own default.
using Timings = Scale<11>;
constexpr Timings kTimings =
    in_milliseconds<11>({5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10'000});

// Durations of calls whose names are few and known.
template <std::size_t N>
struct Timers {
    std::array<std::string_view, N> names;
    std::array<Histogram<11>, N> histograms{};

    void observe(std::string_view name, std::chrono::nanoseconds duration) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) return;
        const auto nanoseconds = std::max<std::int64_t>(duration.count(), 0);
        histograms[static_cast<std::size_t>(found - names.begin())].observe(
            static_cast<std::uint64_t>(nanoseconds), kTimings);
    }
    // Each name is the value of `label`, which stands before the other `labels`.
    void append_to(Family& family, const std::string& label, const Labels& labels) const {
        for (std::size_t i = 0; i < N; ++i) {
            HistogramSum<11> sum;
            histograms[i].add_to(sum);
            Labels all{{label, std::string(names[i])}};
            all.insert(all.end(), labels.begin(), labels.end());
            sum.append_to(family, all, kTimings);
        }
    }
};

// Series that appear when they are first written: for what is not done by loops.
class Table {
  public:
    void add(Labels labels, double value) {
        const std::lock_guard lock(mutex_);
        values_[std::move(labels)] += value;
    }
    void set(Labels labels, double value) {
        const std::lock_guard lock(mutex_);
        values_[std::move(labels)] = value;
    }
    Family family(std::string name, std::string help, Kind kind) const {
        Family made{std::move(name), std::move(help), kind, {}};
        const std::lock_guard lock(mutex_);
        for (const auto& [labels, value] : values_)
            made.samples.push_back({"", labels, value});
        return made;
    }

  private:
    mutable std::mutex mutex_;
    std::map<Labels, double> values_;
};

// What somebody else knows.
struct Reading {
    std::string name, help;
    Kind kind;
    Labels labels;
    std::function<double()> read;
};

// As HTTP libraries write it, "200 OK"; Go's words, since they are part of the label's value.
std::string words_of(int status) {
    static constexpr std::pair<int, std::string_view> kWords[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Request Entity Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    std::string words = std::to_string(status) + " ";
    for (const auto& [number, text] : kWords) {
        if (number == status) words += text;
    }
    return words;
}

// An endpoint chooses its statuses: what is none counts as no status.
bool is_status(int status) {
    return status >= 100 && status <= 599;
}

constexpr std::string_view kDeliveries[] = {"Successes", "Failures", "Errors"};

}  // namespace

struct Metrics::State {
    explicit State(std::string given) : driver(std::move(given)) {}

    const std::string driver;
    HttpMetrics http;
    Timers<9> storage{
        {"Delete", "GetContent", "List", "Move", "PutContent", "Reader", "Stat", "Sync", "Writer"}};
    Timers<2> redis{{"SetDescriptor", "Stat"}};
    Table events, events_by_action, statuses, pending;
    std::vector<Reading> readings;

    void append_readings(std::vector<Family>& families) const;
};

void Metrics::State::append_readings(std::vector<Family>& families) const {
    for (const Reading& reading : readings) {
        const double value = reading.read();
        if (std::isnan(value)) continue;
        const auto same = std::find_if(families.begin(), families.end(), [&](const Family& family) {
            return family.name == reading.name;
        });
        Family& family =
            same != families.end()
                ? *same
                : families.emplace_back(Family{reading.name, reading.help, reading.kind, {}});
        family.samples.push_back({"", reading.labels, value});
    }
}

Metrics::Metrics(std::string driver) : state_(std::make_unique<State>(std::move(driver))) {}
Metrics::~Metrics() = default;

void Metrics::request_began(HandlerName handler) {
    state_->http.began(handler);
}

void Metrics::request_ended(const ServedRequest& request) {
    state_->http.ended(request);
}

void Metrics::storage_action(std::string_view action, std::chrono::nanoseconds duration) {
    state_->storage.observe(action, duration);
}

void Metrics::cache_request(bool hit) {
    state_->http.cache_asked(hit);
}

void Metrics::redis_action(std::string_view action, std::chrono::nanoseconds duration) {
    state_->redis.observe(action, duration);
}

void Metrics::event(std::string_view type, std::string_view action, std::string_view artifact,
                    std::string_view endpoint) {
    state_->events.add({{"endpoint", std::string(endpoint)}, {"type", std::string(type)}}, 1);
    state_->events_by_action.add({{"action", std::string(action)},
                                  {"artifact", std::string(artifact)},
                                  {"endpoint", std::string(endpoint)}},
                                 1);
}

void Metrics::delivery(Delivery delivery, std::string_view endpoint, int status,
                       std::uint64_t events) {
    const auto count = static_cast<double>(events);
    const std::string type(kDeliveries[static_cast<std::size_t>(delivery)]);
    state_->events.add({{"endpoint", std::string(endpoint)}, {"type", type}}, count);
    if (!is_status(status)) return;
    state_->statuses.add({{"code", words_of(status)}, {"endpoint", std::string(endpoint)}}, count);
}

void Metrics::pending_events(std::string_view endpoint, std::uint64_t count) {
    state_->pending.set({{"endpoint", std::string(endpoint)}}, static_cast<double>(count));
}

void Metrics::gauge(std::string name, std::string help, std::function<double()> read,
                    Labels labels) {
    state_->readings.push_back(
        {std::move(name), std::move(help), Kind::gauge, std::move(labels), std::move(read)});
}

void Metrics::counter(std::string name, std::string help, std::function<double()> read,
                      Labels labels) {
    state_->readings.push_back(
        {std::move(name), std::move(help), Kind::counter, std::move(labels), std::move(read)});
}

std::vector<Family> Metrics::families() const {
    const State& state = *state_;
    std::vector<Family> families;
    state.http.append_to(families);
    Family storage{"registry_storage_action_seconds",
                   "The number of seconds that the storage action takes",
                   Kind::histogram,
                   {}};
    state.storage.append_to(storage, "action", {{"driver", state.driver}});
    families.push_back(std::move(storage));
    Family redis{"registry_storage_cache_redis_seconds",
                 "Number of seconds taken by redis",
                 Kind::histogram,
                 {}};
    state.redis.append_to(redis, "operation", {});
    families.push_back(std::move(redis));
    families.push_back(state.events.family("registry_notifications_events_total",
                                           "The number of total events", Kind::counter));
    families.push_back(state.statuses.family("registry_notifications_status_total",
                                             "The number of status code", Kind::counter));
    families.push_back(state.pending.family("registry_notifications_pending_total",
                                            "The gauge of pending events in queue", Kind::gauge));
    families.push_back(state.events_by_action.family(
        "berth_notifications_events_total", "Events queued for endpoints, by what they tell.",
        Kind::counter));
    state.append_readings(families);
    std::sort(families.begin(), families.end(),
              [](const Family& a, const Family& b) { return a.name < b.name; });
    return families;
}

std::string Metrics::text() const {
    return exposition(families());
}

}  // namespace berth::metrics
