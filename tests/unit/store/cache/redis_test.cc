// Goal: the cache believes only what this process wrote at the version that stands, and a Redis
// that fails, in whatever way, costs its time-out once and comes back by itself. Method: a Redis of
// our own that misbehaves on demand; what the cache says to it and to the log is looked at.
#include "store/cache/redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "oci/hasher.h"
#include "support/fake_clock.h"
#include "unit/store/cache/fake_redis.h"

namespace berth::store {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Mood = FakeRedis::Mood;
using Words = FakeRedis::Words;

// Never reached by a test that passes.
constexpr milliseconds kPatience(60'000);

// The lines of a log, to wait for.
class Lines {
  public:
    void add(std::string line) {
        std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
        changed_.notify_all();
    }
    bool wait_for(const std::string& part, int times) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return count(part) >= times; });
    }
    int count_of(const std::string& part) const {
        std::lock_guard lock(mutex_);
        return count(part);
    }
    std::string text() const {
        std::lock_guard lock(mutex_);
        std::string text;
        for (const auto& line : lines_)
            text += line + "\n";
        return text;
    }

  private:
    int count(const std::string& part) const {
        int times = 0;
        for (const auto& line : lines_)
            times += line.find(part) != std::string::npos ? 1 : 0;
        return times;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
};

class Sink final : public LogSink {
  public:
    explicit Sink(Lines& lines) : lines_(lines) {}
    void start(LogReport) override {}
    void write(const LogRecord& record) override {
        std::string line(record.message);
        for (const auto& [key, value] : record.fields)
            line += " " + std::string(key) + "=" + std::string(value);
        lines_.add(std::move(line));
    }
    bool takes_access() const override { return false; }
    void access(const AccessRecord&, std::string_view) override {}
    void flush() override {}

  private:
    Lines& lines_;
};

constexpr const char* kUp = "Redis keeps blob descriptors";
constexpr const char* kDown = "going on without Redis";

class RedisCacheTest : public testing::Test {
  protected:
    RedisOptions options() const {
        RedisOptions options;
        options.addresses = {redis_.address()};
        options.dial_timeout = kPatience;
        options.read_timeout = kPatience;
        options.write_timeout = kPatience;
        options.pause_first = milliseconds(1);
        options.pause_max = milliseconds(5);
        return options;
    }

    std::unique_ptr<DescriptorCache> make(RedisOptions options) {
        return make_redis_cache(std::move(options), clock_, *log_,
                                [this](std::string_view, auto) { ++actions_; });
    }
    // Waits until it has reached the server for the `times`th time.
    std::unique_ptr<DescriptorCache> open(RedisOptions options, int times = 1) {
        auto cache = make(std::move(options));
        EXPECT_TRUE(lines_.wait_for(kUp, times)) << lines_.text();
        redis_.take_commands();
        return cache;
    }

    // The one entry that is kept.
    std::pair<std::string, std::string> only_entry() const {
        std::pair<std::string, std::string> only;
        for (const auto& [key, value] : redis_.data()) {
            if (key.ends_with(":probe")) continue;
            EXPECT_EQ(only.first, "");
            only = {key, value};
        }
        return only;
    }

    FakeRedis redis_;
    FakeClock clock_;
    Lines lines_;
    std::unique_ptr<Logger> log_ = make_log();
    std::atomic<int> actions_ = 0;

    const oci::RepositoryName app_ = oci::RepositoryName::parse("team/app").value();
    const oci::RepositoryName other_ = oci::RepositoryName::parse("team/other").value();
    const oci::Digest digest_ = oci::digest_of(oci::Algorithm::sha256, as_bytes("layer"));

  private:
    std::unique_ptr<Logger> make_log() {
        std::vector<std::unique_ptr<LogSink>> sinks;
        sinks.push_back(std::make_unique<Sink>(lines_));
        LogOptions log;
        log.standard_error = false;
        return Logger::open(log, clock_, std::move(sinks)).value();
    }
};

TEST_F(RedisCacheTest, FindsWhatWasPut) {
    const auto cache = open(options());
    EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
    cache->put(app_, digest_, 7, 12'345'678'901);
    EXPECT_EQ(cache->find(app_, digest_, 7), 12'345'678'901);
    EXPECT_EQ(cache->find(other_, digest_, 7), std::nullopt);
    EXPECT_EQ(actions_, 4);
}

TEST_F(RedisCacheTest, FindsNothingOfAnotherVersion) {
    const auto cache = open(options());
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 8), std::nullopt);
    // One that asked the index before the change writes late.
    cache->put(app_, digest_, 8, 6);
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 8), std::nullopt);
}

