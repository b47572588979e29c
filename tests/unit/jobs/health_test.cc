// Goal: each check finds out what it is for, on its own thread and again and again.
// Method: checks of real files and real sockets on 127.0.0.1, called one by one; the job with
// checks that a test controls, which waits for their runs and never for time.
#include "jobs/health.h"

#include <gmock/gmock.h>

#include <condition_variable>

#include "http/sample_handler.h"
#include "support/fake_clock.h"
#include "support/http_exchange.h"
#include "support/temporary_directory.h"
#include "unit/net/net_support.h"

namespace berth::jobs {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

HealthCheck only_check(const HealthOptions& options) {
    static const auto directory = io::make_memory_directory();
    auto checks = make_health_checks(*directory, options);
    EXPECT_EQ(checks.size(), 1u);
    return checks.at(0);
}

std::string outcome_of(const HealthCheck& check) {
    const auto outcome = check.run();
    return outcome ? "well" : outcome.error().detail;
}

// Whether its folder can be listed.
class FailingDirectory final : public io::Directory {
  public:
    bool broken = false;

    Result<std::vector<io::Entry>> list(std::string_view path) const override {
        if (broken) return fail(Errc::io, "list: Input/output error");
        return inner_->list(path);
    }
    Result<std::unique_ptr<io::File>> open(std::string_view path) const override {
        return inner_->open(path);
    }
    Result<std::unique_ptr<io::File>> open_to_write(std::string_view path) override {
        return inner_->open_to_write(path);
    }
    Result<std::unique_ptr<io::File>> create(std::string_view path) override {
        return inner_->create(path);
    }
    Result<void> rename(std::string_view from, std::string_view to) override {
        return inner_->rename(from, to);
    }
    Result<void> remove(std::string_view path) override { return inner_->remove(path); }
    Result<std::vector<std::string>> make_directories(std::string_view path) override {
        return inner_->make_directories(path);
    }
    Result<void> sync_directory(std::string_view path) override {
        return inner_->sync_directory(path);
    }
    Result<void> sync_all() override { return inner_->sync_all(); }
    Result<io::Space> space() const override { return inner_->space(); }

