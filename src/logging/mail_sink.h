// MailSink: gathers log lines and gives them to a mail server, a few at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "logging/mail.h"

namespace berth::logging {

struct MailTimes {
    std::chrono::milliseconds gather{2'000};     // after the first line, for what comes with it
    std::chrono::milliseconds interval{60'000};  // between two mails, and between two tries
    std::chrono::milliseconds report_interval{3'600'000};  // of a server that does not take them
    std::chrono::milliseconds flush_max{2'000};
};

class MailSink final : public LogSink {
  public:
    // Sends a whole mail, headers and all; may wait, until it is asked to stop.
    using Send = std::function<Result<void>(const std::string& mail, const std::stop_token& stop)>;
    MailSink(MailOptions options, Send send, const Clock& clock, const MailTimes& times = {});
    ~MailSink() override;

    void start(LogReport report) override;
    void write(const LogRecord& record) override;
    bool takes_access() const override { return false; }
    void access(const AccessRecord&, std::string_view) override {}
    // Sends what is gathered at once.
    void flush() override;

  private:
    // Lines of one mail.
    struct Batch {
        std::string text;
        std::uint64_t lines = 0;
        std::uint64_t left_out = 0;
        LogLevel worst{};
        std::string headline;  // the first message of the worst level
    };

    void run(const std::stop_token& stop);
    std::string format(const Batch& batch) const;
    Result<void> send(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
    void put_back(Batch failed);
    void report(const std::string& text);

    const MailOptions options_;
    const Send send_;
    const Clock& clock_;
    const MailTimes times_;
    const std::string host_;
    LogReport report_;

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::condition_variable_any settled_;
    Batch batch_;
    bool hurry_ = false;
    bool sending_ = false;
    std::uint64_t failures_ = 0;
    SteadyTime next_;  // no mail before

    std::optional<SteadyTime> reported_at_;  // the thread's own

    std::jthread thread_;
};

}  // namespace berth::logging
