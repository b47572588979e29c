// Logger: the server's log and its access log, in the forms registry:2 writes (docs/configure.md,
// "log").
//
// Thread-safe; lines are written whole. Fields given in the configuration (`service`,
// `environment`) stand in each line. Never give it a secret.
#pragma once

#include <cstdint>
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

class Logger {
  public:
    // Errc::io when the access log's file cannot be opened. Server lines go to standard error.
    static Result<std::unique_ptr<Logger>> open(LogOptions options, const Clock& clock);
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
