// A process that is killed at any moment: whatever it had acknowledged is in the index, and nothing
// half.
//
// A child writes from several threads and tells of each acknowledgement over a pipe; after a random
// number of them it gets SIGKILL. The parent, which has no threads then, opens the same file and
// looks. The seed is printed.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "store/index/sqlite_index.h"
#include "support/fake_clock.h"
#include "support/index_check.h"
#include "support/index_values.h"
#include "support/temporary_directory.h"

namespace berth::store {
namespace {

constexpr int kRounds = 25;
constexpr std::uint64_t kWriters = 4;

const RepositoryName& repository() {
    static const RepositoryName name = repository_of("killed");
    return name;
}

Tag tag_for(std::uint64_t number) {
    return tag_of("t" + std::to_string(number));
}

// Pushes blob 2n, and manifest 2n+1 that names it and has a tag, for n = first, first + kWriters…
void push_for_ever(Index& index, std::uint64_t first, int acknowledgements) {
    for (std::uint64_t n = first;; n += kWriters) {
        const Digest blob = digest_of(2 * n);
        if (!index.link_blob(repository(), blob, 5, {})) _exit(1);
        if (!index.put_manifest(repository(), image_of(2 * n + 1, {blob}), {tag_for(n)},
                                Overwrite::yes, {})) {
            _exit(2);
        }
        if (::write(acknowledgements, &n, sizeof n) != sizeof n) _exit(3);
    }
}

[[noreturn]] void child(const std::string& path, std::uint64_t start, int acknowledgements) {
    FakeClock clock;
    auto index = open_sqlite_index({.path = path}, clock);
    if (!index) _exit(4);
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < kWriters; ++i) {
        threads.emplace_back([&, i] { push_for_ever(**index, start + i, acknowledgements); });
    }
    for (auto& thread : threads)
        thread.join();
    _exit(5);
}

// What the child acknowledged until it was killed, after `count` of them.
std::vector<std::uint64_t> run_and_kill(const std::string& path, std::uint64_t start, int count) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    UniqueFd input(ends[0]);
    UniqueFd output(ends[1]);
    const pid_t pid = ::fork();
    if (pid == 0) child(path, start, output.get());
    output.reset();
    std::vector<std::uint64_t> acknowledged;
    std::uint64_t number = 0;
    while (::read(input.get(), &number, sizeof number) == sizeof number) {
        acknowledged.push_back(number);
        if (std::ssize(acknowledged) == count) ::kill(pid, SIGKILL);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    return acknowledged;
}

TEST(SqliteIndexKilled, KeepsWhatItAcknowledged) {
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    TemporaryDirectory directory;
    const std::string path = directory.file("index.db");
    FakeClock clock;
    std::uint64_t start = 0;
    for (int round = 0; round < kRounds; ++round) {
        const int count = std::uniform_int_distribution(1, 60)(random);
        const auto acknowledged = run_and_kill(path, start, count);
        ASSERT_GE(std::ssize(acknowledged), count);
        auto index = open_sqlite_index({.path = path}, clock);
        ASSERT_TRUE(index) << index.error().detail;
        for (std::uint64_t n : acknowledged) {
            const auto tag = (*index)->find_tag(repository(), tag_for(n)).value();
            ASSERT_TRUE(tag) << "tag " << n << " of round " << round;
            EXPECT_EQ(tag->digest, digest_of(2 * n + 1));
            EXPECT_TRUE((*index)->find_manifest(repository(), tag->digest).value());
            EXPECT_TRUE((*index)->find_blob(repository(), digest_of(2 * n)).value());
        }
        const auto found = inconsistencies_of(path);
        ASSERT_TRUE(found.empty()) << found.front();
        start += 100'000;
    }
}

}  // namespace
}  // namespace berth::store
