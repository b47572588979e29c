// The log as a whole, on real files: its chain over starts, crashes, rotations, a disk that is
// full, and many recorders at once.
#include "auth/audit/audit_log.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "auth/audit/audit_file.h"
#include "auth/audit/audit_verify.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/auth/audit/audit_sample.h"

namespace berth::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AuditVerdict verify(const std::string& path) {
    const auto verified = verify_audit(*audit_files(path));
    EXPECT_TRUE(verified) << verified.error().detail;
    return verified.value_or(AuditVerdict{});
}

// A disk that is full: no file of this process may grow beyond a bound.
class FullDisk {
  public:
    explicit FullDisk(std::uint64_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        rlimit full = before_;
        full.rlim_cur = bytes;
        setrlimit(RLIMIT_FSIZE, &full);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

  private:
    rlimit before_{};
};

TEST(AuditLog, BeginsGoesOnAndEndsItsChain) {
    AuditPlace place;
    place.run({"alice"});
    EXPECT_EQ(story_of(place.path()), "opened started alice stopped");
    EXPECT_TRUE(lines_of(place.path())
                    .front()
                    .starts_with(R"({"seq":1,"prev":")" + first_audit_hash() +
                                 R"(","at":"2024-01-02T00:00:00.000Z","event":"opened")"));
    place.run({"bob", "carol"});
    EXPECT_EQ(story_of(place.path()), "opened started alice stopped started bob carol stopped");
    EXPECT_EQ(verify(place.path()).lines, 8u);
    EXPECT_THAT(place.reported, IsEmpty());
    struct ::stat found{};
    ASSERT_EQ(::stat(place.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0007, 0u);
}

TEST(AuditLog, IsInTheFileAfterAFlush) {
    AuditPlace place;
    const auto log = *place.open();
    log->record(sample_record("alice"));
    log->flush();
    EXPECT_EQ(story_of(place.path()), "opened started alice");
    log->flush();
    log->record(sample_record("bob"));
    log->flush();
    EXPECT_EQ(story_of(place.path()), "opened started alice bob");
}

TEST(AuditLog, WritesByItselfWhenNobodyAsks) {
    AuditPlace place;
    const auto log = *place.open();
    log->record(sample_record("alice"));
    while (!story_of(place.path()).ends_with("alice"))
        std::this_thread::yield();
}

TEST(AuditLog, RotatesAndKeepsSoManyFiles) {
    AuditPlace place;
    place.options.bytes_max = 1500;
    place.options.files_max = 2;
    place.run({"a", "b", "c", "d", "e", "f", "g", "h"});
    EXPECT_EQ(story_of(place.rotated(2)), "opened started a b c");
    EXPECT_EQ(story_of(place.rotated(1)), "opened d e f");
    EXPECT_EQ(story_of(place.path()), "opened g h stopped");
    EXPECT_EQ(verify(place.path()).first, 1u);

    place.run({"i", "j", "k"});
    EXPECT_EQ(story_of(place.rotated(2)), "opened d e f");
    EXPECT_EQ(story_of(place.path()), "opened i j k stopped");
    EXPECT_FALSE(std::filesystem::exists(place.rotated(3)));
    EXPECT_GT(verify(place.path()).first, 1u);
    EXPECT_THAT(place.reported, IsEmpty());
}

TEST(AuditLog, KeepsNoOldFilesWhenNoneAreWanted) {
    AuditPlace place;
    place.options.bytes_max = 1500;
    place.options.files_max = 0;
    place.run({"a", "b", "c", "d"});
    EXPECT_EQ(story_of(place.path()), "opened d stopped");
    EXPECT_EQ(audit_files(place.path())->size(), 1u);
}

// A crash between two renames leaves a gap, which the next rotation fills first.
TEST(AuditLog, LosesNoFileToARotationThatWasBrokenOff) {
    AuditPlace place;
    place.options.bytes_max = 1500;
    place.options.files_max = 3;
    place.run({"a", "b", "c", "d", "e", "f", "g", "h"});
    std::filesystem::rename(place.rotated(2), place.rotated(3));
    std::filesystem::rename(place.rotated(1), place.rotated(2));
    place.run({"i", "j"});
    EXPECT_EQ(audit_files(place.path())->size(), 4u);
    EXPECT_EQ(verify(place.path()).first, 1u);
    // The same, broken off when the file itself had been renamed.
    std::filesystem::rename(place.path(), place.rotated(1) + "x");
    std::filesystem::remove(place.rotated(3));
    std::filesystem::rename(place.rotated(2), place.rotated(3));
    std::filesystem::rename(place.rotated(1), place.rotated(2));
    std::filesystem::rename(place.rotated(1) + "x", place.rotated(1));
    place.run({"k"});
    EXPECT_THAT(story_of(place.path()), HasSubstr("opened started k stopped"));
    verify(place.path());
}

// A crash ends a line anywhere.
TEST(AuditLog, CutsOffWhatACrashLeftOfALine) {
    AuditPlace place;
    place.run({"alice"});
    const std::string whole = read_text(place.path());
    const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
    for (std::size_t end = 0; end < whole.size(); end += end < last ? 13 : 1) {
        write_text(place.path(), whole.substr(0, end));
        const std::size_t kept = whole.substr(0, end).rfind('\n') + 1;
        place.run({});
        const std::string text = read_text(place.path());
        EXPECT_TRUE(kept == 0 || text.starts_with(whole.substr(0, kept)));
        const std::string bytes = ",\"event\":\"resumed\",\"bytes\":" + std::to_string(end - kept);
        EXPECT_EQ(text.contains(bytes + ","), end > kept) << "at " << end;
        EXPECT_EQ(text.contains("resumed"), end > kept);
        EXPECT_EQ(story_of(place.path()).ends_with("alice resumed started stopped"), end > last);
        verify(place.path());
    }
}

TEST(AuditLog, GoesOnFromTheRotatedFileWhenItsOwnIsGone) {
    AuditPlace place;
    place.run({"alice"});
    std::filesystem::rename(place.path(), place.rotated(1));
    place.run({"bob"});
    EXPECT_EQ(story_of(place.path()), "opened started bob stopped");
    EXPECT_EQ(verify(place.path()).lines, 8u);

    // logrotate's `create`, and a line that a crash cut in the file that was renamed.
    std::filesystem::remove(place.rotated(1));
    std::filesystem::rename(place.path(), place.rotated(1));
    std::filesystem::resize_file(place.rotated(1),
                                 std::filesystem::file_size(place.rotated(1)) - 5);
    write_text(place.path(), "");
    place.run({"carol"});
    EXPECT_EQ(story_of(place.rotated(1)), "opened started bob");
    EXPECT_EQ(story_of(place.path()), "opened resumed started carol stopped");
    verify(place.path());
}

TEST(AuditLog, AddsNothingToAFileThatIsNone) {
    AuditPlace place;
    place.run({"alice"});
    const std::string good = read_text(place.path());
    for (const std::string& text :
         {std::string("root:x:0:0\n"), std::string("root:x"), good + "\n", good + "{}\n",
          good + std::string(kAuditLineMax + 1, '{'), std::string(1'000'000, 'x') + "\n"}) {
        write_text(place.path(), text);
        const auto log = place.open();
        ASSERT_FALSE(log);
        EXPECT_EQ(log.error().code, Errc::corrupt);
        EXPECT_THAT(log.error().detail,
                    HasSubstr(place.path() + " does not end like an audit log"));
        EXPECT_EQ(read_text(place.path()), text);
    }
    std::filesystem::remove(place.path());
    write_text(place.rotated(1), "something else\n");
    EXPECT_THAT(place.open().error().detail, HasSubstr(place.rotated(1)));
}

TEST(AuditLog, NeedsAPlainFileOfItsOwn) {
    AuditPlace place;
    const auto log = *place.open();
    EXPECT_EQ(place.open().error().code, Errc::conflict);
    const std::string directory = place.directory.path();
    for (const std::string& path : {std::string("/dev/full"), directory, directory + "/no/a.log"}) {
        place.options.path = path;
        const auto none = place.open();
        ASSERT_FALSE(none) << path;
        EXPECT_EQ(none.error().code, Errc::io);
        EXPECT_THAT(none.error().detail, HasSubstr("the audit log " + path));
    }
}

TEST(AuditLog, FollowsLogrotate) {
    AuditPlace place;
    const auto log = *place.open();
    log->record(sample_record("alice"));
    log->reopen();  // nothing was renamed
    log->flush();
    std::filesystem::rename(place.path(), place.path() + "-20261124");
    log->record(sample_record("bob"));  // before the signal: still the old file's
    log->reopen();
    log->record(sample_record("carol"));
    log->flush();
    EXPECT_EQ(story_of(place.path() + "-20261124"), "opened started alice bob");
    EXPECT_EQ(story_of(place.path()), "opened carol");
    EXPECT_TRUE(verify_audit({place.path() + "-20261124", place.path()}));

    // `create`: the new file is there already.
    std::filesystem::rename(place.path(), place.rotated(1));
    write_text(place.path(), "");
    log->reopen();
    EXPECT_EQ(story_of(place.path()), "opened");
    verify(place.path());

    std::filesystem::rename(place.path(), place.rotated(2));
    write_text(place.path(), "somebody else's\n");
    log->reopen();
    log->record(sample_record("dave"));
    log->flush();
    EXPECT_EQ(read_text(place.path()), "somebody else's\n");
    EXPECT_EQ(story_of(place.rotated(2)), "opened dave");
    EXPECT_THAT(place.reported, ElementsAre(HasSubstr("which is not empty")));
}

// The file was renamed and the signal has not come, when the log would rotate by itself.
TEST(AuditLog, RotatesNoFileThatIsNotItsOwn) {
    AuditPlace place;
    place.options.bytes_max = 1500;
    const auto log = *place.open();
    for (const char* user : {"a", "b", "c"})
        log->record(sample_record(user));
    log->flush();
    std::filesystem::rename(place.path(), place.rotated(1));
    log->record(sample_record("d"));
    log->flush();
    EXPECT_EQ(story_of(place.rotated(1)), "opened started a b c");
    EXPECT_EQ(story_of(place.path()), "opened d");
    EXPECT_EQ(audit_files(place.path())->size(), 2u);
}

TEST(AuditLog, StaysWithItsFileWhenItCannotRotate) {
    AuditPlace place;
    place.options.bytes_max = 1500;
    place.options.files_max = 1;
    auto log = *place.open();
    std::filesystem::create_directories(place.rotated(1) + "/in the way");
    for (const char* user : {"a", "b", "c", "d", "e"})
        log->record(sample_record(user));
    log.reset();
    EXPECT_EQ(story_of(place.path()), "opened started a b c d e stopped");
    EXPECT_THAT(place.reported, ElementsAre(HasSubstr("cannot be rotated")));
}

TEST(AuditLog, WritesWhatWaitedWhenTheDiskHasRoomAgain) {
    AuditPlace place;
    auto log = *place.open();
    log->record(sample_record("alice"));
    log->flush();
    {
        // Room for a part of a line, which must not stay.
        const FullDisk full(std::filesystem::file_size(place.path()) + 100);
        log->record(sample_record("bob"));
        log->flush();
        log->record(sample_record("carol"));
        log->flush();
        EXPECT_THAT(place.reported, ElementsAre(HasSubstr("the audit log " + place.path())));
    }
    log->flush();
    EXPECT_EQ(story_of(place.path()), "opened started alice bob carol");
    {
        const FullDisk full(std::filesystem::file_size(place.path()));
        log->record(sample_record("dave"));
        log->flush();
    }
    EXPECT_EQ(place.reported.size(), 2u) << "a second failure is a second report";
    log.reset();
    EXPECT_EQ(story_of(place.path()), "opened started alice bob carol dave stopped");
    verify(place.path());
}

TEST(AuditLog, SaysHowManyRecordsWereLost) {
    AuditPlace place;
    place.options.queue_bytes_max = 3 * sizeof(AuditRecord);
    place.options.wait_max = std::chrono::milliseconds(1);
    auto log = *place.open();
    {
        const FullDisk full(std::filesystem::file_size(place.path()));
        log->record(sample_record("first"));
        log->flush();  // taken out of the queue, and stuck
        for (int i = 0; i < 20; ++i)
            log->record(sample_record("next"));
        log->flush();
    }
    log->flush();
    log->record(sample_record("last"));
    log.reset();
    const auto verdict = verify(place.path());
    EXPECT_GT(verdict.lost, 0u);
    const auto lines = lines_of(place.path());
    EXPECT_EQ(lines.size() - 4 + verdict.lost, 22u)
        << "each record is a line or counted; the four are opened, started, lost, stopped";
    EXPECT_THAT(story_of(place.path()), HasSubstr("lost last stopped"));
}

TEST(AuditLog, SaysSoWhenItsEndCannotBeWritten) {
    AuditPlace place;
    auto log = *place.open();
    {
        const FullDisk full(std::filesystem::file_size(place.path()));
        log->record(sample_record());
        log.reset();
    }
    EXPECT_THAT(place.reported, testing::Contains(HasSubstr("2 lines are lost")));
    verify(place.path());
}

TEST(AuditLog, TakesManyRecordersAtOnce) {
    constexpr int kThreads = 8;
    constexpr int kEach = 500;
    AuditPlace place;
    place.options.bytes_max = 64 << 10;
    place.options.files_max = 100;
    place.options.queue_bytes_max = 32 << 10;  // so that they wait for room
    place.options.wait_max = std::chrono::hours(1);
    {
        const auto log = *place.open();
        std::vector<std::thread> threads;
        for (int thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&, thread] {
                for (int i = 0; i < kEach; ++i) {
                    log->record(sample_record(std::to_string(thread) + "-" + std::to_string(i)));
                    if (i % 100 == 0) log->flush();
                }
            });
        }
        for (int i = 0; i < 5; ++i)
            log->reopen();
        for (std::thread& thread : threads)
            thread.join();
    }
    const auto files = *audit_files(place.path());
    EXPECT_EQ(verify(place.path()).lines, kThreads * kEach + files.size() + 2);
    std::vector<int> next(kThreads, 0);
    for (const std::string& file : files) {
        for (const std::string& text : lines_of(file)) {
            const std::string user = parse_audit_line(text)->user;
            if (user.empty()) continue;
            const auto thread = static_cast<std::size_t>(user[0] - '0');
            EXPECT_EQ(user, std::to_string(thread) + "-" + std::to_string(next[thread]++));
        }
    }
    EXPECT_THAT(place.reported, IsEmpty());
}

}  // namespace
}  // namespace berth::auth
