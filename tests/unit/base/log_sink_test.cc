// Goal: each sink gets each line that its logger lets through, whatever becomes of the log's own
// outputs, and can say on standard error what is wrong with itself.
// Method: a sink that writes down what it is given.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/base/log_values.h"

namespace berth {
namespace {

// What a sink was given; outlives it.
struct Seen {
    std::vector<std::string> lines;
    LogReport report;
    int flushes = 0;
};

class SeeingSink final : public LogSink {
  public:
    SeeingSink(Seen& seen, bool takes_access) : seen_(seen), takes_access_(takes_access) {}

    void start(LogReport report) override { seen_.report = std::move(report); }
    void write(const LogRecord& record) override {
        std::string line(record.message);
        for (const auto& [key, value] : record.fields)
            line.append(" ").append(key).append("=").append(value);
        seen_.lines.push_back(std::move(line));
    }
    bool takes_access() const override { return takes_access_; }
    void access(const AccessRecord& record, std::string_view line) override {
        seen_.lines.push_back(std::string(record.target) + ": " + std::string(line));
    }
    void flush() override { ++seen_.flushes; }

  private:
    Seen& seen_;
    bool takes_access_;
};

enum class Access { no, yes };

std::vector<std::unique_ptr<LogSink>> sinks(Seen& seen, Access access) {
    std::vector<std::unique_ptr<LogSink>> made;
    made.push_back(std::make_unique<SeeingSink>(seen, access == Access::yes));
    return made;
}

LogOptions without_access() {
    LogOptions options;
    options.access_log = false;
    return options;
}

constexpr auto kLine = "::1 - - [01/Jan/1970:00:00:00 +0000] \"GET /a HTTP/1.1\" 200 0 \"\" \"\"";

TEST(LogSink, HasLinesWithTheirFieldsAndThoseOfTheConfiguration) {
    const FakeClock clock;
    auto options = without_access();
    options.fields = {{"service", "registry"}};
    Seen seen;
    testing::internal::CaptureStderr();
    const auto logger = Logger::open(options, clock, sinks(seen, Access::no)).value();
    logger->write(LogLevel::info, "pushed", {{"repository", "a/b"}});
    EXPECT_TRUE(testing::internal::GetCapturedStderr().contains("msg=pushed"));
    EXPECT_EQ(seen.lines, std::vector<std::string>{"pushed repository=a/b service=registry"});
}

TEST(LogSink, HasNothingBelowTheLevelOfTheLog) {
    const FakeClock clock;
    auto options = without_access();
    options.level = LogLevel::warn;
    Seen seen;
    testing::internal::CaptureStderr();
    const auto logger = Logger::open(options, clock, sinks(seen, Access::no)).value();
    logger->write(LogLevel::info, "a");
    logger->write(LogLevel::warn, "b");
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(seen.lines, std::vector<std::string>{"b"});
}

TEST(LogSink, HasLinesThatStandardErrorDoesNot) {
    const FakeClock clock;
    auto options = without_access();
    options.standard_error = false;
    Seen seen;
    testing::internal::CaptureStderr();
    const auto logger = Logger::open(options, clock, sinks(seen, Access::no)).value();
    logger->write(LogLevel::error, "a");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(seen.lines, std::vector<std::string>{"a"});
}

TEST(LogSink, ReportsOnStandardErrorAlone) {
    const FakeClock clock;
    auto options = without_access();
    options.standard_error = false;
    options.fields = {{"service", "registry"}};
    Seen seen;
    testing::internal::CaptureStderr();
    const auto logger = Logger::open(options, clock, sinks(seen, Access::no)).value();
    seen.report(LogLevel::warn, "it is away");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "time=\"2024-01-02T00:00:00.000Z\" level=warning msg=\"it is away\" "
              "service=registry\n");
    EXPECT_TRUE(seen.lines.empty());
}

TEST(LogSink, HasAccessLinesBesideTheFile) {
    const FakeClock clock;
    const TemporaryDirectory directory;
    LogOptions options;
    options.access_path = directory.file("access.log");
    Seen seen;
    const auto logger = Logger::open(options, clock, sinks(seen, Access::yes)).value();
    logger->access(record("/a"));
    logger->flush();
    EXPECT_EQ(seen.lines, std::vector<std::string>{std::string("/a: ") + kLine});
    EXPECT_EQ(std::filesystem::file_size(options.access_path), std::string(kLine).size() + 1);
    EXPECT_EQ(seen.flushes, 1);
}

TEST(LogSink, HasAccessLinesWithoutAnAccessLog) {
    const FakeClock clock;
    Seen seen;
    const auto logger = Logger::open(without_access(), clock, sinks(seen, Access::yes)).value();
    EXPECT_TRUE(logger->access_enabled());
    logger->access(record("/a"));
    EXPECT_EQ(seen.lines, std::vector<std::string>{std::string("/a: ") + kLine});
}

TEST(LogSink, HasNoAccessLinesUnlessItTakesThem) {
    const FakeClock clock;
    Seen seen;
    const auto logger = Logger::open(without_access(), clock, sinks(seen, Access::no)).value();
    EXPECT_FALSE(logger->access_enabled());
    logger->access(record("/a"));
    EXPECT_TRUE(seen.lines.empty());
}

TEST(LogSink, IsFlushedAtTheEnd) {
    const FakeClock clock;
    Seen seen;
    {
        const auto logger = Logger::open(without_access(), clock, sinks(seen, Access::no)).value();
        EXPECT_EQ(seen.flushes, 0);
    }
    EXPECT_EQ(seen.flushes, 1);
}

}  // namespace
}  // namespace berth
