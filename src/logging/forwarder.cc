#include "logging/forwarder.h"

#include <algorithm>
#include <utility>

namespace berth::logging {

Forwarder::Forwarder(std::unique_ptr<Destination> destination, LossLine loss_line,
                     const Clock& clock, const ForwarderOptions& options)
    : destination_(std::move(destination)),
      loss_line_(std::move(loss_line)),
      clock_(clock),
      options_(options),
      retry_(options.retry_first) {}

Forwarder::~Forwarder() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    const auto unsent = queue_.size() + lost_;
    if (unsent == 0 || !report_) return;
    report_(LogLevel::warn,
            destination_->name() + ": not sent at the end: " + std::to_string(unsent) + " lines");
}

void Forwarder::start(LogReport report) {
    report_ = std::move(report);
    thread_ = std::thread([this] { run(); });
}

bool Forwarder::has_room(std::size_t bytes) const {
    if (queue_.empty()) return true;  // also for one that is larger than the queue
    return queue_.size() < options_.lines_max && bytes_ + bytes <= options_.bytes_max;
}

void Forwarder::append(std::string line) {
    bytes_ += line.size();
    queue_.push_back(std::move(line));
}

void Forwarder::add(std::string line) {
    {
        const std::lock_guard lock(mutex_);
        const bool half_free =
            queue_.size() <= options_.lines_max / 2 && bytes_ <= options_.bytes_max / 2;
        full_ = !has_room(line.size()) || (full_ && !half_free);
        if (full_) {
            ++lost_;
            return;
        }
        if (lost_ > 0) append(loss_line_(std::exchange(lost_, 0)));
        append(std::move(line));
    }
    wake_.notify_one();
}

void Forwarder::flush() {
    std::unique_lock lock(mutex_);
    if (queue_.empty()) return;
    const auto failures = failures_;
    hurry_ = true;
    wake_.notify_one();
    settled_.wait_for(lock, options_.flush_max,
                      [&] { return queue_.empty() || failures_ != failures; });
}

void Forwarder::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        const std::string& line = queue_.front();
        lock.unlock();
        const auto sent = send(line);
        lock.lock();
        settle(sent, lock);
    }
}

Result<void> Forwarder::send(std::string_view line) {
    if (!open_) BERTH_CHECK(destination_->open());
    open_ = true;
    auto sent = destination_->send(line);
    open_ = sent || sent.error().code == Errc::too_large;
    if (!sent) return sent;
    retry_ = options_.retry_first;
    if (std::exchange(reported_, false))
        report_(LogLevel::info, destination_->name() + ": works again");
    return sent;
}

void Forwarder::settle(const Result<void>& sent, std::unique_lock<std::mutex>& lock) {
    if (sent || sent.error().code == Errc::too_large) {
        bytes_ -= queue_.front().size();
        queue_.pop_front();
        if (!sent) ++lost_;
        if (sent && queue_.empty() && lost_ > 0) append(loss_line_(std::exchange(lost_, 0)));
        if (queue_.empty()) settled_.notify_all();
        return;
    }
    lock.unlock();
    report_failure(sent.error());
    lock.lock();
    ++failures_;
    settled_.notify_all();
    wake_.wait_for(lock, retry_, [this] { return stopping_ || hurry_; });
    hurry_ = false;
    retry_ = std::min(retry_ * 2, options_.retry_max);
}

void Forwarder::report_failure(const Error& error) {
    const auto now = clock_.steady_now();
    if (reported_ || (reported_at_ && now - *reported_at_ < options_.report_interval)) return;
    reported_ = true;
    reported_at_ = now;
    report_(LogLevel::warn, destination_->name() + ": " + error.detail + "; lines wait for it");
}

}  // namespace berth::logging
