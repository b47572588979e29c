// The job that tells endpoints what happened (configuration: notifications), in distribution's
// envelope: POST of {"events":[…]} as application/vnd.docker.distribution.events.v2+json.
//
// At least once, and in the order in which things happened, for each endpoint by itself: an event
// counts as told when the endpoint has answered 2xx or 3xx. What is not told stays in the index's
// event queue over restarts; an endpoint that is down is tried again after its backoff.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "http/client.h"
#include "metrics/metrics.h"
#include "store/index/event_queue.h"

namespace berth::jobs {

struct NotificationEndpoint {
    std::string name;
    bool disabled = false;
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::milliseconds timeout{1'000};
    std::uint32_t threshold = 10;  // failures in a row before it is left alone for `backoff`
    std::chrono::milliseconds backoff{1'000};
    std::vector<std::string> ignored_media_types;
    std::vector<std::string> ignored_actions;  // push, pull, mount, delete
};

struct NotificationOptions {
    std::vector<NotificationEndpoint> endpoints;
    bool include_references = false;
    // What was told is kept for replays; beyond `events_max` the oldest events go in any case.
    std::chrono::seconds keep{std::chrono::hours(72)};
    std::uint64_t events_max = 1'000'000;
    std::string instance;  // source.addr of the envelope: host:port
};

// What an index is to record for them: nothing, where nobody is to be told.
store::RecordedEvents recorded_events(const NotificationOptions& options);

// Sends one request and waits for its answer; used by one thread.
using Sender = std::function<Result<http::ClientResponse>(const http::ClientRequest&)>;

// Over a connection that is kept from one request to the next.
Sender make_http_sender();

// One thread for each endpoint, and one that writes pulls and removes what is old. Thread-safe.
class Notifications {
  public:
    // What it is given outlives it. `metrics` may be null. A new endpoint is told what happens from
    // here on. `make_sender`: of one for each endpoint.
    Notifications(store::EventQueue& queue, const Clock& clock, Logger& log,
                  NotificationOptions options, metrics::Metrics* metrics,
                  const std::function<Sender()>& make_sender = make_http_sender);
    ~Notifications();  // an exchange under way is ended first, within its time-out
    Notifications(const Notifications&) = delete;
    Notifications& operator=(const Notifications&) = delete;

    // Something was pulled; never blocks. Pulls are written to the queue a moment later, many at
    // once; the last of them may be lost with the process, but not in a shutdown.
    void pulled(store::Event event);
    // The queue has something new. Without it that is found within a second.
    void wake();
    // Is there an endpoint that wants pulls?
    bool wants_pulls() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::jobs
