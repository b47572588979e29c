#include "logging/mail_sink.h"

#include <algorithm>
#include <utility>

#include "base/log_format.h"
#include "base/random.h"
#include "logging/host_name.h"
#include "logging/mail_message.h"

namespace berth::logging {

namespace {

constexpr std::size_t kTextMax = 128 << 10;  // of one mail

}  // namespace

MailSink::MailSink(MailOptions options, Send send, const Clock& clock, const MailTimes& times)
    : options_(std::move(options)),
      send_(std::move(send)),
      clock_(clock),
      times_(times),
      host_(host_name()),
      next_(clock.steady_now()) {}

MailSink::~MailSink() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    const auto unsent = batch_.lines + batch_.left_out;
    if (unsent > 0) report("not mailed at the end: " + std::to_string(unsent) + " lines");
}

void MailSink::start(LogReport report) {
    report_ = std::move(report);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void MailSink::write(const LogRecord& record) {
    if (record.level < options_.level) return;
    const auto line =
        format_log_line(LogFormat::text, record.at, record.level, record.message, record.fields);
    {
        const std::lock_guard lock(mutex_);
        if (batch_.lines == 0 || record.level > batch_.worst) {
            batch_.worst = record.level;
            batch_.headline = record.message;
        }
        if (batch_.lines > 0 && batch_.text.size() + line.size() > kTextMax) {
            ++batch_.left_out;
            return;
        }
        ++batch_.lines;
        batch_.text += line;
    }
    wake_.notify_one();
}

void MailSink::flush() {
    std::unique_lock lock(mutex_);
    const auto failures = failures_;
    hurry_ = true;
    wake_.notify_one();
    settled_.wait_for(lock, times_.flush_max,
                      [&] { return (batch_.lines == 0 && !sending_) || failures_ != failures; });
    hurry_ = false;
}

void MailSink::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return batch_.lines > 0; })) {
        const auto patience =
            std::max<SteadyTime::duration>(times_.gather, next_ - clock_.steady_now());
        wake_.wait_for(lock, stop, patience, [this] { return hurry_; });
        if (stop.stop_requested()) return;
        const auto sent = send(lock, stop);
        if (sent) continue;
        lock.unlock();
        report("mail by " + options_.address + ": " + sent.error().detail);
        lock.lock();
    }
}

// Called, and back, with the lock held.
Result<void> MailSink::send(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    Batch batch = std::exchange(batch_, {});
    sending_ = true;
    lock.unlock();
    auto sent = send_(format(batch), stop);
    lock.lock();
    sending_ = false;
    next_ = clock_.steady_now() + times_.interval;
    if (!sent) {
        put_back(std::move(batch));
        ++failures_;
        hurry_ = false;
    }
    settled_.notify_all();
    return sent;
}

void MailSink::put_back(Batch failed) {
    const Batch later = std::exchange(batch_, std::move(failed));
    const bool fits = batch_.text.size() + later.text.size() <= kTextMax;
    if (fits) batch_.text += later.text;
    (fits ? batch_.lines : batch_.left_out) += later.lines;
    batch_.left_out += later.left_out;
    if (later.lines > 0 && later.worst > batch_.worst) {
        batch_.worst = later.worst;
        batch_.headline = later.headline;
    }
}

std::string MailSink::format(const Batch& batch) const {
    MailMessage message;
    message.from = options_.from;
    message.to = options_.to;
    message.at = clock_.now();
    message.id = random_uuid() + "@" + host_;
    message.subject =
        "[" + std::string(name_of(batch.worst)) + "] " + host_ + ": " + batch.headline;
    message.body = batch.text;
    if (batch.left_out > 0)
        message.body += "and " + std::to_string(batch.left_out) + " lines that are left out\n";
    return format_mail(message);
}

void MailSink::report(const std::string& text) {
    const auto now = clock_.steady_now();
    if (reported_at_ && now - *reported_at_ < times_.report_interval) return;
    reported_at_ = now;
    report_(LogLevel::warn, text);
}

}  // namespace berth::logging