TEST_F(RedisCacheTest, EntriesAreGoneAfterADay) {
    const auto cache = open(options());
    cache->put(app_, digest_, 7, 5);
    const auto commands = redis_.take_commands();
    ASSERT_THAT(commands, SizeIs(1));
    const auto [key, value] = only_entry();
    EXPECT_THAT(commands[0], ElementsAre("SET", key, value, "EX", "86400"));
    EXPECT_THAT(key, testing::MatchesRegex("berth:[0-9a-f]+:team/app@" + digest_.text()));
}

TEST_F(RedisCacheTest, BelievesNothingOfAnotherProcess) {
    open(options())->put(app_, digest_, 7, 5);
    EXPECT_EQ(open(options(), 2)->find(app_, digest_, 7), std::nullopt);
}

TEST_F(RedisCacheTest, BelievesNothingThatOthersWrote) {
    const auto cache = open(options());
    cache->put(app_, digest_, 7, 5);
    const auto [key, value] = only_entry();
    const auto signature = value.substr(value.find(' '));
    for (const std::string& forged :
         {"6" + signature, "05" + signature, "5 " + signature, std::string("5"), std::string("5 "),
          std::string(), "-5" + signature, value + " ", value.substr(0, value.size() - 1),
          "99999999999999999999999" + signature, std::string("x"), std::string(2000, '5')}) {
        redis_.write(key, forged);
        EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt) << forged;
    }
    redis_.write(key, value);
    EXPECT_EQ(cache->find(app_, digest_, 7), 5U);
}

TEST_F(RedisCacheTest, BelievesNoEntryAtAnotherPlace) {
    const auto cache = open(options());
    cache->put(app_, digest_, 7, 5);
    const auto [key, value] = only_entry();
    auto moved = key;
    moved.replace(moved.find("team/app"), 8, "team/other");
    redis_.write(moved, value);
    EXPECT_EQ(cache->find(other_, digest_, 7), std::nullopt);
}

TEST_F(RedisCacheTest, LogsInWithThePassword) {
    redis_.require({"s3cret"});
    auto wanted = options();
    wanted.password = "s3cret";
    wanted.db = 3;
    const auto cache = make(wanted);
    ASSERT_TRUE(lines_.wait_for(kUp, 1));
    const auto commands = redis_.take_commands();
    ASSERT_THAT(commands, SizeIs(3));
    EXPECT_THAT(commands[0], ElementsAre("AUTH", "s3cret"));
    EXPECT_THAT(commands[1], ElementsAre("SELECT", "3"));
    EXPECT_EQ(commands[2].front(), "SET");
}

TEST_F(RedisCacheTest, LogsInWithUserAndPassword) {
    redis_.require({"berth", "s3cret"});
    auto wanted = options();
    wanted.username = "berth";
    wanted.password = "s3cret";
    const auto cache = make(wanted);
    ASSERT_TRUE(lines_.wait_for(kUp, 1));
    EXPECT_THAT(redis_.take_commands()[0], ElementsAre("AUTH", "berth", "s3cret"));
}

TEST_F(RedisCacheTest, AWrongPasswordIsToldOnceAndNeverShown) {
    redis_.require({"right"});
    auto wanted = options();
    wanted.password = "wr0ng";
    const auto cache = make(wanted);
    ASSERT_TRUE(lines_.wait_for(kDown, 1));
    EXPECT_THAT(lines_.text(), HasSubstr("the login is refused: WRONGPASS"));
    redis_.require({"wr0ng"});
    ASSERT_TRUE(lines_.wait_for(kUp, 1));
    EXPECT_EQ(lines_.count_of(kDown), 1);
    EXPECT_THAT(lines_.text(), Not(HasSubstr("wr0ng")));
}

TEST_F(RedisCacheTest, AMissingPasswordAndAMissingDatabaseAreToldInRedissWords) {
    redis_.require({"right"});
    {
        const auto cache = make(options());
        ASSERT_TRUE(lines_.wait_for("NOAUTH Authentication required.", 1));
    }
    auto wanted = options();
    wanted.password = "right";
    wanted.db = 16;
    const auto cache = make(wanted);
    ASSERT_TRUE(lines_.wait_for("ERR out of range", 1));
}

TEST_F(RedisCacheTest, TakesTheFirstAddressThatAnswers) {
    auto wanted = options();
    wanted.addresses = {"unix:/nobody/is/here", redis_.address()};
    const auto cache = open(wanted);
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 7), 5U);
}

TEST_F(RedisCacheTest, ADeadServerIsToldOnceAndReachedWhenItIsThere) {
    redis_.stop();
    const auto cache = make(options());
    ASSERT_TRUE(lines_.wait_for(kDown, 1));
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
    EXPECT_EQ(actions_, 0) << "nothing was asked";
    redis_.start();
    ASSERT_TRUE(lines_.wait_for(kUp, 1));
    EXPECT_EQ(lines_.count_of(kDown), 1);
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 7), 5U);
}

