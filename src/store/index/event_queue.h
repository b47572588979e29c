// EventQueue: what happened in the registry and whom it was told (notifications). A part of the
// index, so that an event is written in the transaction that makes it true.
//
// Events have rising ids. Each endpoint has a cursor: the last event it was told, or that was none
// of its business. Thread-safe and blocking, as the index is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth::store {

enum class EventAction { push, pull, mount, remove };

// Its name in the notifications' envelope: push, pull, mount, delete.
std::string_view name_of(EventAction action);

// What an index records of its own changes. Nothing is, where nobody is to be told.
struct RecordedEvents {
    bool push = false, mount = false, remove = false;

    bool any() const { return push || mount || remove; }
};

struct Event {
    std::int64_t id = 0;
    Time at;
    EventAction action{};
    std::string repository;
    std::string digest;      // empty: a tag was deleted
    std::string media_type;  // of a manifest; application/octet-stream: a blob
    std::uint64_t size = 0;
    std::string tag;              // empty: none
    std::string from_repository;  // of a mount
    std::string references;       // JSON array of descriptors; empty: none
    std::string actor;            // empty: anonymous
    std::string request;          // JSON object: id, addr, host, method, useragent; empty: none
};

// How far an endpoint was told.
struct EventCursor {
    std::string endpoint;
    std::int64_t told = 0;
};

struct EventQueueState {
    std::int64_t first = 1;            // the oldest event that is kept; last + 1: none is
    std::int64_t last = 0;             // the id that was given last
    std::vector<EventCursor> cursors;  // by the endpoints' names

    // How many events are kept that come after the one told last.
    std::uint64_t pending(std::int64_t told) const;
};

struct TrimmedEvents {
    std::uint64_t removed = 0;
    std::uint64_t untold = 0;  // of them: those that some endpoint was never told
};

class EventQueue {
  public:
    virtual ~EventQueue() = default;

    // Events that change nothing in the index (pulls). Their ids are given here.
    virtual Result<void> append_events(const std::vector<Event>& events) = 0;
    // In the order of their ids, after `after`, at most `limit`; fewer where they are long, so that
    // an answer is not much more than 1 MiB. None: there is none.
    virtual Result<std::vector<Event>> events(std::int64_t after, std::size_t limit) const = 0;
    // The id after which the events since `time` come.
    virtual Result<std::int64_t> last_event_before(Time time) const = 0;
    virtual Result<EventQueueState> event_queue_state() const = 0;
    // The endpoint's cursor. A new endpoint begins behind the last event there is.
    virtual Result<std::int64_t> cursor(const std::string& endpoint) = 0;
    // Moves it from `from` to `to`, forward or, for a replay, back. False: it stands elsewhere by
    // now, and was not moved.
    virtual Result<bool> move_cursor(const std::string& endpoint, std::int64_t from,
                                     std::int64_t to) = 0;
    // Forgets the cursors of all other endpoints.
    virtual Result<void> keep_cursors(const std::vector<std::string>& endpoints) = 0;
    // Removes events older than `before` that every cursor has passed, and beyond `events_max` the
    // oldest in any case: some thousands in one call, so that writers need not wait long.
    virtual Result<TrimmedEvents> trim_events(Time before, std::uint64_t events_max) = 0;
};

}  // namespace berth::store
