// Goal: what happens is told to all endpoints that want it, each by itself, and the end waits for
// what is under way only.
// Method: the whole job with its threads, over a queue in memory; endpoints are functions that a
// test waits for.
#include "jobs/notifications.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>

#include "store/index/sqlite_index.h"
#include "support/event_values.h"
#include "support/fake_clock.h"

namespace berth::jobs {
namespace {

using store::EventAction;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Several endpoints behind one sender, by their URLs.
class Receivers {
  public:
    Sender sender() {
        return [this](const http::ClientRequest& request) -> Result<http::ClientResponse> {
            std::lock_guard lock(mutex_);
            if (refusing_.contains(request.url)) return fail(Errc::unavailable, "refused");
            const auto envelope = nlohmann::json::parse(request.body);
            for (const auto& event : envelope["events"])
                told_[request.url].push_back(event["action"].get<std::string>() + " " +
                                             event["target"]["repository"].get<std::string>());
            changed_.notify_all();
            return http::ClientResponse{.status = 200};
        };
    }
    void refuse(const std::string& url) {
        std::lock_guard lock(mutex_);
        refusing_[url] = true;
    }
    void accept(const std::string& url) {
        std::lock_guard lock(mutex_);
        refusing_.erase(url);
    }
    std::vector<std::string> wait_for(const std::string& url, std::size_t count) {
        std::unique_lock lock(mutex_);
        const bool came = changed_.wait_for(lock, std::chrono::seconds(20),
                                            [&] { return told_[url].size() >= count; });
        EXPECT_TRUE(came) << url << " was told " << told_[url].size() << " events";
        return told_[url];
    }
    std::vector<std::string> told(const std::string& url) {
        std::lock_guard lock(mutex_);
        return told_[url];
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::vector<std::string>> told_;
    std::map<std::string, bool> refusing_;
};

class NotificationsTest : public testing::Test {
  protected:
    static NotificationEndpoint endpoint(const std::string& name) {
        NotificationEndpoint made;
        made.name = name;
        made.url = "http://" + name;
        made.threshold = 1;
        made.backoff = std::chrono::milliseconds(1);
        return made;
    }
    void start() {
        notifications_.emplace(*index_, clock_, *log_, options_, nullptr,
                               [this] { return receivers_.sender(); });
    }
    void push(int first, int count) {
        ASSERT_TRUE(index_->append_events(numbered_pushes(first, count)));
        notifications_->wake();
    }

