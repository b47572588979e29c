// EventRows: the event queue as SQL, within a transaction or a read that the caller began.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/index/event_queue.h"
#include "store/index/sqlite.h"

namespace berth::store {

class EventRows {
  public:
    // The connection outlives this.
    explicit EventRows(sqlite::Connection& connection) : connection_(connection) {}

    Result<void> append(const Event& event);
    Result<std::vector<Event>> events(std::int64_t after, std::size_t limit);
    Result<std::int64_t> last_before(Time time);
    Result<EventQueueState> state();
    Result<std::optional<std::int64_t>> find_cursor(const std::string& endpoint);
    Result<std::int64_t> cursor(const std::string& endpoint);
    Result<bool> move_cursor(const std::string& endpoint, std::int64_t from, std::int64_t to);
    Result<void> keep_cursors(const std::vector<std::string>& endpoints);
    Result<TrimmedEvents> trim(Time before, std::uint64_t events_max);

  private:
    Result<std::int64_t> last_id();

    sqlite::Connection& connection_;
};

}  // namespace berth::store
