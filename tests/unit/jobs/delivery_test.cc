// Goal: each event is told at least once and in order, whatever the endpoint does, and nothing
// waits in memory. Method: a queue in memory, an endpoint that is a function, one step at a time;
// no thread, no clock.
#include "jobs/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/index/sqlite_index.h"
#include "support/event_values.h"
#include "support/fake_clock.h"

namespace berth::jobs {
namespace {

using std::chrono::milliseconds;
using store::EventAction;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::optional<milliseconds> kAtOnce{milliseconds(0)};
constexpr std::optional<milliseconds> kNothing{};

class DeliveryTest : public testing::Test {
  protected:
    DeliveryTest() {
        options_.name = "hook";
        options_.url = "http://user:secret@127.0.0.1:1/hook";
        options_.threshold = 3;
        options_.backoff = milliseconds(1'000);
        EXPECT_TRUE(queue().cursor("hook"));
    }
    store::EventQueue& queue() { return *index_; }
    Delivery& delivery() {
        if (!delivery_) {
            delivery_.emplace(queue(), *log_, options_, EventSource{"here:5000", "start"}, nullptr,
                              endpoint_.sender());
        }
        return *delivery_;
    }
    // A new process.
    void restart() { delivery_.reset(); }
    void push(int first, int count) {
        ASSERT_TRUE(queue().append_events(numbered_pushes(first, count)));
    }
    void append(const std::vector<store::Event>& events) {
        ASSERT_TRUE(queue().append_events(events));
    }
    std::int64_t told() { return queue().cursor("hook").value(); }
    // Steps until there is nothing to tell, however long it says to wait.
    void drain() {
        for (int steps = 0; steps < 1'000; ++steps) {
            if (delivery().step() == kNothing) return;
        }
        FAIL() << "it never ends";
    }

    FakeClock clock_;
    std::unique_ptr<Logger> log_ = Logger::open(errors_only(), clock_).value();
    std::unique_ptr<store::Index> index_ =
        store::open_sqlite_index({.path = ":memory:"}, clock_).value();
    NotificationEndpoint options_;
    FakeEndpoint endpoint_;
    std::optional<Delivery> delivery_;
};

TEST_F(DeliveryTest, HasNothingToTellAtFirst) {
    EXPECT_EQ(delivery().step(), kNothing);
    EXPECT_THAT(endpoint_.sizes(), IsEmpty());
}

TEST_F(DeliveryTest, TellsWhatHappenedInOrder) {
    push(1, 3);
    EXPECT_EQ(delivery().step(), kAtOnce);
    EXPECT_THAT(endpoint_.told(), ElementsAre("push 1", "push 2", "push 3"));
    EXPECT_EQ(told(), 3);
    EXPECT_EQ(delivery().step(), kNothing);
}

TEST_F(DeliveryTest, PostsDistributionsMediaTypeAndTheConfiguredFields) {
    options_.headers = {{"Authorization", "Bearer hush"}, {"X-Two", "2"}};
    options_.timeout = milliseconds(700);
    push(1, 1);
    delivery().step();
    const auto request = endpoint_.requests().at(0);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, options_.url);
    EXPECT_EQ(request.timeout, milliseconds(700));
    using Field = std::pair<std::string, std::string>;
    EXPECT_THAT(
        request.fields,
        ElementsAre(Field("Authorization", "Bearer hush"), Field("X-Two", "2"),
                    Field("Content-Type", "application/vnd.docker.distribution.events.v2+json")));
}

TEST_F(DeliveryTest, LetsTheConfigurationSayTheMediaType) {
    options_.headers = {{"content-type", "application/vnd.docker.distribution.events.v1+json"}};
    push(1, 1);
    delivery().step();
    EXPECT_THAT(endpoint_.requests().at(0).fields, SizeIs(1));
}

TEST_F(DeliveryTest, TellsManyInBatches) {
    push(1, 250);
    drain();
    EXPECT_THAT(endpoint_.sizes(), ElementsAre(100, 100, 50));
    EXPECT_THAT(endpoint_.told(), SizeIs(250));
}

TEST_F(DeliveryTest, TakesTwoAndThreeHundredsForTold) {
    for (const int status : {200, 202, 204, 302, 399}) {
        endpoint_.answer_next({status});
        push(1, 1);
        EXPECT_EQ(delivery().step(), kAtOnce) << status;
        EXPECT_EQ(delivery().step(), kNothing) << status;
    }
    for (const int status : {0, 199, 400, 404, 500, 503}) {
        endpoint_.answer_next({status});
        push(1, 1);
        const auto before = told();
        delivery().step();
        EXPECT_EQ(told(), before) << status;
        drain();
    }
}

TEST_F(DeliveryTest, TellsTheSameAgainAfterAFailure) {
    endpoint_.answer_next({500, 0});
    push(1, 2);
    delivery().step();
    delivery().step();
    EXPECT_THAT(endpoint_.told(), IsEmpty());
    drain();
    EXPECT_THAT(endpoint_.told(), ElementsAre("push 1", "push 2"));
    const auto ids = endpoint_.ids();
    EXPECT_EQ(ids[0], ids[2]) << "told twice, and known by its id";
}

TEST_F(DeliveryTest, PausesFromTheThresholdOnAndLongerEachTime) {
    endpoint_.answer_next(std::vector<int>(12, 500));
    push(1, 1);
    std::vector<std::int64_t> pauses;
    for (int i = 0; i < 12; ++i)
        pauses.push_back(delivery().step()->count());
    EXPECT_THAT(pauses, ElementsAre(0, 0, 1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000,
                                    60'000, 60'000, 60'000));
    drain();
    endpoint_.answer_next({500});
    push(2, 1);
    EXPECT_EQ(delivery().step(), kAtOnce) << "a success has made all good";
}

TEST_F(DeliveryTest, TakesABackoffOfMoreThanAMinuteAsItIs) {
    options_.threshold = 1;
    options_.backoff = std::chrono::minutes(5);
    endpoint_.answer_next({500, 500});
    push(1, 1);
    EXPECT_EQ(delivery().step(), std::chrono::minutes(5));
    EXPECT_EQ(delivery().step(), std::chrono::minutes(5));
}

TEST_F(DeliveryTest, SendsLessAtOnceToWhomItIsTooMuch) {
    push(1, 100);
    endpoint_.answer_next({413, 413, 413});
    drain();
    EXPECT_THAT(endpoint_.sizes(), ElementsAre(100, 50, 25, 12, 24, 48, 16));
    EXPECT_THAT(endpoint_.told(), SizeIs(100));
}

TEST_F(DeliveryTest, PassesOverWhatTheEndpointIgnores) {
    options_.ignored_actions = {"pull", "delete"};
    options_.ignored_media_types = {"application/octet-stream"};
    append({event_of(EventAction::push, "blob", "application/octet-stream"),
            event_of(EventAction::pull, "pulled"), event_of(EventAction::push, "kept"),
            event_of(EventAction::remove, "removed"), event_of(EventAction::mount, "mounted")});
    drain();
    EXPECT_THAT(endpoint_.told(), ElementsAre("push kept", "mount mounted"));
    EXPECT_EQ(told(), 5);
}

TEST_F(DeliveryTest, PassesOverMuchWithoutAnyRequest) {
    options_.ignored_actions = {"push"};
    push(1, 1'500);
    EXPECT_EQ(delivery().step(), kAtOnce);
    EXPECT_EQ(told(), 1'500) << "in one step";
    EXPECT_THAT(endpoint_.sizes(), IsEmpty());
}

TEST_F(DeliveryTest, GoesOnWhereAReplayPutsIt) {
    push(1, 4);
    drain();
    ASSERT_TRUE(queue().move_cursor("hook", 4, 2).value());
    drain();
    EXPECT_THAT(endpoint_.told(),
                ElementsAre("push 1", "push 2", "push 3", "push 4", "push 3", "push 4"));
}

TEST_F(DeliveryTest, IsNotMisledByAReplayUnderARequest) {
    push(1, 2);
    drain();
    push(3, 1);
    endpoint_.on_request = [this] { static_cast<void>(queue().move_cursor("hook", 2, 0).value()); };
    delivery().step();
    endpoint_.on_request = [] {};
    EXPECT_EQ(told(), 0) << "what was asked for is not undone by the answer";
    drain();
    EXPECT_THAT(endpoint_.told(),
                ElementsAre("push 1", "push 2", "push 3", "push 1", "push 2", "push 3"));
}

TEST_F(DeliveryTest, TellsAgainWhatANewProcessDoesNotKnowWasTold) {
    push(1, 1);
    endpoint_.on_request = [] { throw std::runtime_error("the process ends here"); };
    EXPECT_THROW(delivery().step(), std::runtime_error);
    endpoint_.on_request = [] {};
    restart();
    drain();
    EXPECT_THAT(endpoint_.told(), ElementsAre("push 1"));
}

TEST_F(DeliveryTest, GoesOnBehindWhatWasRemovedUntold) {
    push(1, 10);
    ASSERT_EQ(queue().trim_events(clock_.now(), 2).value().untold, 8u);
    drain();
    EXPECT_THAT(endpoint_.told(), ElementsAre("push 9", "push 10"));
}

TEST_F(DeliveryTest, SaysAFewTimesThatItFailsAndNeverWhatIsSecret) {
    options_.headers = {{"Authorization", "Bearer hush"}};
    endpoint_.answer_next(std::vector<int>(100, 500));
    push(1, 1);
    testing::internal::CaptureStderr();
    log_ = Logger::open({}, clock_).value();
    drain();
    log_->flush();
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::ranges::count(text, '\n'), 3) << text;
    EXPECT_THAT(text, AllOf(HasSubstr("it answered 500"), HasSubstr("tried again after"),
                            HasSubstr("told again"), HasSubstr("failures=100")));
    EXPECT_THAT(text, AllOf(Not(HasSubstr("hush")), Not(HasSubstr("secret"))));
}

TEST_F(DeliveryTest, CountsEachEventOnceAndWhatBecameOfIt) {
    metrics::Metrics metrics;
    delivery_.emplace(queue(), *log_, options_, EventSource{}, &metrics, endpoint_.sender());
    endpoint_.answer_next({500, 0});
    append({event_of(EventAction::push, "a"), event_of(EventAction::push, "b"),
            event_of(EventAction::push, "c", "application/octet-stream")});
    delivery().step();
    EXPECT_THAT(metrics.text(),
                HasSubstr(R"(registry_notifications_pending_total{endpoint="hook"} 3)"));
    drain();
    const std::string text = metrics.text();
    for (const char* line :
         {R"(registry_notifications_events_total{endpoint="hook",type="Events"} 3)",
          R"(registry_notifications_events_total{endpoint="hook",type="Failures"} 3)",
          R"(registry_notifications_events_total{endpoint="hook",type="Errors"} 3)",
          R"(registry_notifications_events_total{endpoint="hook",type="Successes"} 3)",
          R"(registry_notifications_pending_total{endpoint="hook"} 0)"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

}  // namespace
}  // namespace berth::jobs
