#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/log_format.h"
#include "base/unique_fd.h"

namespace berth {

namespace {

using namespace std::chrono_literals;

constexpr auto kAccessDelay = 500ms;
constexpr std::size_t kAccessBatch = 64 << 10;  // written at once when there is so much
// Whoever reads the log is stuck: lines are lost (and counted) rather than requests held up.
constexpr std::size_t kAccessMax = 4 << 20;
constexpr auto kStuckMilliseconds = 1000;

// Writes all of it, or gives up when the descriptor fails or stays full.
bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n >= 0) {
            text.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            pollfd full{fd, POLLOUT, 0};
            if (::poll(&full, 1, kStuckMilliseconds) <= 0) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

// The access log's file; none for an empty path.
Result<UniqueFd> open_access_file(const std::string& path) {
    if (path.empty()) return UniqueFd();
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (!fd) {
        auto error = fail_errno("the access log " + path, errno);
        error.error().code = Errc::io;
        return error;
    }
    return fd;
}

}  // namespace

struct Logger::State {
    State(LogOptions o, const Clock& c) : options(std::move(o)), clock(c) {}

    const LogOptions options;
    const Clock& clock;
    bool sinks_take_access = false;
    std::mutex server_mutex;  // lines of the server are written whole

    std::mutex write_mutex;  // held while lines go to the file; taken before `mutex`
    UniqueFd access_file;
    std::string writing;

    std::mutex mutex;
    std::condition_variable wake;
    std::string pending;
    std::uint64_t lost = 0;
    bool stopping = false;
    std::thread writer;

    std::vector<std::unique_ptr<LogSink>> sinks;  // the first to go: they report to the others

    void start_sinks();
    void write_error(const LogRecord& record);
    void write_server(LogLevel level, std::string_view message, LogFields fields);
    void keep_access(std::string_view line);
    void drain();
    void run();
    void stop();
};

void Logger::State::start_sinks() {
    for (const auto& sink : sinks) {
        sinks_take_access = sinks_take_access || sink->takes_access();
        sink->start([this](LogLevel level, std::string_view message) {
            const LogFields fields(options.fields.begin(), options.fields.end());
            write_error({clock.now(), level, message, fields});
        });
    }
}

void Logger::State::write_error(const LogRecord& record) {
    const auto line =
        format_log_line(options.format, record.at, record.level, record.message, record.fields);
    const std::lock_guard lock(server_mutex);
    write_all(STDERR_FILENO, line);
}

void Logger::State::write_server(LogLevel level, std::string_view message, LogFields fields) {
    for (const auto& [key, value] : options.fields)
        fields.try_emplace(key, value);
    const LogRecord record{clock.now(), level, message, fields};
    for (const auto& sink : sinks)
        sink->write(record);
    if (options.standard_error) write_error(record);
}

void Logger::State::keep_access(std::string_view line) {
    bool notify = false;
    {
        const std::lock_guard lock(mutex);
        const auto before = pending.size();
        if (before + line.size() > kAccessMax) {
            ++lost;
            return;
        }
        pending += line;
        notify = before == 0 || (before < kAccessBatch && before + line.size() >= kAccessBatch);
    }
    if (notify) wake.notify_one();
}

// Called with write_mutex held.
void Logger::State::drain() {
    std::uint64_t lines_lost = 0;
    writing.clear();
    {
        const std::lock_guard lock(mutex);
        writing.swap(pending);
        std::swap(lines_lost, lost);
    }
    const int fd = access_file ? access_file.get() : STDOUT_FILENO;
    if (!write_all(fd, writing)) {
        write_server(LogLevel::error, "the access log cannot be written: lines are lost", {});
    }
    if (lines_lost > 0) {
        const auto count = std::to_string(lines_lost);
        write_server(LogLevel::warn, "the access log was not read fast enough: lines are lost",
                     {{"lines", count}});
    }
}

void Logger::State::run() {
    std::unique_lock lock(mutex);
    while (true) {
        wake.wait(lock, [&] { return stopping || !pending.empty(); });
        wake.wait_for(lock, kAccessDelay,
                      [&] { return stopping || pending.size() >= kAccessBatch; });
        if (stopping) return;
        lock.unlock();
        {
            const std::lock_guard writing_now(write_mutex);
            drain();
        }
        lock.lock();
    }
}

void Logger::State::stop() {
    {
        const std::lock_guard lock(mutex);
        stopping = true;
    }
    wake.notify_one();
    if (writer.joinable()) writer.join();
}

Result<std::unique_ptr<Logger>> Logger::open(LogOptions options, const Clock& clock,
                                             std::vector<std::unique_ptr<LogSink>> sinks) {
    auto state = std::make_unique<State>(std::move(options), clock);
    if (state->options.access_log) {
        BERTH_TRY(state->access_file, open_access_file(state->options.access_path));
    }
    state->sinks = std::move(sinks);
    state->start_sinks();
    if (state->options.access_log) {
        state->writer = std::thread([s = state.get()] { s->run(); });
    }
    return std::unique_ptr<Logger>(new Logger(std::move(state)));
}

Logger::Logger(std::unique_ptr<State> state) : state_(std::move(state)) {}

Logger::~Logger() {
    state_->stop();
    flush();
}

bool Logger::enabled(LogLevel level) const {
    return level >= state_->options.level;
}

void Logger::write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) {
    if (!enabled(level)) return;
    LogFields map;
    for (const auto& field : fields)
        map.try_emplace(field.key, field.value);
    state_->write_server(level, message, std::move(map));
}

bool Logger::access_enabled() const {
    return state_->options.access_log || state_->sinks_take_access;
}

void Logger::access(const AccessRecord& record) {
    if (!access_enabled()) return;
    thread_local std::string line;
    line.clear();
    append_access_line(line, record);
    if (state_->options.access_log) state_->keep_access(line);
    if (!state_->sinks_take_access) return;
    const auto text = std::string_view(line).substr(0, line.size() - 1);
    for (const auto& sink : state_->sinks) {
        if (sink->takes_access()) sink->access(record, text);
    }
}

void Logger::flush() {
    {
        const std::lock_guard lock(state_->write_mutex);
        state_->drain();
    }
    for (const auto& sink : state_->sinks)
        sink->flush();
}

void Logger::reopen() {
    const std::lock_guard lock(state_->write_mutex);
    state_->drain();
    auto file = open_access_file(state_->options.access_path);
    if (!file) {
        state_->write_server(LogLevel::error, file.error().detail + "; the old file stays in use",
                             {});
        return;
    }
    state_->access_file = std::move(*file);
}

}  // namespace berth