  private:
    std::unique_ptr<io::Directory> inner_ = io::make_memory_directory();
};

TEST(HealthChecks, ThereAreNoneUnlessAskedFor) {
    const auto directory = io::make_memory_directory();
    EXPECT_TRUE(make_health_checks(*directory, {}).empty());
    EXPECT_FALSE(HealthOptions().any());
}

TEST(HealthChecks, TheStorageMustBeReadable) {
    FailingDirectory directory;
    HealthOptions options;
    options.storage = true;
    options.storage_interval = milliseconds(1234);
    const auto checks = make_health_checks(directory, options);
    ASSERT_EQ(checks.size(), 1u);
    EXPECT_EQ(checks[0].name, "storagedriver_filesystem");
    EXPECT_EQ(checks[0].interval, milliseconds(1234));
    EXPECT_EQ(checks[0].threshold, 3u);
    EXPECT_EQ(outcome_of(checks[0]), "well");
    directory.broken = true;
    EXPECT_EQ(outcome_of(checks[0]), "list: Input/output error");
}

TEST(HealthChecks, AFileMustNotBeThere) {
    const TemporaryDirectory folder;
    HealthOptions options;
    options.files = {{.file = folder.file("down")}};
    const HealthCheck check = only_check(options);
    EXPECT_EQ(check.name, folder.file("down"));
    EXPECT_EQ(check.threshold, 1u);
    EXPECT_EQ(outcome_of(check), "well");
    const auto directory = io::open_directory(folder.path()).value();
    ASSERT_TRUE(directory->create("down"));
    EXPECT_EQ(outcome_of(check), "file exists");
    ASSERT_TRUE(directory->remove("down"));
    EXPECT_EQ(outcome_of(check), "well");
}

TEST(HealthChecks, AFileThatCannotBeLookedForIsAFailure) {
    const TemporaryDirectory folder;
    ASSERT_TRUE(io::open_directory(folder.path()).value()->create("file"));
    HealthOptions options;
    options.files = {{.file = folder.file("file/inner")}};
    EXPECT_THAT(outcome_of(only_check(options)), HasSubstr("Not a directory"));
}

TEST(HealthChecks, HttpMustAnswerWithTheStatus) {
    SampleHandler handler;
    HttpTestServer server(handler);
    const std::string origin = "http://127.0.0.1:" + std::to_string(server.port());
    HealthOptions options;
    options.https = {
        {.uri = origin + "/status/204", .headers = {{"X-Key", "v"}}, .status_code = 204}};
    options.https[0].timeout = std::chrono::seconds(30);
    EXPECT_EQ(outcome_of(only_check(options)), "well");
    EXPECT_EQ(only_check(options).name, origin + "/status/204");
    options.https[0].status_code = 200;
    EXPECT_EQ(outcome_of(only_check(options)),
              "downstream service returned unexpected status: 204");
    server.stop();
    EXPECT_THAT(outcome_of(only_check(options)), Not("well"));
}

TEST(HealthChecks, NothingSecretOfAUriIsShown) {
    for (const auto& [uri, name] : std::vector<std::pair<std::string, std::string>>{
             {"http://user:secret@host:1/a/b?key=secret#x", "http://host:1/a/b"},
             {"https://secret@host", "https://host"},
             {"http://host/a@b", "http://host/a@b"},
             {"http://user:p@ss@host/", "http://host/"},
             {"http://host", "http://host"}}) {
        HealthOptions options;
        options.https = {{.uri = uri}};
        EXPECT_EQ(only_check(options).name, name);
    }
}

TEST(HealthChecks, TcpMustBeAccepted) {
    SampleHandler handler;
    HttpTestServer server(handler);
    HealthOptions options;
    options.tcps = {{.address = "127.0.0.1:" + std::to_string(server.port())}};
    options.tcps[0].timeout = std::chrono::seconds(30);
    const HealthCheck check = only_check(options);
    EXPECT_EQ(check.name, options.tcps[0].address);
    EXPECT_EQ(outcome_of(check), "well");
    server.stop();
    EXPECT_THAT(outcome_of(check), HasSubstr(options.tcps[0].address));
}

// A check that a test controls.
class Probe {
  public:
    HealthCheck check(std::string name) {
        return {std::move(name), milliseconds(1), 1, [this] { return run(); }};
    }
    void set(Result<void> outcome) {
        const std::lock_guard lock(mutex_);
        outcome_ = std::move(outcome);
    }
    void hang(bool yes) {
        const std::lock_guard lock(mutex_);
        hanging_ = yes;
        changed_.notify_all();
    }
    // Returns when `count` more runs have begun: what the one before said has been reported.
    void wait_for_runs(int count) {
        std::unique_lock lock(mutex_);
        const int enough = runs_ + count;
        changed_.wait(lock, [&] { return runs_ >= enough; });
    }

  private:
    Result<void> run() {
        std::unique_lock lock(mutex_);
        ++runs_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !hanging_; });
        if (thrown_) throw std::runtime_error("thrown");
        return outcome_;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    Result<void> outcome_;
    bool hanging_ = false;
    int runs_ = 0;

  public:
    std::atomic<bool> thrown_ = false;
};

class HealthTest : public testing::Test {
  protected:
    FakeClock clock_;
    std::unique_ptr<Logger> log_ = Logger::open({}, clock_).value();
};

TEST_F(HealthTest, TurnsUnreadyAndReadyAgain) {
    Probe probe;
    Health health({probe.check("it")}, *log_);
    EXPECT_TRUE(health.ready());
    probe.set(fail(Errc::unavailable, "broken"));
    probe.wait_for_runs(2);
    EXPECT_FALSE(health.ready());
    EXPECT_EQ(health.failures().at("it"), "broken");
    probe.set({});
    probe.wait_for_runs(2);
    EXPECT_TRUE(health.ready());
    EXPECT_TRUE(health.failures().empty());
}

TEST_F(HealthTest, WhatACheckThrowsIsItsFailure) {
    Probe probe;
    probe.thrown_ = true;
    Health health({probe.check("it")}, *log_);
    probe.wait_for_runs(2);
    EXPECT_EQ(health.failures().at("it"), "thrown");
}

TEST_F(HealthTest, OneThatHangsHoldsUpNobody) {
    Probe hanging, other;
    hanging.hang(true);
    {
        Health health({hanging.check("hanging"), other.check("other")}, *log_);
        other.set(fail(Errc::unavailable, "broken"));
        other.wait_for_runs(3);
        EXPECT_EQ(health.failures().size(), 1u);
        hanging.hang(false);
    }
}

TEST_F(HealthTest, WithoutChecksItIsReady) {
    const Health health({}, *log_);
    EXPECT_TRUE(health.ready());
}

}  // namespace
}  // namespace berth::jobs
