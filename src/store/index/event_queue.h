// EventQueue: what happened in the registry and whom it was told (notifications). A part of the
// index, so that an event is written in the transaction that makes it true.
//
// Events have rising ids. Each endpoint has a cursor: the last event it was told, or that was none
// of its business. Thread-safe and blocking, as the index is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth::store {

enum class EventAction { push, pull, mount, remove };

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

class EventQueue {
  public:
    virtual ~EventQueue() = default;

    // Events that change nothing in the index (pulls). Their ids are given here.
    virtual Result<void> append_events(const std::vector<Event>& events) = 0;
    // In the order of their ids, after `after`, at most `limit`.
    virtual Result<std::vector<Event>> events(std::int64_t after, std::size_t limit) const = 0;
    // The endpoint's cursor. A new endpoint begins behind the last event there is.
    virtual Result<std::int64_t> cursor(const std::string& endpoint) = 0;
    // Moves it from `from` to `to`. False: it stands elsewhere by now (a replay), and was not
    // moved.
    virtual Result<bool> advance_cursor(const std::string& endpoint, std::int64_t from,
                                        std::int64_t to) = 0;
    // Sets it, for a replay. Errc::not_found: no such endpoint.
    virtual Result<void> set_cursor(const std::string& endpoint, std::int64_t to) = 0;
    // Forgets the cursors of all other endpoints.
    virtual Result<void> keep_cursors(const std::vector<std::string>& endpoints) = 0;
    // Removes events older than `before` that every cursor has passed, and beyond `events_max` the
    // oldest in any case. Returns how many of those removed some endpoint was never told.
    virtual Result<std::uint64_t> trim_events(Time before, std::uint64_t events_max) = 0;
};

}  // namespace berth::store
