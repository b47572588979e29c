#include "store/index/sqlite_events.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace berth::store {
namespace {

// Of one answer's texts: a manifest's references may be long.
constexpr std::size_t kTextBytesMax = 1u << 20;
constexpr std::int64_t kTrimmedAtOnce = 2'000;

constexpr const char* kAppend = R"sql(
    INSERT INTO event (at, action, repository, digest, media_type, size, tag, from_repository,
                       reference_list, actor, request)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr const char* kList = R"sql(
    SELECT id, at, action, repository, digest, media_type, size, tag, from_repository,
           reference_list, actor, request
    FROM event WHERE id > ? ORDER BY id LIMIT ?)sql";
constexpr const char* kFirstSince = "SELECT id FROM event WHERE at >= ? ORDER BY id LIMIT 1";
constexpr const char* kFirst = "SELECT id FROM event ORDER BY id LIMIT 1";
// What AUTOINCREMENT remembers, also of events that are gone.
constexpr const char* kLast = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
constexpr const char* kOldest = "SELECT id, at FROM event ORDER BY id LIMIT ?";
constexpr const char* kDelete = "DELETE FROM event WHERE id <= ?";

constexpr const char* kFindCursor = "SELECT told FROM endpoint WHERE name = ?";
constexpr const char* kInsertCursor = "INSERT INTO endpoint (name, told) VALUES (?, ?)";
constexpr const char* kMoveCursor = "UPDATE endpoint SET told = ?3 WHERE name = ?1 AND told = ?2";
constexpr const char* kListCursors = "SELECT name, told FROM endpoint ORDER BY name";
constexpr const char* kDeleteCursor = "DELETE FROM endpoint WHERE name = ?";
constexpr const char* kSlowest = "SELECT told FROM endpoint ORDER BY told LIMIT 1";

EventAction action_of(std::string_view name) {
    for (const auto action : {EventAction::pull, EventAction::mount, EventAction::remove}) {
        if (name == name_of(action)) return action;
    }
    return EventAction::push;
}

Event read_event(const sqlite::Statement& row) {
    return {.id = row.integer(0),
            .at = Time(std::chrono::milliseconds(row.integer(1))),
            .action = action_of(row.text(2)),
            .repository = row.text(3),
            .digest = row.text(4),
            .media_type = row.text(5),
            .size = static_cast<std::uint64_t>(row.integer(6)),
            .tag = row.text(7),
            .from_repository = row.text(8),
            .references = row.text(9),
            .actor = row.text(10),
            .request = row.text(11)};
}

}  // namespace

std::string_view name_of(EventAction action) {
    switch (action) {
        case EventAction::pull:
            return "pull";
        case EventAction::mount:
            return "mount";
        case EventAction::remove:
            return "delete";
        case EventAction::push:
            break;
    }
    return "push";
}

// Ids have no holes: they are given in one sequence, and only the oldest are removed.
std::uint64_t EventQueueState::pending(std::int64_t told) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, last - std::max(told, first - 1)));
}

Result<void> EventRows::append(const Event& event) {
    using sqlite::NullIfEmpty;
    BERTH_CHECK(connection_.execute(
        kAppend, std::int64_t{event.at.time_since_epoch().count()}, name_of(event.action),
        event.repository, NullIfEmpty{event.digest}, NullIfEmpty{event.media_type},
        static_cast<std::int64_t>(event.size), NullIfEmpty{event.tag},
        NullIfEmpty{event.from_repository}, NullIfEmpty{event.references}, event.actor,
        NullIfEmpty{event.request}));
    return {};
}

Result<std::vector<Event>> EventRows::events(std::int64_t after, std::size_t limit) {
    BERTH_TRY(auto rows, connection_.query(kList, after, static_cast<std::int64_t>(limit)));
    std::vector<Event> events;
    for (std::size_t bytes = 0; bytes < kTextBytesMax;) {
        BERTH_TRY(const bool row, rows.step());
        if (!row) break;
        events.push_back(read_event(rows));
        bytes += events.back().references.size() + events.back().request.size();
    }
    return events;
}

Result<std::int64_t> EventRows::last_before(Time time) {
    BERTH_TRY(const auto first,
              connection_.find_integer(kFirstSince, std::int64_t{time.time_since_epoch().count()}));
    if (first) return *first - 1;
    return last_id();
}

Result<EventQueueState> EventRows::state() {
    EventQueueState state;
    BERTH_TRY(state.last, last_id());
    BERTH_TRY(const auto first, connection_.find_integer(kFirst));
    state.first = first.value_or(state.last + 1);
    BERTH_TRY(auto rows, connection_.query(kListCursors));
    for (;;) {
        BERTH_TRY(const bool row, rows.step());
        if (!row) return state;
        state.cursors.push_back({rows.text(0), rows.integer(1)});
    }
}

Result<std::optional<std::int64_t>> EventRows::find_cursor(const std::string& endpoint) {
    return connection_.find_integer(kFindCursor, endpoint);
}

Result<std::int64_t> EventRows::cursor(const std::string& endpoint) {
    BERTH_TRY(const auto told, find_cursor(endpoint));
    if (told) return *told;
    BERTH_TRY(const auto last, last_id());
    BERTH_CHECK(connection_.execute(kInsertCursor, endpoint, last));
    return last;
}

Result<bool> EventRows::move_cursor(const std::string& endpoint, std::int64_t from,
                                    std::int64_t to) {
    BERTH_TRY(const auto moved, connection_.execute(kMoveCursor, endpoint, from, to));
    return moved > 0;
}

Result<void> EventRows::keep_cursors(const std::vector<std::string>& endpoints) {
    BERTH_TRY(const auto known, state());
    for (const auto& cursor : known.cursors) {
        if (std::ranges::find(endpoints, cursor.endpoint) != endpoints.end()) continue;
        BERTH_CHECK(connection_.execute(kDeleteCursor, cursor.endpoint));
    }
    return {};
}

Result<TrimmedEvents> EventRows::trim(Time before, std::uint64_t events_max) {
    BERTH_TRY(const auto last, last_id());
    BERTH_TRY(const auto slowest, connection_.find_integer(kSlowest));
    const std::int64_t told = slowest.value_or(last);
    constexpr std::uint64_t kIdMax = std::numeric_limits<std::int64_t>::max();
    const std::int64_t beyond = last - static_cast<std::int64_t>(std::min(events_max, kIdMax));
    const std::int64_t oldest_kept = before.time_since_epoch().count();

    TrimmedEvents trimmed;
    std::int64_t end = 0;
    {
        BERTH_TRY(auto rows, connection_.query(kOldest, kTrimmedAtOnce));
        for (;;) {
            BERTH_TRY(const bool row, rows.step());
            if (!row) break;
            const std::int64_t id = rows.integer(0);
            if (id > beyond && (id > told || rows.integer(1) >= oldest_kept)) break;
            end = id;
            ++trimmed.removed;
            if (id > told) ++trimmed.untold;
        }
    }
    if (trimmed.removed > 0) BERTH_CHECK(connection_.execute(kDelete, end));
    return trimmed;
}

Result<std::int64_t> EventRows::last_id() {
    BERTH_TRY(const auto last, connection_.find_integer(kLast));
    return last.value_or(0);
}

}  // namespace berth::store
