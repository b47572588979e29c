// Goal: lines arrive in order; a destination that is away, slow or comes back costs no more than
// what does not fit into the queue, and that is counted and said in its place.
// Method: a destination that a test opens, closes and holds up. Tries follow each other at once.
#include "logging/forwarder.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "support/fake_clock.h"

namespace berth::logging {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;

// What a test sees and says of the destination. Thread-safe.
class Collector {
  public:
    enum class State { here, away, closing, held };

    void set(State state) {
        const std::lock_guard lock(mutex_);
        state_ = state;
        changed_.notify_all();
    }
    Lines wait_for_lines(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return lines_.size() >= count; });
        return lines_;
    }
    void wait_for_tries(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return tries_ >= count; });
    }
    Lines lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    Lines reports() {
        const std::lock_guard lock(mutex_);
        return reports_;
    }

    Result<void> open() {
        const std::lock_guard lock(mutex_);
        ++opened_;
        return tried(state_ == State::away ? refused() : Result<void>());
    }
    Result<void> send(std::string_view line) {
        std::unique_lock lock(mutex_);
        ++tries_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return state_ != State::held; });
        if (line == "never") return fail(Errc::too_large, "too long");
        if (state_ != State::here) return refused();
        lines_.emplace_back(line);
        changed_.notify_all();
        return {};
    }
    LogReport reporter() {
        return [this](LogLevel, std::string_view message) {
            const std::lock_guard lock(mutex_);
            reports_.emplace_back(message);
        };
    }
    int opened() {
        const std::lock_guard lock(mutex_);
        return opened_;
    }

  private:
    static Result<void> refused() { return fail(Errc::unavailable, "refused"); }
    Result<void> tried(Result<void> result) {
        ++tries_;
        changed_.notify_all();
        return result;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    State state_ = State::here;
    Lines lines_, reports_;
    int tries_ = 0;
    int opened_ = 0;
};

using State = Collector::State;

class CollectorDestination final : public Destination {
  public:
    explicit CollectorDestination(Collector& collector) : collector_(collector) {}
    std::string name() const override { return "it"; }
    Result<void> open() override { return collector_.open(); }
    Result<void> send(std::string_view line) override { return collector_.send(line); }

  private:
    Collector& collector_;
};

// Tries follow each other at once; nothing else is left to time.
ForwarderOptions quick() {
    ForwarderOptions options;
    options.retry_first = milliseconds(0);
    options.retry_max = milliseconds(0);
    options.flush_max = std::chrono::hours(1);
    return options;
}

class ForwarderTest : public testing::Test {
  protected:
    void start(const ForwarderOptions& options = quick()) {
        forwarder_ = std::make_unique<Forwarder>(
            std::make_unique<CollectorDestination>(collector_),
            [](std::uint64_t lines) { return "lost " + std::to_string(lines); }, clock_, options);
        forwarder_->start(collector_.reporter());
    }
    void add(const Lines& lines) {
        for (const auto& line : lines)
            forwarder_->add(line);
    }

    FakeClock clock_;
    Collector collector_;
    std::unique_ptr<Forwarder> forwarder_;
};

TEST_F(ForwarderTest, SendsLinesInOrderOverOneConnection) {
    start();
    add({"a", "b", "c"});
    EXPECT_EQ(collector_.wait_for_lines(3), (Lines{"a", "b", "c"}));
    EXPECT_EQ(collector_.opened(), 1);
}

TEST_F(ForwarderTest, WaitsAtFlushUntilAllIsSent) {
    start();
    add({"a", "b"});
    forwarder_->flush();
    EXPECT_EQ(collector_.lines(), (Lines{"a", "b"}));
}

TEST_F(ForwarderTest, DoesNotWaitAtFlushForADestinationThatIsAway) {
    auto options = quick();
    options.retry_first = options.retry_max = std::chrono::hours(1);
    collector_.set(State::away);
    start(options);
    add({"a"});
    collector_.wait_for_tries(1);
    forwarder_->flush();
    EXPECT_TRUE(collector_.lines().empty());
}

TEST_F(ForwarderTest, TriesAtOnceAtFlush) {
    auto options = quick();
    options.retry_first = options.retry_max = std::chrono::hours(1);
    collector_.set(State::away);
    start(options);
    add({"a"});
    collector_.wait_for_tries(1);
    collector_.set(State::here);
    while (collector_.lines().empty())  // the first try may still be about to fail
        forwarder_->flush();
    EXPECT_EQ(collector_.lines(), Lines{"a"});
}

