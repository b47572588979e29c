// Metrics: what is counted and timed, under distribution's names (registry_…) and ours (berth_…),
// and their text in Prometheus' exposition format. docs/operate.md lists all of them.
//
// Thread-safe; what loops call takes no lock and allocates nothing. No label has a value that a
// client chooses: the number of series is bounded by the program and its configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/family.h"

namespace berth::metrics {

// distribution's names for what serves a request, and ours for what it does not have.
enum class HandlerName : std::uint8_t {
    base,
    blob,
    blob_upload,
    blob_upload_chunk,
    catalog,
    manifest,
    tags,
    referrers,
    token,
    admin,
    other
};

struct ServedRequest {
    HandlerName handler{};
    std::string_view method;
    int status = 0;
    std::chrono::nanoseconds duration{0};
    std::uint64_t request_bytes = 0;
    std::uint64_t response_bytes = 0;
};

enum class Delivery { success, failure, error };  // 2xx or 3xx; another status; no answer

class Metrics {
  public:
    // `driver`: distribution's name for where the blobs are, filesystem or inmemory.
    explicit Metrics(std::string driver = "filesystem");
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // For loops. Each request that began ends once.
    void request_began(HandlerName handler);
    void request_ended(const ServedRequest& request);
    // A call of the storage, by distribution's words: Delete, GetContent, List, Move, PutContent,
    // Reader, Stat, Writer; and ours: Sync. Others are not counted.
    void storage_action(std::string_view action, std::chrono::nanoseconds duration);
    // What is kept in memory of blobs and manifests was asked for one.
    void cache_request(bool hit);
    // A call of the descriptor cache in Redis: Stat, SetDescriptor. Others are not counted.
    void redis_action(std::string_view action, std::chrono::nanoseconds duration);

    // Notifications. An event was queued for the endpoint: `type` is Events; `action` and
    // `artifact` (manifest, blob, tag) as the event has them.
    void event(std::string_view type, std::string_view action, std::string_view artifact,
               std::string_view endpoint);
    // The endpoint was told so many events, or was not; `status` is of its answer, 0: none.
    void delivery(Delivery delivery, std::string_view endpoint, int status = 0,
                  std::uint64_t events = 1);
    void pending_events(std::string_view endpoint, std::uint64_t count);

    // Asked when the text is made, on the thread that asks for it: connections, pool depths,
    // repositories…. NaN: not known now, and left out. Several of one name differ by their labels.
    // Before the first text.
    void gauge(std::string name, std::string help, std::function<double()> read,
               Labels labels = {});
    // The same for what only grows.
    void counter(std::string name, std::string help, std::function<double()> read,
                 Labels labels = {});

    // In the order of their names.
    std::vector<Family> families() const;
    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::metrics
