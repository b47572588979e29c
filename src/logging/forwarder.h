// Forwarder: a bounded queue of lines and the thread that brings them to a destination, so that one
// that is slow or away costs lines, never a request.
//
// Lines wait while the destination is away, and it is tried again and again. When the queue is full
// lines are lost until half of it is free; a line in their place says how many there were.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace berth::logging {

// Used by one thread at a time. A call may wait, but not for long: it holds up the end of the
// server.
class Destination {
  public:
    virtual ~Destination() = default;
    // For people: syslog tcp://logs.example.com:601
    virtual std::string name() const = 0;
    // Called before the first send(), and again after each that failed.
    virtual Result<void> open() = 0;
    // Errc::too_large: this line can never be sent. Any other error: it is to be sent again.
    virtual Result<void> send(std::string_view line) = 0;
};

struct ForwarderOptions {
    std::size_t lines_max = 10'000;
    std::size_t bytes_max = 4 << 20;
    std::chrono::milliseconds retry_first{200};  // doubled with each failure in a row
    std::chrono::milliseconds retry_max{5'000};
    std::chrono::milliseconds flush_max{2'000};
    std::chrono::milliseconds report_interval{60'000};  // between two reports of being away
};

// Thread-safe.
class Forwarder {
  public:
    // `loss_line` makes the line that stands for as many lost ones; it is called with a lock held.
    using LossLine = std::function<std::string(std::uint64_t lines)>;
    Forwarder(std::unique_ptr<Destination> destination, LossLine loss_line, const Clock& clock,
              const ForwarderOptions& options = {});
    // Does not wait for lines that are still in the queue, but reports them.
    ~Forwarder();

    // Once, before all else.
    void start(LogReport report);
    void add(std::string line);
    // Waits until all is sent, a try has failed, or flush_max is over.
    void flush();

  private:
    void append(std::string line);
    bool has_room(std::size_t bytes) const;
    void run();
    Result<void> send(std::string_view line);
    void settle(const Result<void>& sent, std::unique_lock<std::mutex>& lock);
    void report_failure(const Error& error);

    const std::unique_ptr<Destination> destination_;
    const LossLine loss_line_;
    const Clock& clock_;
    const ForwarderOptions options_;
    LogReport report_;

    std::mutex mutex_;
    std::condition_variable wake_;     // of the thread
    std::condition_variable settled_;  // of flush()
    std::deque<std::string> queue_;    // only the thread takes its first away
    std::size_t bytes_ = 0;
    bool full_ = false;
    std::uint64_t lost_ = 0;
    std::uint64_t failures_ = 0;
    bool hurry_ = false;
    bool stopping_ = false;

    // The thread's own.
    bool open_ = false;
    std::chrono::milliseconds retry_;
    bool reported_ = false;  // that it is away
    std::optional<SteadyTime> reported_at_;

    std::thread thread_;
};

}  // namespace berth::logging
