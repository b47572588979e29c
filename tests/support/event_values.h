// What tests of notifications share: events in a queue of an index in memory, and an endpoint that
// is a function.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "jobs/notifications.h"

namespace berth::jobs {

inline LogOptions errors_only() {
    LogOptions options;
    options.level = LogLevel::error;
    return options;
}

// Stands for an endpoint: keeps what it was told, and answers as it is told to. Thread-safe.
class FakeEndpoint {
  public:
    // The answers to the next requests, before 200 again; 0: none comes.
    void answer_next(std::vector<int> statuses) {
        std::lock_guard lock(mutex_);
        answers_.insert(answers_.end(), statuses.begin(), statuses.end());
    }
    // Runs during each request.
    std::function<void()> on_request = [] {};

    Sender sender() {
        return [this](const http::ClientRequest& request) { return take(request); };
    }
    // How many events each request had, also of those that failed.
    std::vector<std::size_t> sizes() const {
        std::lock_guard lock(mutex_);
        return sizes_;
    }
    // `push team/app v1` of each event that it has acknowledged, in order.
    std::vector<std::string> told() const {
        std::lock_guard lock(mutex_);
        return told_;
    }
    std::vector<std::string> ids() const {
        std::lock_guard lock(mutex_);
        return ids_;
    }
    std::vector<http::ClientRequest> requests() const {
        std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    Result<http::ClientResponse> take(const http::ClientRequest& request) {
        on_request();
        std::lock_guard lock(mutex_);
        const auto events = nlohmann::json::parse(request.body)["events"];
        requests_.push_back(request);
        sizes_.push_back(events.size());
        int status = 200;
        if (!answers_.empty()) {
            status = answers_.front();
            answers_.pop_front();
        }
        for (const auto& event : events) {
            ids_.push_back(event["id"]);
            if (status < 200 || status >= 400) continue;
            told_.push_back(event["action"].get<std::string>() + " " +
                            event["target"]["repository"].get<std::string>() +
                            event["target"].value("tag", ""));
        }
        if (status == 0) return fail(Errc::unavailable, "endpoint: connection refused");
        return http::ClientResponse{.status = status};
    }

    mutable std::mutex mutex_;
    std::deque<int> answers_;
    std::vector<std::size_t> sizes_;
    std::vector<std::string> told_, ids_;
    std::vector<http::ClientRequest> requests_;
};

inline store::Event event_of(store::EventAction action, const std::string& repository,
                             const std::string& media_type = "a/manifest") {
    store::Event event;
    event.action = action;
    event.repository = repository;
    event.digest = "sha256:1";
    event.media_type = media_type;
    return event;
}

// Named `1`, `2`…
inline std::vector<store::Event> numbered_pushes(int first, int count) {
    std::vector<store::Event> events;
    for (int n = first; n < first + count; ++n)
        events.push_back(event_of(store::EventAction::push, std::to_string(n)));
    return events;
}

}  // namespace berth::jobs
