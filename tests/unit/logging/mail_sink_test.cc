// Goal: lines go together into few mails; a mail server that takes none costs nothing but mails.
// Method: a function in the server's place, and times that are either none or never over.
#include "logging/mail_sink.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "support/fake_clock.h"

namespace berth::logging {
namespace {

using Texts = std::vector<std::string>;
using std::chrono::hours;
using std::chrono::milliseconds;

std::string body(const std::string& mail) {
    std::string text = mail.substr(mail.find("\r\n\r\n") + 4);
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    return base64_decode(text).value();
}

// Takes mails or does not. Thread-safe.
class Server {
  public:
    Result<void> take(const std::string& mail, const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        ++tries_;
        changed_.notify_all();
        if (hangs_) {
            changed_.wait(lock, stop, [] { return false; });
            return fail(Errc::unavailable, "stopped");
        }
        if (refuses_) return fail(Errc::unavailable, "refused");
        mails_.push_back(mail);
        changed_.notify_all();
        return {};
    }
    Texts wait_for_mails(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return mails_.size() >= count; });
        return mails_;
    }
    void wait_for_tries(int count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return tries_ >= count; });
    }
    Texts mails() {
        const std::lock_guard lock(mutex_);
        return mails_;
    }
    void refuse(bool refuses) {
        const std::lock_guard lock(mutex_);
        refuses_ = refuses;
    }
    void hang() {
        const std::lock_guard lock(mutex_);
        hangs_ = true;
    }

  private:
    std::mutex mutex_;
    std::condition_variable_any changed_;
    Texts mails_;
    int tries_ = 0;
    bool refuses_ = false;
    bool hangs_ = false;
};

MailTimes times(milliseconds gather, milliseconds interval) {
    MailTimes made;
    made.gather = gather;
    made.interval = interval;
    made.flush_max = hours(1);
    return made;
}

class MailSinkTest : public testing::Test {
  protected:
    void start(const MailTimes& times) {
        MailOptions options;
        options.address = "mail.example.com:25";
        options.from = "berth@example.com";
        options.to = {"ops@example.com"};
        options.level = LogLevel::warn;
        const auto send = [this](const std::string& mail, const std::stop_token& stop) {
            return server_.take(mail, stop);
        };
        sink_ = std::make_unique<MailSink>(options, send, clock_, times);
        sink_->start([this](LogLevel, std::string_view message) {
            const std::lock_guard lock(mutex_);
            reports_.emplace_back(message);
        });
    }
    void write(LogLevel level, std::string_view message) {
        sink_->write({Time(), level, message, {}});
    }
    Texts reports() {
        const std::lock_guard lock(mutex_);
        return reports_;
    }

    FakeClock clock_;
    Server server_;
    std::mutex mutex_;
    Texts reports_;
    std::unique_ptr<MailSink> sink_;
};

TEST_F(MailSinkTest, SendsALineOfItsLevelOrAbove) {
    start(times(milliseconds(0), milliseconds(0)));
    write(LogLevel::info, "a");
    write(LogLevel::warn, "b");
    const auto mail = server_.wait_for_mails(1).front();
    EXPECT_EQ(body(mail), "time=\"1970-01-01T00:00:00.000Z\" level=warning msg=b\n");
    EXPECT_TRUE(mail.contains("\r\nSubject: [warning] ")) << mail;
    EXPECT_TRUE(mail.contains(": b\r\n")) << mail;
}

TEST_F(MailSinkTest, SendsGatheredLinesInOneMailAtFlush) {
    start(times(hours(1), hours(1)));
    write(LogLevel::warn, "a");
    write(LogLevel::error, "b");
    write(LogLevel::error, "c");
    sink_->flush();
    const auto mails = server_.mails();
    ASSERT_EQ(mails.size(), 1u);
    EXPECT_TRUE(body(mails[0]).contains("msg=a\n"));
    EXPECT_TRUE(body(mails[0]).contains("msg=c\n"));
    EXPECT_TRUE(mails[0].contains(": b\r\n")) << "the worst line is the subject";
}

TEST_F(MailSinkTest, KeepsTheIntervalBetweenTwoMails) {
    start(times(milliseconds(0), hours(1)));
    write(LogLevel::warn, "a");
    server_.wait_for_mails(1);
    write(LogLevel::warn, "b");
    write(LogLevel::warn, "c");
    sink_->flush();
    const auto mails = server_.mails();
    ASSERT_EQ(mails.size(), 2u);
    EXPECT_TRUE(body(mails[1]).contains("msg=b\n"));
    EXPECT_TRUE(body(mails[1]).contains("msg=c\n"));
}

TEST_F(MailSinkTest, BoundsAMailAndSaysWhatIsLeftOut) {
    start(times(hours(1), hours(1)));
    const std::string large(50 << 10, 'x');
    for (int i = 0; i < 5; ++i)
        write(LogLevel::warn, large);
    sink_->flush();
    const auto text = body(server_.mails().at(0));
    EXPECT_LT(text.size(), 130u << 10);
    EXPECT_TRUE(text.ends_with("\nand 3 lines that are left out\n"));
}

TEST_F(MailSinkTest, SendsWhatWasRefusedWithTheNextLines) {
    server_.refuse(true);
    start(times(milliseconds(0), hours(1)));
    write(LogLevel::warn, "a");
    server_.wait_for_tries(1);
    server_.refuse(false);
    write(LogLevel::warn, "b");
    while (server_.mails().empty())  // the first try may still be about to fail
        sink_->flush();
    EXPECT_TRUE(body(server_.mails().at(0)).contains("msg=a\n"));
    EXPECT_TRUE(body(server_.mails().at(0)).contains("msg=b\n"));
}

TEST_F(MailSinkTest, ReportsARefusalOnceAnHour) {
    server_.refuse(true);
    start(times(milliseconds(0), milliseconds(0)));
    write(LogLevel::warn, "a");
    server_.wait_for_tries(3);
    EXPECT_EQ(reports(), Texts{"mail by mail.example.com:25: refused"});
    clock_.advance(hours(1));
    while (reports().size() < 2)
        sink_->flush();
    EXPECT_EQ(reports().back(), "mail by mail.example.com:25: refused");
}

TEST_F(MailSinkTest, GivesUpAtTheEnd) {
    server_.hang();
    start(times(milliseconds(0), hours(1)));
    write(LogLevel::warn, "a");
    server_.wait_for_tries(1);
    sink_.reset();
    EXPECT_TRUE(server_.mails().empty());
    EXPECT_FALSE(reports().empty());
}

TEST(MailOptions, AreRefusedWithoutAProperAddress) {
    const FakeClock clock;
    MailOptions good;
    good.address = "host:25";
    good.from = "a@b";
    good.to = {"c@d"};
    EXPECT_TRUE(make_mail_sink(good, clock));
    auto wrong = good;
    wrong.address = "host";
    EXPECT_FALSE(make_mail_sink(wrong, clock));
    wrong = good;
    wrong.from = "a@b\r\nBcc: c@d";
    EXPECT_FALSE(make_mail_sink(wrong, clock));
    wrong = good;
    wrong.to = {};
    EXPECT_FALSE(make_mail_sink(wrong, clock));
    wrong.to = {"c@d", "e f"};
    EXPECT_FALSE(make_mail_sink(wrong, clock));
}

}  // namespace
}  // namespace berth::logging
