#include "jobs/delivery.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/text.h"

namespace berth::jobs {
namespace {

constexpr std::size_t kBatchMax = 100;
// What an endpoint ignores is passed over in one step; then the cursor moves.
constexpr int kBatchesPassedOver = 20;
constexpr std::chrono::milliseconds kBackoffMax{60'000};
constexpr std::chrono::milliseconds kQueuePause{1'000};

bool is_told(int status) {
    return status >= 200 && status < 400;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

std::string_view artifact_of(const store::Event& event) {
    if (event.digest.empty()) return "tag";
    return event.media_type == "application/octet-stream" ? "blob" : "manifest";
}

}  // namespace

Delivery::Delivery(store::EventQueue& queue, Logger& log, NotificationEndpoint endpoint,
                   EventSource source, metrics::Metrics* metrics, Sender send)
    : queue_(queue),
      log_(log),
      endpoint_(std::move(endpoint)),
      source_(std::move(source)),
      metrics_(metrics),
      send_(std::move(send)),
      batch_(kBatchMax) {}

std::optional<std::chrono::milliseconds> Delivery::step() {
    auto next = try_step();
    if (next) {
        queue_failed_ = false;
        return *next;
    }
    if (!std::exchange(queue_failed_, true)) {
        log_.write(LogLevel::error, "notifications: the event queue cannot be used",
                   {{"endpoint", endpoint_.name}, {"error", next.error().detail}});
    }
    return kQueuePause;
}

Result<std::optional<std::chrono::milliseconds>> Delivery::try_step() {
    BERTH_TRY(const auto told, queue_.cursor(endpoint_.name));
    BERTH_TRY(const auto batch, next_batch(told));
    if (batch.last == told) {
        BERTH_CHECK(report_pending());
        return std::optional<Pause>();
    }
    count(batch.wanted);
    if (!batch.wanted.empty()) {
        if (const auto why = tell(batch.wanted)) {
            BERTH_CHECK(report_pending());
            return std::optional<Pause>(failed(*why));
        }
        succeeded();
    }
    // Where a replay has moved it meanwhile the next step goes on from there.
    BERTH_CHECK(queue_.move_cursor(endpoint_.name, told, batch.last));
    BERTH_CHECK(report_pending());
    return std::optional<Pause>(0);
}

Result<Delivery::Batch> Delivery::next_batch(std::int64_t after) {
    Batch batch{after, {}};
    for (int tries = 0; tries < kBatchesPassedOver && batch.wanted.empty(); ++tries) {
        BERTH_TRY(auto events, queue_.events(batch.last, batch_));
        if (events.empty()) break;
        batch.last = events.back().id;
        std::erase_if(events, [this](const auto& event) { return !wants(event); });
        batch.wanted = std::move(events);
    }
    return batch;
}

bool Delivery::wants(const store::Event& event) const {
    return !contains(endpoint_.ignored_actions, name_of(event.action)) &&
           !contains(endpoint_.ignored_media_types, event.media_type);
}

// Each once, however often it is told.
void Delivery::count(const std::vector<store::Event>& events) {
    for (const auto& event : events) {
        if (event.id <= counted_) continue;
        counted_ = event.id;
        if (metrics_)
            metrics_->event("Events", name_of(event.action), artifact_of(event), endpoint_.name);
    }
}

std::optional<std::string> Delivery::tell(const std::vector<store::Event>& events) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = endpoint_.url;
    request.fields = endpoint_.headers;
    const bool typed = std::ranges::any_of(request.fields, [](const auto& field) {
        return equal_ignoring_case(field.first, "Content-Type");
    });
    if (!typed) request.fields.emplace_back("Content-Type", kEnvelopeMediaType);
    request.body = format_envelope(events, source_);
    request.timeout = endpoint_.timeout;
    request.connect_timeout = endpoint_.timeout;
    // What it says besides its status does not matter, however long.
    request.on_body = [](int, Bytes) { return Result<void>(); };

    const auto answer = send_(request);
    const int status = answer ? answer->status : 0;
    using Outcome = metrics::Delivery;
    const Outcome outcome = !answer           ? Outcome::error
                            : is_told(status) ? Outcome::success
                                              : Outcome::failure;
    if (metrics_) metrics_->delivery(outcome, endpoint_.name, status, events.size());
    if (outcome == Outcome::success) return std::nullopt;
    return answer ? "it answered " + std::to_string(status) : answer.error().detail;
}

std::chrono::milliseconds Delivery::failed(const std::string& why) {
    batch_ = std::max<std::size_t>(1, batch_ / 2);
    ++failures_;
    // A day of failures is not a day of lines.
    if (failures_ == 1 || failures_ == endpoint_.threshold) {
        const bool is_left_alone = failures_ >= endpoint_.threshold;
        log_.write(LogLevel::warn,
                   is_left_alone
                       ? "notifications: the endpoint fails again and again; what it is to be told "
                         "waits, and it is tried again after growing pauses"
                       : "notifications: the endpoint was not told and is tried again",
                   {{"endpoint", endpoint_.name}, {"error", why}});
    }
    if (failures_ < endpoint_.threshold) return Pause(0);
    Pause pause = endpoint_.backoff;
    for (auto n = failures_ - endpoint_.threshold; n > 0 && pause < kBackoffMax; --n)
        pause = std::min(2 * pause, kBackoffMax);
    return pause;
}

void Delivery::succeeded() {
    batch_ = std::min(kBatchMax, 2 * batch_);
    const auto failures = std::exchange(failures_, 0);
    if (failures == 0) return;
    log_.write(LogLevel::info, "notifications: the endpoint is told again",
               {{"endpoint", endpoint_.name}, {"failures", std::to_string(failures)}});
}

Result<void> Delivery::report_pending() {
    if (!metrics_) return {};
    BERTH_TRY(const auto state, queue_.event_queue_state());
    for (const auto& cursor : state.cursors) {
        if (cursor.endpoint == endpoint_.name)
            metrics_->pending_events(endpoint_.name, state.pending(cursor.told));
    }
    return {};
}

}  // namespace berth::jobs
