// Metrics: what is counted and timed, under distribution's names (registry_…) and ours (berth_…),
// and their text in Prometheus' exposition format. docs/operate.md lists all of them.
//
// Thread-safe; what loops call takes no lock and allocates nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace berth::metrics {

// distribution's names for what serves a request.
enum class HandlerName {
    base,
    blob,
    blob_upload,
    blob_upload_chunk,
    catalog,
    manifest,
    tags,
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
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    void request_began(HandlerName handler);
    void request_ended(const ServedRequest& request);
    // A call of the blob store's driver: GetContent, PutContent, Reader, Writer, Stat, List, Move,
    // Delete.
    void storage_action(std::string_view action, std::chrono::nanoseconds duration);
    // distribution's registry_storage_storage_blob_upload_total: new, resumed, committed,
    // cancelled, failed…
    void blob_upload(std::string_view type);
    // The descriptor cache was asked.
    void cache_request(bool hit);
    void event(std::string_view type, std::string_view action, std::string_view artifact,
               std::string_view endpoint);
    void delivery(Delivery delivery, std::string_view endpoint);
    void pending_events(std::string_view endpoint, std::uint64_t count);

    // Asked when the text is made: connections, cache bytes, pool depths, repositories….
    void gauge(std::string name, std::string help, std::function<double()> read);

    std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace berth::metrics
