// Goal: the logger writes what its options say, where they say, whole lines, and follows a file
// that logrotate moved.
// Method: access lines go to files; server lines are caught from standard error.
#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/base/log_values.h"

namespace berth {
namespace {

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

LogOptions access_to(std::string path) {
    LogOptions options;
    options.access_path = std::move(path);
    return options;
}

LogOptions server_only() {
    LogOptions options;
    options.access_log = false;
    return options;
}

TEST(Logger, WritesItsConfiguredFieldsInEachLine) {
    const FakeClock clock;
    auto options = server_only();
    options.fields = {{"service", "registry"}, {"repository", "overridden"}};
    testing::internal::CaptureStderr();
    const auto logger = Logger::open(options, clock).value();
    logger->write(LogLevel::info, "pushed", {{"repository", "a/b"}});
    logger->write(LogLevel::error, "oops");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "time=\"2024-01-02T00:00:00.000Z\" level=info msg=pushed repository=a/b "
              "service=registry\n"
              "time=\"2024-01-02T00:00:00.000Z\" level=error msg=oops repository=overridden "
              "service=registry\n");
}

TEST(Logger, LeavesOutWhatIsBelowItsLevel) {
    const FakeClock clock;
    auto options = server_only();
    options.level = LogLevel::warn;
    testing::internal::CaptureStderr();
    const auto logger = Logger::open(options, clock).value();
    EXPECT_FALSE(logger->enabled(LogLevel::info));
    EXPECT_TRUE(logger->enabled(LogLevel::warn));
    logger->write(LogLevel::debug, "a");
    logger->write(LogLevel::info, "b");
    logger->write(LogLevel::warn, "c");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "time=\"2024-01-02T00:00:00.000Z\" level=warning msg=c\n");
}

TEST(Logger, WritesTheAccessLogAtFlush) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto path = directory.file("access.log");
    const auto logger = Logger::open(access_to(path), clock).value();
    logger->access(record("/a"));
    logger->access(record("/b"));
    logger->flush();
    EXPECT_EQ(read(path),
              "::1 - - [01/Jan/1970:00:00:00 +0000] \"GET /a HTTP/1.1\" 200 0 \"\" \"\"\n"
              "::1 - - [01/Jan/1970:00:00:00 +0000] \"GET /b HTTP/1.1\" 200 0 \"\" \"\"\n");
}

TEST(Logger, WritesTheAccessLogWhenItGoes) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto path = directory.file("access.log");
    {
        Logger::open(access_to(path), clock).value()->access(record("/a"));
    }
    EXPECT_TRUE(read(path).contains("GET /a "));
}

TEST(Logger, AppendsToAnExistingFile) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto path = directory.file("access.log");
    std::ofstream(path) << "before\n";
    {
        Logger::open(access_to(path), clock).value()->access(record("/a"));
    }
    EXPECT_TRUE(read(path).starts_with("before\n::1 "));
}

TEST(Logger, FollowsARotatedFile) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto path = directory.file("access.log"), rotated = directory.file("access.log.1");
    const auto logger = Logger::open(access_to(path), clock).value();
    logger->access(record("/before"));
    ASSERT_EQ(std::rename(path.c_str(), rotated.c_str()), 0);
    logger->reopen();
    logger->access(record("/after"));
    logger->flush();
    EXPECT_TRUE(read(rotated).contains("/before"));
    EXPECT_FALSE(read(rotated).contains("/after"));
    EXPECT_TRUE(read(path).contains("/after"));
}

TEST(Logger, KeepsTheOldFileWhenTheNewOneCannotBeOpened) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto folder = directory.file("log"), moved = directory.file("moved");
    std::filesystem::create_directory(folder);
    const auto logger = Logger::open(access_to(folder + "/access.log"), clock).value();
    std::filesystem::rename(folder, moved);
    testing::internal::CaptureStderr();
    logger->reopen();
    EXPECT_TRUE(testing::internal::GetCapturedStderr().contains("the old file stays in use"));
    logger->access(record("/a"));
    logger->flush();
    EXPECT_TRUE(read(moved + "/access.log").contains("GET /a "));
}

TEST(Logger, RefusesAnAccessLogThatCannotBeOpened) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto path = directory.file("missing/access.log");
    const auto logger = Logger::open(access_to(path), clock);
    ASSERT_FALSE(logger);
    EXPECT_EQ(logger.error().code, Errc::io);
    EXPECT_TRUE(logger.error().detail.contains(path)) << logger.error().detail;
}

TEST(Logger, WritesNoAccessLogWhenItIsOff) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    auto options = access_to(directory.file("access.log"));
    options.access_log = false;
    const auto logger = Logger::open(options, clock).value();
    EXPECT_FALSE(logger->access_enabled());
    logger->access(record("/a"));
    logger->flush();
    EXPECT_FALSE(std::filesystem::exists(options.access_path));
}

TEST(Logger, WritesWholeLinesFromManyThreads) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    const auto path = directory.file("access.log");
    constexpr int kThreads = 4, kLines = 500;
    {
        const auto logger = Logger::open(access_to(path), clock).value();
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&logger] {
                for (int k = 0; k < kLines; ++k)
                    logger->access(record("/a"));
            });
        }
    }
    std::ifstream file(path);
    int lines = 0;
    for (std::string line; std::getline(file, line); ++lines)
        EXPECT_EQ(line, "::1 - - [01/Jan/1970:00:00:00 +0000] \"GET /a HTTP/1.1\" 200 0 \"\" \"\"");
    EXPECT_EQ(lines, kThreads * kLines);
}

}  // namespace
}  // namespace berth
