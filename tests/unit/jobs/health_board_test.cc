// Goal: a check counts as failing after as many failures in a row as it has patience, and until it
// succeeds; the log tells of each change once.
// Method: reports one by one, and the log's lines.
#include "jobs/health_board.h"

#include <gmock/gmock.h>

#include "support/fake_clock.h"

namespace berth::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class Lines final : public LogSink {
  public:
    explicit Lines(std::vector<std::string>& lines) : lines_(lines) {}
    void start(LogReport) override {}
    bool takes_access() const override { return false; }
    void write(const LogRecord& record) override {
        lines_.push_back(std::string(record.message) + " " +
                         std::string(record.fields.at("check")));
    }
    void access(const AccessRecord&, std::string_view) override {}
    void flush() override {}

  private:
    std::vector<std::string>& lines_;
};

class HealthBoardTest : public testing::Test {
  protected:
    static std::vector<std::unique_ptr<LogSink>> sinks(std::vector<std::string>& lines) {
        std::vector<std::unique_ptr<LogSink>> sinks;
        sinks.push_back(std::make_unique<Lines>(lines));
        return sinks;
    }

    FakeClock clock_;
    std::vector<std::string> lines_;
    std::unique_ptr<Logger> log_ = Logger::open({}, clock_, sinks(lines_)).value();
    HealthBoard board_{*log_};
    const Result<void> well_;
    const Result<void> bad_ = fail(Errc::unavailable, "it is broken");
};

TEST_F(HealthBoardTest, IsReadyUntilSomethingFails) {
    board_.add("one", 1);
    EXPECT_TRUE(board_.ready());
    board_.report(0, well_);
    EXPECT_TRUE(board_.ready());
    board_.report(0, bad_);
    EXPECT_FALSE(board_.ready());
    EXPECT_THAT(board_.failures(), ElementsAre(Pair("one", "it is broken")));
    board_.report(0, well_);
    EXPECT_TRUE(board_.ready());
    EXPECT_THAT(board_.failures(), IsEmpty());
}

TEST_F(HealthBoardTest, FailuresInARowMustReachTheThreshold) {
    board_.add("one", 3);
    for (int round = 0; round < 2; ++round) {
        board_.report(0, bad_);
        board_.report(0, bad_);
        EXPECT_TRUE(board_.ready());
        EXPECT_THAT(board_.failures(), IsEmpty());
        board_.report(0, well_);
    }
    for (int i = 0; i < 5; ++i)
        board_.report(0, bad_);
    EXPECT_FALSE(board_.ready());
    board_.report(0, well_);
    EXPECT_TRUE(board_.ready()) << "one success is enough";
}

TEST_F(HealthBoardTest, AThresholdOfZeroIsOne) {
    board_.add("one", 0);
    EXPECT_TRUE(board_.ready());
    board_.report(0, bad_);
    EXPECT_FALSE(board_.ready());
}

TEST_F(HealthBoardTest, EachCheckCountsForItself) {
    board_.add("one", 1);
    const std::size_t two = board_.add("two", 1);
    board_.report(0, bad_);
    board_.report(two, fail(Errc::io, "so is this"));
    EXPECT_THAT(board_.failures(),
                ElementsAre(Pair("one", "it is broken"), Pair("two", "so is this")));
    board_.report(0, well_);
    EXPECT_FALSE(board_.ready());
    board_.report(two, well_);
    EXPECT_TRUE(board_.ready());
}

TEST_F(HealthBoardTest, ShowsTheLatestReason) {
    board_.add("one", 1);
    board_.report(0, bad_);
    board_.report(0, fail(Errc::io, "and now differently"));
    EXPECT_THAT(board_.failures(), ElementsAre(Pair("one", "and now differently")));
}

TEST_F(HealthBoardTest, TheLogTellsOfEachChangeOnce) {
    board_.add("one", 2);
    for (int i = 0; i < 4; ++i)
        board_.report(0, bad_);
    for (int i = 0; i < 4; ++i)
        board_.report(0, well_);
    EXPECT_THAT(lines_,
                ElementsAre("a health check fails: every answer is 503 until it succeeds one",
                            "a health check succeeds again one"));
}

}  // namespace
}  // namespace berth::jobs
