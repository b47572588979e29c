#include "jobs/notifications.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "base/random.h"
#include "jobs/delivery.h"
#include "jobs/pull_buffer.h"

namespace berth::jobs {
namespace {

constexpr std::size_t kPullBytesMax = 16u << 20;
// Pulls of this long are written at once.
constexpr std::chrono::milliseconds kPullDelay{200};
constexpr std::size_t kPullsAtOnce = 500;
constexpr std::chrono::seconds kTrimInterval{10};
// A replay by another process is found by looking.
constexpr std::chrono::milliseconds kLookInterval{1'000};
constexpr std::chrono::milliseconds kFaultPause{1'000};

bool wants(const NotificationEndpoint& endpoint, std::string_view action) {
    return !endpoint.disabled &&
           std::ranges::find(endpoint.ignored_actions, action) == endpoint.ignored_actions.end();
}

bool any_wants(const NotificationOptions& options, std::string_view action) {
    return std::ranges::any_of(options.endpoints,
                               [action](const auto& endpoint) { return wants(endpoint, action); });
}

// Counts that metrics read even after the job has ended.
struct Lost {
    std::atomic<std::uint64_t> untold = 0;
    std::atomic<std::uint64_t> pulls = 0;
};

void add_counters(metrics::Metrics* metrics, const std::shared_ptr<Lost>& lost) {
    if (!metrics) return;
    metrics->counter("berth_notifications_untold_events_total",
                     "Events that were removed, being too many, before every endpoint was told",
                     [lost] { return static_cast<double>(lost->untold.load()); });
    metrics->counter("berth_notifications_lost_pulls_total",
                     "Pulls that were too many at once to be recorded",
                     [lost] { return static_cast<double>(lost->pulls.load()); });
}

}  // namespace

store::RecordedEvents recorded_events(const NotificationOptions& options) {
    return {.push = any_wants(options, "push"),
            .mount = any_wants(options, "mount"),
            .remove = any_wants(options, "delete")};
}

Sender make_http_sender() {
    auto session = std::make_shared<http::Session>();
    return [session](const http::ClientRequest& request) { return session->send(request); };
}

struct Notifications::State {
    State(store::EventQueue& events, const Clock& time, Logger& logger,
          NotificationOptions configured)
        : queue(events), clock(time), log(logger), options(std::move(configured)) {}

    // The cursors of the endpoints there are, before anything happens.
    Result<void> set_cursors();
    void start_endpoint(const EventSource& source, const NotificationEndpoint& endpoint,
                        metrics::Metrics* metrics, Sender send);
    void stop();

    void serve_endpoint(Delivery& delivery);
    void serve_upkeep();
    // Waits until there are pulls, or it is time to trim; false: stopping.
    bool wait_for_upkeep(SteadyTime trim_at);
    void write_pulls();
    void trim();
    void announce();
    // The job's boundary: what a step throws ends the step, not the server.
    template <class Step>
    auto guarded(Step step, decltype(step()) otherwise);

    store::EventQueue& queue;
    const Clock& clock;
    Logger& log;
    const NotificationOptions options;
    PullBuffer pulls{kPullBytesMax};
    std::shared_ptr<Lost> lost = std::make_shared<Lost>();
    std::vector<std::unique_ptr<Delivery>> deliveries;

    std::mutex mutex;
    std::condition_variable changed;
    bool stopping = false;
    bool has_pulls = false;
    std::uint64_t news = 0;  // how often there was something new
    std::vector<std::thread> threads;
    std::thread upkeep;
};

template <class Step>
auto Notifications::State::guarded(Step step, decltype(step()) otherwise) {
    try {
        return step();
    } catch (const std::exception& thrown) {
        log.write(LogLevel::error, "notifications: a step failed", {{"error", thrown.what()}});
        return otherwise;
    }
}

Result<void> Notifications::State::set_cursors() {
    std::vector<std::string> names;
    for (const auto& endpoint : options.endpoints) {
        if (!endpoint.disabled) names.push_back(endpoint.name);
    }
    BERTH_CHECK(queue.keep_cursors(names));
    for (const auto& name : names)
        BERTH_CHECK(queue.cursor(name));
    return {};
}

void Notifications::State::start_endpoint(const EventSource& source,
                                          const NotificationEndpoint& endpoint,
                                          metrics::Metrics* metrics, Sender send) {
    deliveries.push_back(
        std::make_unique<Delivery>(queue, log, endpoint, source, metrics, std::move(send)));
    threads.emplace_back([this, delivery = deliveries.back().get()] { serve_endpoint(*delivery); });
}

void Notifications::State::stop() {
    {
        std::lock_guard lock(mutex);
        stopping = true;
    }
    changed.notify_all();
    for (auto& thread : threads)
        thread.join();
    upkeep.join();
    write_pulls();
}

void Notifications::State::serve_endpoint(Delivery& delivery) {
    pthread_setname_np(pthread_self(), "notifications");
    std::unique_lock lock(mutex);
    while (!stopping) {
        const auto seen = news;
        lock.unlock();
        using Pause = std::optional<std::chrono::milliseconds>;
        const auto pause = guarded([&] { return delivery.step(); }, Pause(kFaultPause));
        lock.lock();
        if (pause) {
            changed.wait_for(lock, *pause, [this] { return stopping; });
        } else {
            changed.wait_for(lock, kLookInterval, [&] { return stopping || news != seen; });
        }
    }
}

void Notifications::State::serve_upkeep() {
    pthread_setname_np(pthread_self(), "event-upkeep");
    SteadyTime trim_at = std::chrono::steady_clock::now();
    do {
        if (std::chrono::steady_clock::now() >= trim_at) {
            guarded([this] { return trim(), 0; }, 0);
            trim_at = std::chrono::steady_clock::now() + kTrimInterval;
        }
        guarded([this] { return write_pulls(), 0; }, 0);
    } while (wait_for_upkeep(trim_at));
}

bool Notifications::State::wait_for_upkeep(SteadyTime trim_at) {
    std::unique_lock lock(mutex);
    changed.wait_until(lock, trim_at, [this] { return stopping || has_pulls; });
    // Some more may come with it.
    if (has_pulls) changed.wait_for(lock, kPullDelay, [this] { return stopping; });
    has_pulls = false;
    return !stopping;
}

void Notifications::State::write_pulls() {
    const auto taken = pulls.take();
    std::uint64_t missed = pulls.take_lost();
    for (auto next = taken.begin(); next != taken.end();) {
        const auto count = std::min<std::ptrdiff_t>(kPullsAtOnce, taken.end() - next);
        const auto written = queue.append_events({next, next + count});
        if (!written) {
            missed += static_cast<std::uint64_t>(count);
            log.write(LogLevel::error, "notifications: pulls cannot be recorded",
                      {{"error", written.error().detail}});
        }
        next += count;
    }
    if (!taken.empty()) announce();
    if (missed == 0) return;
    lost->pulls += missed;
    log.write(LogLevel::error, "notifications: pulls are lost, nobody will be told",
              {{"count", std::to_string(missed)}});
}

void Notifications::State::trim() {
    std::uint64_t untold = 0;
    for (;;) {
        const auto trimmed = queue.trim_events(clock.now() - options.keep, options.events_max);
        if (!trimmed) {
            log.write(LogLevel::error, "notifications: old events cannot be removed",
                      {{"error", trimmed.error().detail}});
            break;
        }
        untold += trimmed->untold;
        if (trimmed->removed == 0) break;
    }
    if (untold == 0) return;
    lost->untold += untold;
    log.write(LogLevel::error,
              "notifications: the queue is full, and the oldest events are removed before every "
              "endpoint was told (notifications.events.max)",
              {{"count", std::to_string(untold)}});
}

void Notifications::State::announce() {
    {
        std::lock_guard lock(mutex);
        ++news;
    }
    changed.notify_all();
}

Notifications::Notifications(store::EventQueue& queue, const Clock& clock, Logger& log,
                             NotificationOptions options, metrics::Metrics* metrics,
                             const std::function<Sender()>& make_sender)
    : state_(std::make_unique<State>(queue, clock, log, std::move(options))) {
    State& state = *state_;
    add_counters(metrics, state.lost);
    if (const auto set = state.set_cursors(); !set) {
        log.write(LogLevel::error, "notifications: the event queue cannot be used",
                  {{"error", set.error().detail}});
    }
    const EventSource source{state.options.instance, random_uuid()};
    for (const auto& endpoint : state.options.endpoints) {
        if (!endpoint.disabled) state.start_endpoint(source, endpoint, metrics, make_sender());
    }
    state.upkeep = std::thread([&state] { state.serve_upkeep(); });
}

Notifications::~Notifications() {
    state_->stop();
}

void Notifications::pulled(store::Event event) {
    if (!state_->pulls.add(std::move(event))) return;
    {
        std::lock_guard lock(state_->mutex);
        state_->has_pulls = true;
    }
    state_->changed.notify_all();
}

void Notifications::wake() {
    state_->announce();
}

bool Notifications::wants_pulls() const {
    return any_wants(state_->options, "pull");
}

}  // namespace berth::jobs
