// EventRows: the event queue as SQL, within a transaction or a read that the caller began.
#pragma once

#include <cstdint>
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

    Result<void> append(const std::vector<Event>& events);
    Result<std::vector<Event>> events(std::int64_t after, std::size_t limit);
    Result<std::int64_t> cursor(const std::string& endpoint);
    Result<bool> advance_cursor(const std::string& endpoint, std::int64_t from, std::int64_t to);
    Result<void> set_cursor(const std::string& endpoint, std::int64_t to);
    Result<void> keep_cursors(const std::vector<std::string>& endpoints);
    Result<std::uint64_t> trim(Time before, std::uint64_t events_max);

  private:
    sqlite::Connection& connection_;
};

}  // namespace berth::store