TEST_F(RedisCacheTest, ASlowServerCostsItsTimeoutOnceAndComesBack) {
    auto wanted = options();
    wanted.read_timeout = milliseconds(40);
    const auto cache = open(wanted);
    redis_.set_mood(Mood::is_silent);
    EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
    ASSERT_TRUE(lines_.wait_for(kDown, 1));
    EXPECT_THAT(lines_.text(), HasSubstr("no answer in time"));
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
    EXPECT_EQ(actions_, 1) << "it was asked again before it answered";
    redis_.set_mood(Mood::answers);
    ASSERT_TRUE(lines_.wait_for(kUp, 2));
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 7), 5U);
}

TEST_F(RedisCacheTest, AServerThatRestartedInAnIdleMomentIsNotMissed) {
    const auto cache = open(options());
    cache->put(app_, digest_, 7, 5);
    redis_.stop();
    redis_.start();
    EXPECT_EQ(cache->find(app_, digest_, 7), 5U);
    EXPECT_EQ(lines_.count_of(kDown), 0);
}

TEST_F(RedisCacheTest, AServerThatKeepsNothingIsLeftAlone) {
    const auto cache = open(options());
    redis_.set_mood(Mood::refuses);
    cache->put(app_, digest_, 7, 5);
    ASSERT_TRUE(lines_.wait_for(kDown, 1));
    EXPECT_THAT(lines_.text(), HasSubstr("OOM command not allowed"));
    redis_.take_commands();
    EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
    for (const auto& command : redis_.take_commands())
        EXPECT_EQ(command.front(), "SET") << "reached, though it keeps nothing";
    redis_.set_mood(Mood::answers);
    ASSERT_TRUE(lines_.wait_for(kUp, 2));
}

TEST_F(RedisCacheTest, WhatIsNoRedisIsLeftAlone) {
    const auto cache = open(options());
    int times = 1;
    for (const Mood mood : {Mood::cuts, Mood::talks_junk, Mood::sends_array}) {
        redis_.set_mood(mood);
        EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
        ASSERT_TRUE(lines_.wait_for(kDown, times));
        redis_.set_mood(Mood::answers);
        ASSERT_TRUE(lines_.wait_for(kUp, ++times));
    }
}

TEST_F(RedisCacheTest, ConnectionsAreKept) {
    const auto cache = open(options());
    for (int i = 0; i < 10; ++i)
        cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(redis_.connections(), 1);
}

TEST_F(RedisCacheTest, NoMoreConnectionsAreKeptThanWanted) {
    auto wanted = options();
    wanted.idle_max = 0;
    const auto cache = open(wanted);
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(cache->find(app_, digest_, 7), 5U);
    EXPECT_EQ(redis_.connections(), 3);
}

TEST_F(RedisCacheTest, IdleConnectionsAreClosedAfterTheirTime) {
    const auto cache = open(options());
    cache->put(app_, digest_, 7, 5);
    clock_.advance(options().idle_timeout - milliseconds(1));
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(redis_.connections(), 1);
    clock_.advance(options().idle_timeout);
    cache->put(app_, digest_, 7, 5);
    EXPECT_EQ(redis_.connections(), 2);
}

TEST_F(RedisCacheTest, WhoFindsAllConnectionsInUseDoesNotWait) {
    auto wanted = options();
    wanted.connections_max = 1;
    const auto cache = open(wanted);
    cache->put(app_, digest_, 7, 5);
    redis_.take_commands();
    redis_.set_mood(Mood::is_silent);
    std::jthread stuck([&] { cache->find(app_, digest_, 7); });
    while (redis_.take_commands().empty())
        std::this_thread::yield();
    EXPECT_EQ(cache->find(app_, digest_, 7), std::nullopt);
    EXPECT_EQ(lines_.count_of(kDown), 0);
    redis_.stop();  // frees the other
}

TEST_F(RedisCacheTest, ManyThreadsFindAndPut) {
    auto wanted = options();
    wanted.connections_max = 3;
    wanted.idle_max = 2;
    const auto cache = open(wanted);
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (std::uint64_t i = 0; i < 50; ++i) {
                const auto digest =
                    oci::digest_of(oci::Algorithm::sha256, as_bytes(std::to_string(thread)));
                cache->put(app_, digest, 7, thread);
                const auto size = cache->find(app_, digest, 7);
                EXPECT_TRUE(!size || *size == thread);
            }
        });
    }
    threads.clear();
    EXPECT_EQ(lines_.count_of(kDown), 0);
}

}  // namespace
}  // namespace berth::store