    FakeClock clock_;
    std::unique_ptr<Logger> log_ = Logger::open(errors_only(), clock_).value();
    std::unique_ptr<store::Index> index_ =
        store::open_sqlite_index({.path = ":memory:"}, clock_).value();
    NotificationOptions options_;
    Receivers receivers_;
    std::optional<Notifications> notifications_;  // last: it uses the others
};

TEST_F(NotificationsTest, TellsEveryEndpoint) {
    options_.endpoints = {endpoint("one"), endpoint("two")};
    start();
    push(1, 3);
    for (const char* url : {"http://one", "http://two"})
        EXPECT_THAT(receivers_.wait_for(url, 3), ElementsAre("push 1", "push 2", "push 3"));
}

TEST_F(NotificationsTest, LetsNoEndpointWaitForAnother) {
    options_.endpoints = {endpoint("down"), endpoint("up")};
    receivers_.refuse("http://down");
    start();
    push(1, 300);
    receivers_.wait_for("http://up", 300);
    EXPECT_THAT(receivers_.told("http://down"), IsEmpty());
    receivers_.accept("http://down");
    EXPECT_EQ(receivers_.wait_for("http://down", 300).size(), 300u);
}

TEST_F(NotificationsTest, TellsNothingToADisabledEndpointAndForgetsWhereItWas) {
    ASSERT_TRUE(index_->cursor("off"));
    options_.endpoints = {endpoint("off"), endpoint("on")};
    options_.endpoints[0].disabled = true;
    start();
    push(1, 1);
    receivers_.wait_for("http://on", 1);
    EXPECT_THAT(receivers_.told("http://off"), IsEmpty());
    const auto state = index_->event_queue_state().value();
    ASSERT_EQ(state.cursors.size(), 1u);
    EXPECT_EQ(state.cursors[0].endpoint, "on");
}

TEST_F(NotificationsTest, TellsWhatWaitedOverARestart) {
    options_.endpoints = {endpoint("hook")};
    receivers_.refuse("http://hook");
    start();
    push(1, 5);
    notifications_.reset();
    receivers_.accept("http://hook");
    start();
    EXPECT_EQ(receivers_.wait_for("http://hook", 5).size(), 5u);
}

TEST_F(NotificationsTest, RecordsPullsAMomentLater) {
    options_.endpoints = {endpoint("hook")};
    start();
    EXPECT_TRUE(notifications_->wants_pulls());
    for (const char* repository : {"a", "b", "c"})
        notifications_->pulled(event_of(EventAction::pull, repository));
    EXPECT_THAT(receivers_.wait_for("http://hook", 3), ElementsAre("pull a", "pull b", "pull c"));
}

TEST_F(NotificationsTest, RecordsTheLastPullsAtTheEnd) {
    options_.endpoints = {endpoint("hook")};
    start();
    for (int i = 0; i < 1'200; ++i)
        notifications_->pulled(event_of(EventAction::pull, "late"));
    notifications_.reset();
    EXPECT_EQ(index_->event_queue_state().value().last, 1'200);
}

TEST_F(NotificationsTest, SaysHowManyPullsAreLost) {
    options_.endpoints = {endpoint("hook")};
    testing::internal::CaptureStderr();
    start();
    store::Event large = event_of(EventAction::pull, "large");
    large.references = std::string(17 << 20, ' ');
    notifications_->pulled(large);
    notifications_->pulled(event_of(EventAction::pull, "small"));
    EXPECT_THAT(receivers_.wait_for("http://hook", 1), ElementsAre("pull small"));
    notifications_.reset();
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("pulls are lost"));
}

TEST_F(NotificationsTest, RemovesTheOldestAndSaysHowManyWereNeverTold) {
    options_.endpoints = {endpoint("down")};
    options_.events_max = 10;
    ASSERT_TRUE(index_->cursor("down"));
    ASSERT_TRUE(index_->append_events(numbered_pushes(1, 30)));
    receivers_.refuse("http://down");
    testing::internal::CaptureStderr();
    start();
    notifications_.reset();
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_THAT(text, HasSubstr("the queue is full"));
    EXPECT_THAT(text, HasSubstr("count=20"));
    EXPECT_EQ(index_->event_queue_state().value().first, 21);
}

TEST_F(NotificationsTest, KeepsWhatWasToldForReplays) {
    options_.endpoints = {endpoint("hook")};
    options_.keep = std::chrono::hours(1);
    auto events = numbered_pushes(1, 2);
    events[0].at = clock_.now() - std::chrono::hours(2);
    events[1].at = clock_.now();
    ASSERT_TRUE(index_->append_events(events));
    start();
    notifications_.reset();
    EXPECT_EQ(index_->event_queue_state().value().first, 2);
}

TEST(RecordedEvents, AreThoseThatSomebodyWants) {
    NotificationOptions options;
    EXPECT_FALSE(recorded_events(options).push);
    options.endpoints.resize(2);
    options.endpoints[0].ignored_actions = {"push", "mount"};
    options.endpoints[1].ignored_actions = {"delete", "mount"};
    EXPECT_TRUE(recorded_events(options).push);
    EXPECT_TRUE(recorded_events(options).remove);
    EXPECT_FALSE(recorded_events(options).mount);
    options.endpoints[1].disabled = true;
    EXPECT_FALSE(recorded_events(options).push);
    EXPECT_TRUE(recorded_events(options).remove);
}

}  // namespace
}  // namespace berth::jobs