TEST_F(ForwarderTest, KeepsLinesWhileTheDestinationIsAway) {
    collector_.set(State::away);
    start();
    add({"a", "b"});
    collector_.wait_for_tries(3);
    EXPECT_TRUE(collector_.lines().empty());
    collector_.set(State::here);
    EXPECT_EQ(collector_.wait_for_lines(2), (Lines{"a", "b"}));
}

TEST_F(ForwarderTest, SendsALineAgainOverANewConnection) {
    start();
    add({"a"});
    collector_.wait_for_lines(1);
    collector_.set(State::closing);
    add({"b"});
    collector_.wait_for_tries(6);
    collector_.set(State::here);
    EXPECT_EQ(collector_.wait_for_lines(2), (Lines{"a", "b"}));
    EXPECT_GE(collector_.opened(), 2);
}

TEST_F(ForwarderTest, SaysInTheirPlaceHowManyLinesWereLost) {
    auto options = quick();
    options.lines_max = 4;
    collector_.set(State::held);
    start(options);
    add({"1", "2", "3", "4", "5", "6", "7"});
    collector_.set(State::here);
    EXPECT_EQ(collector_.wait_for_lines(5), (Lines{"1", "2", "3", "4", "lost 3"}));
    add({"8"});
    EXPECT_EQ(collector_.wait_for_lines(6).back(), "8");
}

TEST_F(ForwarderTest, LosesWhatIsTooMuchInBytes) {
    auto options = quick();
    options.bytes_max = 8;
    collector_.set(State::held);
    start(options);
    add({"1234", "5678", "9"});
    collector_.set(State::here);
    EXPECT_EQ(collector_.wait_for_lines(3), (Lines{"1234", "5678", "lost 1"}));
}

TEST_F(ForwarderTest, TakesALineThatIsLargerThanTheQueue) {
    auto options = quick();
    options.bytes_max = 2;
    start(options);
    add({"12345"});
    EXPECT_EQ(collector_.wait_for_lines(1), Lines{"12345"});
}

TEST_F(ForwarderTest, CountsALineThatCanNeverBeSent) {
    start();
    add({"never"});
    forwarder_->flush();
    add({"a"});
    EXPECT_EQ(collector_.wait_for_lines(2), (Lines{"lost 1", "a"}));
    EXPECT_EQ(collector_.opened(), 1);
}

TEST_F(ForwarderTest, ReportsThatTheDestinationIsAwayAndThatItIsBack) {
    collector_.set(State::away);
    start();
    add({"a"});
    collector_.wait_for_tries(5);
    EXPECT_EQ(collector_.reports(), Lines{"it: refused; lines wait for it"});
    collector_.set(State::here);
    forwarder_->flush();
    while (collector_.lines().empty())
        forwarder_->flush();
    EXPECT_EQ(collector_.reports(), (Lines{"it: refused; lines wait for it", "it: works again"}));
}

TEST_F(ForwarderTest, ReportsNoMoreThanOnceAMinute) {
    start();
    int lines = 0;
    const auto fail_once = [&] {
        collector_.set(State::away);
        collector_.set(State::closing);
        add({"a"});
        collector_.wait_for_tries(1);
        while (collector_.reports().empty())
            forwarder_->flush();
        collector_.set(State::here);
        collector_.wait_for_lines(static_cast<std::size_t>(++lines));
        forwarder_->flush();
    };
    fail_once();
    fail_once();
    EXPECT_EQ(collector_.reports().size(), 2u);
    clock_.advance(std::chrono::minutes(1));
    collector_.set(State::closing);
    add({"b"});
    while (collector_.reports().size() < 3)
        forwarder_->flush();
    EXPECT_EQ(collector_.reports()[2], "it: refused; lines wait for it");
}

TEST_F(ForwarderTest, ReportsWhatIsNotSentAtTheEnd) {
    collector_.set(State::away);
    start();
    add({"a", "b"});
    collector_.wait_for_tries(1);
    forwarder_.reset();
    EXPECT_EQ(collector_.reports().back(), "it: not sent at the end: 2 lines");
}

TEST_F(ForwarderTest, EndsAtOnceInTheMiddleOfAPause) {
    auto options = quick();
    options.retry_first = options.retry_max = std::chrono::hours(1);
    collector_.set(State::away);
    start(options);
    add({"a"});
    collector_.wait_for_tries(1);
    forwarder_.reset();  // and not in an hour
    EXPECT_TRUE(collector_.lines().empty());
}

}  // namespace
}  // namespace berth::logging
