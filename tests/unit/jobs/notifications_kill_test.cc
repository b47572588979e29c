// Goal: a process that is killed at any moment, again and again, while it pushes and tells: every
// push that it acknowledged is told at least once, under one id, and in order in each repository.
// Method: a child writes to an index in a file from several threads and runs the whole job; its
// endpoint is a pipe that fails now and then, before or after it took what it was told. After a
// random number of acknowledgements the child gets SIGKILL. At the end the parent tells the rest.
// The seed is printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "base/unique_fd.h"
#include "jobs/notifications.h"
#include "store/index/sqlite_index.h"
#include "support/event_values.h"
#include "support/fake_clock.h"
#include "support/index_values.h"
#include "support/temporary_directory.h"

namespace berth::jobs {
namespace {

constexpr int kRounds = 25;
constexpr std::uint64_t kWriters = 3;

// One push: the writer's, and its number there.
struct Push {
    std::uint64_t writer = 0;
    std::uint64_t number = 0;
    auto operator<=>(const Push&) const = default;
};

struct Told {
    Push push;
    std::array<char, 36> id{};
};

Told told_of(const nlohmann::json& event) {
    Told told;
    const auto id = event["id"].get<std::string>();
    std::memcpy(told.id.data(), id.data(), told.id.size());
    const auto repository = event["target"]["repository"].get<std::string>();
    told.push.writer = std::stoull(repository.substr(repository.find('/') + 1));
    told.push.number = std::stoull(event["target"]["tag"].get<std::string>());
    return told;
}

store::SqliteIndexOptions index_options(const std::string& path) {
    return {.path = path, .events = {.push = true}};
}

NotificationOptions notification_options() {
    NotificationOptions options;
    options.endpoints.resize(1);
    options.endpoints[0].name = "pipe";
    options.endpoints[0].backoff = std::chrono::milliseconds(1);
    return options;
}

void push_for_ever(store::Index& index, Push push, int acknowledgements) {
    const auto repository = store::repository_of("killed/" + std::to_string(push.writer));
    for (;; ++push.number) {
        const auto tag = store::tag_of(std::to_string(push.number));
        if (!index.put_manifest(repository, store::image_of(push.number), {tag},
                                store::Overwrite::yes, {})) {
            _exit(1);
        }
        if (::write(acknowledgements, &push, sizeof push) != sizeof push) _exit(2);
    }
}

// Every seventh request fails before it is taken, every eleventh after.
Sender sender_to(int pipe) {
    return [pipe, count = 0](const http::ClientRequest& request) mutable {
        ++count;
        if (count % 7 == 0) return Result<http::ClientResponse>({.status = 500});
        const auto envelope = nlohmann::json::parse(request.body);
        for (const auto& event : envelope["events"]) {
            const Told told = told_of(event);
            if (::write(pipe, &told, sizeof told) != sizeof told) _exit(3);
        }
        return Result<http::ClientResponse>({.status = count % 11 == 0 ? 504 : 200});
    };
}

[[noreturn]] void child(const std::string& path, std::uint64_t start, int acknowledgements,
                        int endpoint) {
    FakeClock clock;
    auto log = Logger::open(errors_only(), clock).value();
    auto index = store::open_sqlite_index(index_options(path), clock);
    if (!index) _exit(4);
    Notifications notifications(**index, clock, *log, notification_options(), nullptr,
                                [endpoint] { return sender_to(endpoint); });
    std::vector<std::thread> threads;
    for (std::uint64_t writer = 0; writer < kWriters; ++writer) {
        threads.emplace_back(
            [&, writer] { push_for_ever(**index, {writer, start}, acknowledgements); });
    }
    for (;;) {
        notifications.wake();
        std::this_thread::yield();
    }
}

struct Seen {
    std::vector<Push> acknowledged;
    std::vector<Told> told;
};

// What is read whole from the pipe now; false: its other end is closed.
template <class Record>
bool read_one(int pipe, std::vector<Record>& records) {
    Record record;
    if (::read(pipe, &record, sizeof record) != sizeof record) return false;
    records.push_back(record);
    return true;
}

void run_and_kill(const std::string& path, std::uint64_t start, std::size_t count, Seen& seen) {
    int ends[2];
    int endpoint[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::pipe(endpoint), 0);
    UniqueFd acknowledgements(ends[0]), told(endpoint[0]);
    UniqueFd to_acknowledge(ends[1]), to_tell(endpoint[1]);
    const pid_t pid = ::fork();
    if (pid == 0) child(path, start, to_acknowledge.get(), to_tell.get());
    to_acknowledge.reset();
    to_tell.reset();
    const std::size_t enough = seen.acknowledged.size() + count;
    std::array<pollfd, 2> polled{pollfd{acknowledgements.get(), POLLIN, 0},
                                 pollfd{told.get(), POLLIN, 0}};
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        ASSERT_GT(::poll(polled.data(), polled.size(), -1), 0);
        if (polled[0].revents != 0 && !read_one(polled[0].fd, seen.acknowledged)) polled[0].fd = -1;
        if (polled[1].revents != 0 && !read_one(polled[1].fd, seen.told)) polled[1].fd = -1;
        if (seen.acknowledged.size() == enough) ::kill(pid, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
}

// What nobody was told yet.
void tell_the_rest(const std::string& path, std::vector<Told>& told) {
    FakeClock clock;
    auto log = Logger::open(errors_only(), clock).value();
    auto index = store::open_sqlite_index(index_options(path), clock).value();
    std::mutex mutex;
    const auto send = [&](const http::ClientRequest& request) {
        const auto envelope = nlohmann::json::parse(request.body);
        std::lock_guard lock(mutex);
        for (const auto& event : envelope["events"])
            told.push_back(told_of(event));
        return Result<http::ClientResponse>({.status = 200});
    };
    Notifications notifications(*index, clock, *log, notification_options(), nullptr,
                                [&send] { return Sender(send); });
    for (;;) {
        const auto state = index->event_queue_state().value();
        if (state.pending(state.cursors.at(0).told) == 0) return;
        std::this_thread::yield();
    }
}

TEST(NotificationsKilled, TellOfEveryAcknowledgedPushInOrder) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    TemporaryDirectory directory;
    const std::string path = directory.file("index.db");
    Seen seen;
    for (std::uint64_t round = 0; round < kRounds; ++round) {
        const auto count = std::uniform_int_distribution<std::size_t>(1, 80)(random);
        run_and_kill(path, round * 100'000, count, seen);
        if (HasFatalFailure()) return;
    }
    const std::size_t told_by_children = seen.told.size();
    tell_the_rest(path, seen.told);
    EXPECT_GT(told_by_children, 0u) << "too little happened to mean anything";

    std::map<Push, std::string> ids;
    std::map<std::uint64_t, std::uint64_t> newest;
    for (const Told& told : seen.told) {
        const std::string id(told.id.begin(), told.id.end());
        const auto [known, is_new] = ids.emplace(told.push, id);
        EXPECT_EQ(known->second, id) << "told again under another id";
        if (!is_new) continue;
        auto& last = newest.try_emplace(told.push.writer, 0).first->second;
        EXPECT_GE(told.push.number, last) << "out of order";
        last = told.push.number;
    }
    std::set<std::string> distinct;
    for (const auto& [push, id] : ids)
        distinct.insert(id);
    EXPECT_EQ(distinct.size(), ids.size());
    for (const Push& push : seen.acknowledged)
        ASSERT_TRUE(ids.contains(push)) << push.number << " of writer " << push.writer;
}

}  // namespace
}  // namespace berth::jobs
