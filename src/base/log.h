// Logger: the server's log and its access log, in the forms registry:2 writes (docs/configure.md,
// "log").
//
// Thread-safe; lines are written whole. Fields given in the configuration (`service`,
// `environment`) stand in each line. Never give it a secret.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth {

enum class LogLevel { debug, info, warn, error };

enum class LogFormat {
    text,      // time="…" level=info msg="…" key=value
    json,      // one object a line
    logstash,  // json with @timestamp and @version
};

struct LogField {
    std::string_view key;
    std::string value;
};

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::map<std::string, std::string> fields;
    bool standard_error = true;  // the server's lines; what is wrong with the log always goes there
    bool access_log = true;
    std::string access_path;  // empty: standard output
};

// One served request, as the combined access log shows it.
struct AccessRecord {
    std::string_view remote_address;
    std::string_view user;  // empty: `-`
    Time at;
    std::string_view method, target, protocol;
    int status = 0;
    std::uint64_t body_bytes = 0;
    std::string_view referer, user_agent;
};

// One line of the server's log. Views are valid during the call.
struct LogRecord {
    Time at;
    LogLevel level{};
    std::string_view message;
    const std::map<std::string_view, std::string_view>& fields;  // those of the configuration too
};

// Says on standard error, and nowhere else, what is wrong with the log itself.
using LogReport = std::function<void(LogLevel, std::string_view message)>;

// Somewhere else that lines go to, besides standard error and the access log. Thread-safe; never
// blocks and never throws.
class LogSink {
  public:
    virtual ~LogSink() = default;
    // Once, before all else. `report` may be called by any thread until the sink is gone.
    virtual void start(LogReport report) = 0;
    virtual void write(const LogRecord& record) = 0;
    // Whether access() is to be called; always the same answer.
    virtual bool takes_access() const = 0;
    // `line` is in the combined format, without its line feed.
    virtual void access(const AccessRecord& record, std::string_view line) = 0;
    // Waits a moment for what is still to be sent: at the end.
    virtual void flush() = 0;
};

class Logger {
  public:
    // Errc::io when the access log's file cannot be opened. Server lines go to standard error, and
    // lines of both logs to each sink. A sink has its access lines also without `access_log`.
    static Result<std::unique_ptr<Logger>> open(LogOptions options, const Clock& clock,
                                                std::vector<std::unique_ptr<LogSink>> sinks = {});
    ~Logger();

    bool enabled(LogLevel level) const;
    void write(LogLevel level, std::string_view message,
               std::initializer_list<LogField> fields = {});
    bool access_enabled() const;
    // Buffered; written within a second, or at flush().
    void access(const AccessRecord& record);
    void flush();
    // Opens the files anew (SIGHUP, SIGUSR1: logrotate).
    void reopen();

  private:
    struct State;
    explicit Logger(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace berth
