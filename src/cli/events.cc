// berth events: what endpoints are told, and telling it again.
#include <charconv>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/stores.h"
#include "base/encoding.h"
#include "cli/commands.h"
#include "cli/policy_question.h"
#include "cli/terminal.h"

namespace berth::cli {

namespace {

using Json = nlohmann::ordered_json;
using store::Event;

constexpr std::size_t kPageEvents = 100;

struct Arguments {
    std::string config;
    bool as_json = false;
    // list
    std::optional<std::int64_t> after;
    std::size_t limit = 50;
    // replay
    std::string endpoint;
    std::string since;
    std::optional<std::int64_t> last;
};

struct Opened {
    app::Config config;
    SystemClock clock;
    app::Stores stores;
};

Result<std::unique_ptr<Opened>> open(const Arguments& arguments) {
    auto opened = std::make_unique<Opened>();
    BERTH_TRY(opened->config, command_config(arguments.config));
    BERTH_TRY(opened->stores, app::open_existing_stores(opened->config, opened->clock));
    return opened;
}

Json json_of(const Event& event) {
    Json out{{"id", event.id},
             {"at", format_rfc3339(event.at)},
             {"action", name_of(event.action)},
             {"repository", event.repository}};
    for (const auto& [name, text] :
         {std::pair("digest", &event.digest), std::pair("mediaType", &event.media_type),
          std::pair("tag", &event.tag), std::pair("fromRepository", &event.from_repository),
          std::pair("actor", &event.actor)}) {
        if (!text->empty()) out[name] = *text;
    }
    if (event.size > 0) out["size"] = event.size;
    return out;
}

std::string short_digest(const std::string& digest) {
    const auto hex = digest.find(':');
    return hex == std::string::npos ? digest : digest.substr(0, hex + 13);
}

// Without `--after` the newest.
Result<void> list(const Arguments& arguments) {
    BERTH_TRY(const auto opened, open(arguments));
    const store::EventQueue& queue = *opened->stores.index;
    BERTH_TRY(const auto state, queue.event_queue_state());
    std::int64_t after =
        arguments.after.value_or(state.last - static_cast<std::int64_t>(arguments.limit));
    auto out = Json::array();
    Table table({"ID", "TIME", "ACTION", "REPOSITORY", "TAG", "DIGEST", "BY"});
    for (std::size_t left = arguments.limit; left > 0;) {
        BERTH_TRY(const auto page, queue.events(after, std::min(left, kPageEvents)));
        if (page.empty()) break;
        for (const auto& event : page) {
            if (arguments.as_json) out.push_back(json_of(event));
            table.add({std::to_string(event.id), human_time(event.at),
                       std::string(name_of(event.action)), plain_text(event.repository),
                       plain_text(event.tag), plain_text(short_digest(event.digest)),
                       plain_text(event.actor)});
        }
        after = page.back().id;
        left -= page.size();
    }
    if (arguments.as_json) {
        print(out.dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        table.print();
    }
    return {};
}

// An endpoint that the server has not seen yet has no place in the queue.
Result<void> show_status(const Arguments& arguments) {
    BERTH_TRY(const auto opened, open(arguments));
    BERTH_TRY(const auto state, opened->stores.index->event_queue_state());
    auto endpoints = Json::array();
    Table table({"ENDPOINT", "TOLD UP TO", "PENDING", ""});
    for (const auto& endpoint : opened->config.notifications.endpoints) {
        const auto cursor =
            std::ranges::find(state.cursors, endpoint.name, &store::EventCursor::endpoint);
        Json out{{"name", endpoint.name}, {"disabled", endpoint.disabled}};
        std::vector<std::string> row{plain_text(endpoint.name), "-", "-",
                                     endpoint.disabled ? "disabled" : ""};
        if (cursor != state.cursors.end()) {
            const auto pending = state.pending(cursor->told);
            out["told"] = cursor->told;
            out["pending"] = pending;
            row[1] = std::to_string(cursor->told);
            row[2] = std::to_string(pending);
        }
        endpoints.push_back(std::move(out));
        table.add(std::move(row));
    }
    if (arguments.as_json) {
        const Json out{{"first", state.first}, {"last", state.last}, {"endpoints", endpoints}};
        print(out.dump(2, ' ', false, Json::error_handler_t::replace));
        return {};
    }
    table.print();
    const auto kept = static_cast<std::uint64_t>(state.last - state.first + 1);
    print(kept == 0 ? "no events are kept"
                    : std::to_string(kept) + " events are kept: " + std::to_string(state.first) +
                          " to " + std::to_string(state.last));
    return {};
}

std::optional<std::int64_t> parse_id(const std::string& text) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && id > 0 ? std::optional(id) : std::nullopt;
}

// The event after which everything is to be told again.
Result<std::int64_t> replay_from(const Arguments& arguments, const store::EventQueue& queue,
                                 const store::EventQueueState& state) {
    if (arguments.last) return state.last - *arguments.last;
    if (const auto id = parse_id(arguments.since)) return *id - 1;
    BERTH_TRY(const Time time, parse_moment(arguments.since));
    return queue.last_event_before(time);
}

Result<std::int64_t> told(const Arguments& arguments, const store::EventQueueState& state) {
    const auto cursor =
        std::ranges::find(state.cursors, arguments.endpoint, &store::EventCursor::endpoint);
    if (cursor != state.cursors.end()) return cursor->told;
    return fail(Errc::not_found, "the server knows no endpoint " + arguments.endpoint +
                                     ": `berth events status` shows those there are");
}

void print_replay(const Arguments& arguments, std::int64_t first, std::uint64_t count) {
    if (arguments.as_json) {
        print(Json{{"endpoint", arguments.endpoint}, {"first", first}, {"again", count}}.dump(2));
    } else if (count == 0) {
        print("there is nothing to tell again: what comes since then waits already");
    } else {
        print(plain_text(arguments.endpoint) + " is told " + std::to_string(count) +
              " events again, from " + std::to_string(first) + " on");
    }
}

// Never forward: what waits is told anyway, and must not be skipped.
Result<void> replay(const Arguments& arguments) {
    BERTH_TRY(const auto opened, open(arguments));
    store::EventQueue& queue = *opened->stores.index;
    for (;;) {
        BERTH_TRY(const auto state, queue.event_queue_state());
        BERTH_TRY(const auto from, told(arguments, state));
        BERTH_TRY(const auto wanted, replay_from(arguments, queue, state));
        const std::int64_t to = std::max(wanted, state.first - 1);
        if (to >= from) {
            print_replay(arguments, to + 1, 0);
            return {};
        }
        // The server moves it as well, and may have just now.
        BERTH_TRY(const bool moved, queue.move_cursor(arguments.endpoint, from, to));
        if (!moved) continue;
        print_replay(arguments, to + 1, static_cast<std::uint64_t>(from - to));
        return {};
    }
}

using Action = Result<void> (*)(const Arguments&);

std::shared_ptr<Arguments> add_command(CLI::App& command, Run& run, Action action) {
    const auto arguments = std::make_shared<Arguments>();
    command.add_flag("--json", arguments->as_json, "print JSON");
    add_config_option(command, arguments->config);
    command.callback(
        [arguments, action, &run] { run = [arguments, action] { return action(*arguments); }; });
    return arguments;
}

}  // namespace

void add_events(CLI::App& app, Run& run) {
    auto* events = app.add_subcommand("events", "what notification endpoints are told");
    events->require_subcommand(1);

    auto* shown = events->add_subcommand("list", "list what has happened, oldest first");
    const auto listed = add_command(*shown, run, list);
    shown->add_option("--after", listed->after, "begin behind this event (else: the newest)")
        ->check(CLI::NonNegativeNumber);
    shown->add_option("--limit", listed->limit, "how many at most")->capture_default_str();

    auto* status = events->add_subcommand("status", "how far each endpoint was told");
    add_command(*status, run, show_status);

    auto* again = events->add_subcommand("replay", "tell an endpoint again");
    const auto replayed = add_command(*again, run, replay);
    again->add_option("--endpoint", replayed->endpoint, "its name")->required();
    auto* from = again->add_option_group("from", "from where on");
    from->add_option("--since", replayed->since,
                     "an event's number, a day, or a time (2026-11-25T12:00:00Z)");
    from->add_option("--last", replayed->last, "so many of the newest events")
        ->check(CLI::PositiveNumber);
    from->require_option(1);
}

}  // namespace berth::cli
