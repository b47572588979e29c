// Delivery: tells one endpoint what is in the event queue, a batch at a time, in order.
//
// What was told is behind the endpoint's cursor, which moves only after the endpoint has answered
// 2xx or 3xx: an event is told at least once, and again if the process ends between the answer and
// the cursor's move. It keeps no events, so what waits for an endpoint that is down waits on the
// disk. Used by one thread; it sends and writes, and so blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "http/client.h"
#include "jobs/envelope.h"
#include "jobs/notifications.h"
#include "metrics/metrics.h"
#include "store/index/event_queue.h"

namespace berth::jobs {

class Delivery {
  public:
    // What it is given outlives it. `metrics` may be null.
    Delivery(store::EventQueue& queue, Logger& log, NotificationEndpoint endpoint,
             EventSource source, metrics::Metrics* metrics, Sender send);

    // Tells the next batch, or tries to. How long to wait before the next step: zero when there
    // may be more to tell, nullopt when there is not.
    //
    // A batch has up to 100 events. It is halved after each failure, down to one event, which is
    // what distribution sends, and doubled after each success: who cannot take many at once, or
    // takes long over them, gets fewer. The first failures are followed by another try at once, as
    // in distribution; from `threshold` in a row on each is followed by a pause, `backoff` at
    // first and then twice the one before, up to a minute (or `backoff`, where that is longer).
    std::optional<std::chrono::milliseconds> step();

    const std::string& name() const { return endpoint_.name; }

  private:
    using Pause = std::chrono::milliseconds;

    // What comes after `after`: up to where it was read, and of it what the endpoint wants.
    struct Batch {
        std::int64_t last = 0;
        std::vector<store::Event> wanted;
    };

    Result<std::optional<Pause>> try_step();
    Result<Batch> next_batch(std::int64_t after);
    bool wants(const store::Event& event) const;
    void count(const std::vector<store::Event>& events);
    // nullopt: told. Else why not.
    std::optional<std::string> tell(const std::vector<store::Event>& events);
    Pause failed(const std::string& why);
    void succeeded();
    Result<void> report_pending();

    store::EventQueue& queue_;
    Logger& log_;
    const NotificationEndpoint endpoint_;
    const EventSource source_;
    metrics::Metrics* const metrics_;
    const Sender send_;
    std::size_t batch_ = 0;       // events in one envelope
    std::uint64_t failures_ = 0;  // in a row
    std::int64_t counted_ = 0;    // the last event that the metrics know of
    bool queue_failed_ = false;   // the last step could not read or write the queue
};

}  // namespace berth::jobs
