#include "auth/audit/audit_log.h"

#include <syslog.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "auth/audit/audit_file.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

constexpr auto kDelay = 300ms;  // lines are written together
constexpr auto kSyncInterval = 1000ms;
constexpr auto kRetryInterval = 1000ms;
constexpr std::size_t kBatchBytes = 256 << 10;

// What a record holds of memory, about.
std::size_t bytes_of(const AuditRecord& record) {
    std::size_t bytes = sizeof(AuditRecord) + record.request_id.size() + record.user.size() +
                        record.proof.size() + record.address.size() + record.method.size() +
                        record.repository.size() + record.reference.size() + record.rule.size() +
                        record.reason.size();
    for (const std::string& group : record.groups)
        bytes += sizeof(std::string) + group.size();
    return bytes;
}

}  // namespace

// Queue and writer. `mutex_` guards the first part; the rest belongs to the writer's thread, and to
// open() before it starts.
class AuditLog::State {
  public:
    State(AuditOptions options, const Clock& clock, std::function<void(const Error&)> report)
        : options_(std::move(options)), clock_(clock), report_(std::move(report)) {}
    ~State();

    const AuditOptions& options() const { return options_; }
    Result<void> start();
    void record(AuditRecord record);
    // Waits until the writer has done a round that began after the call.
    void ask(bool reopen);

  private:
    struct Round {
        std::uint64_t asked = 0;
        bool reopen = false;
        bool stop = false;
    };

    void run();
    Round wait(std::unique_lock<std::mutex>& lock);
    bool has_room(std::size_t bytes) const {
        return queued_bytes_ == 0 || queued_bytes_ + bytes <= options_.queue_bytes_max;
    }
    // The next records; false: none.
    bool take();

    void write_queue();
    bool write_text();
    void write_batch();
    void end();
    bool begin_file(const Result<bool>& changed);
    void sync(bool now);
    void add(AuditEvent event, std::uint64_t number = 0);
    void add(AuditLine line);
    void complain(const Error& error);

    const AuditOptions options_;
    const Clock& clock_;
    const std::function<void(const Error&)> report_;

    std::mutex mutex_;
    std::condition_variable wake_;  // of the writer
    std::condition_variable room_;
    std::condition_variable answered_changed_;
    std::deque<AuditRecord> queue_;
    std::size_t queued_bytes_ = 0;
    std::uint64_t lost_ = 0;
    bool stuck_ = false;  // somebody has waited for room in vain, and there is none yet
    std::uint64_t asked_ = 0;
    std::uint64_t answered_ = 0;
    bool reopen_ = false;
    bool stopping_ = false;

    std::optional<AuditFile> file_;
    std::uint64_t seq_ = 0;
    std::string head_ = first_audit_hash();
    std::vector<AuditRecord> batch_;
    std::uint64_t batch_lost_ = 0;
    std::string text_;  // lines that are not in the file yet
    bool failing_ = false;
    bool unsynced_ = false;
    bool reopen_later_ = false;
    SteadyTime synced_at_;
    std::string reported_;

    std::thread writer_;
};

Result<void> AuditLog::State::start() {
    synced_at_ = clock_.steady_now();
    if (options_.syslog) ::openlog("berth", LOG_PID, LOG_AUTHPRIV);
    if (!options_.path.empty()) {
        BERTH_TRY(file_, AuditFile::open(options_.path, options_.files_max));
        seq_ = file_->end().seq;
        head_ = file_->end().hash;
        if (file_->size() == 0) add(AuditEvent::opened);
        if (file_->end().bytes_cut > 0) add(AuditEvent::resumed, file_->end().bytes_cut);
    }
    add(AuditEvent::started);
    // A log that cannot be written to from the start on is a wrong configuration.
    if (file_) {
        BERTH_CHECK(file_->append(text_));
        text_.clear();
        unsynced_ = true;
    }
    writer_ = std::thread([this] { run(); });
    return {};
}

AuditLog::State::~State() {
    if (!writer_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    writer_.join();
}

void AuditLog::State::record(AuditRecord record) {
    const std::size_t bytes = bytes_of(record);
    bool notify = false;
    {
        std::unique_lock lock(mutex_);
        if (!has_room(bytes) && !stuck_) {
            stuck_ = !room_.wait_for(lock, options_.wait_max, [&] { return has_room(bytes); });
        }
        if (!has_room(bytes)) {
            ++lost_;
            return;
        }
        const std::size_t before = queued_bytes_;
        queue_.push_back(std::move(record));
        queued_bytes_ += bytes;
        notify = before == 0 || (before < kBatchBytes && queued_bytes_ >= kBatchBytes);
    }
    if (notify) wake_.notify_one();
}

void AuditLog::State::ask(bool reopen) {
    std::unique_lock lock(mutex_);
    const std::uint64_t ours = ++asked_;
    reopen_ = reopen_ || reopen;
    wake_.notify_one();
    answered_changed_.wait(lock, [&] { return answered_ >= ours; });
}

AuditLog::State::Round AuditLog::State::wait(std::unique_lock<std::mutex>& lock) {
    const auto is_asked = [&] { return stopping_ || asked_ != answered_; };
    if (failing_ || reopen_later_) {
        wake_.wait_for(lock, kRetryInterval, is_asked);
    } else {
        const auto has_work = [&] { return is_asked() || !queue_.empty() || lost_ > 0; };
        if (unsynced_) {
            wake_.wait_for(lock, kSyncInterval, has_work);
        } else {
            wake_.wait(lock, has_work);
        }
        if (!queue_.empty()) {
            wake_.wait_for(lock, kDelay,
                           [&] { return is_asked() || queued_bytes_ >= kBatchBytes; });
        }
    }
    return {asked_, std::exchange(reopen_, false), stopping_};
}

void AuditLog::State::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        const Round round = wait(lock);
        const bool is_idle = queue_.empty();
        const bool is_asked = round.asked != answered_;
        lock.unlock();
        write_queue();
        if (round.reopen || reopen_later_) {
            reopen_later_ = failing_;
            if (file_ && !failing_) begin_file(file_->reopen());
        }
        if (round.stop) end();
        sync(is_idle || is_asked || round.stop);
        lock.lock();
        answered_ = round.asked;
        answered_changed_.notify_all();
        if (round.stop) return;
    }
}

bool AuditLog::State::take() {
    batch_.clear();
    bool made_room = false;
    {
        const std::lock_guard lock(mutex_);
        std::size_t bytes = 0;
        while (!queue_.empty() && bytes < kBatchBytes) {
            bytes += bytes_of(queue_.front());
            batch_.push_back(std::move(queue_.front()));
            queue_.pop_front();
        }
        queued_bytes_ -= bytes;
        made_room = bytes > 0;
        stuck_ = stuck_ && !made_room;
        // They were lost after all that was queued.
        batch_lost_ = queue_.empty() ? std::exchange(lost_, 0) : 0;
    }
    if (made_room) room_.notify_all();
    return !batch_.empty() || batch_lost_ > 0;
}

void AuditLog::State::write_queue() {
    while (write_text() && take())
        write_batch();
}

void AuditLog::State::write_batch() {
    bool may_rotate = file_.has_value();
    for (AuditRecord& record : batch_) {
        if (may_rotate && file_->size() + text_.size() >= options_.bytes_max) {
            may_rotate = write_text() && begin_file(file_->rotate());
        }
        trim(record);
        AuditLine line;
        line.event = AuditEvent::access;
        line.record = std::move(record);
        add(std::move(line));
    }
    if (batch_lost_ > 0) add(AuditEvent::lost, batch_lost_);
}

// What follows a change of files. False: there was none.
bool AuditLog::State::begin_file(const Result<bool>& changed) {
    if (!changed) complain(changed.error());
    if (!changed.value_or(false)) return false;
    add(AuditEvent::opened);
    return write_text();
}

// False: not now.
bool AuditLog::State::write_text() {
    if (!file_ || text_.empty()) {
        text_.clear();
        return true;
    }
    const auto appended = file_->append(text_);
    const bool was_failing = std::exchange(failing_, !appended);
    if (!appended) {
        complain(appended.error());
        return false;
    }
    if (was_failing) reported_.clear();
    text_.clear();
    unsynced_ = true;
    return true;
}

void AuditLog::State::end() {
    add(AuditEvent::stopped);
    if (write_text()) return;
    const auto lines = std::ranges::count(text_, '\n');
    const std::lock_guard lock(mutex_);
    const auto records = queue_.size() + lost_ + static_cast<std::size_t>(lines);
    complain({Errc::io, "the audit log cannot be written at the end: " + std::to_string(records) +
                            " lines are lost"});
}

void AuditLog::State::sync(bool now) {
    if (!unsynced_ || !file_) return;
    if (!now && clock_.steady_now() - synced_at_ < kSyncInterval) return;
    synced_at_ = clock_.steady_now();
    unsynced_ = false;
    if (const auto synced = file_->sync(); !synced) complain(synced.error());
}

void AuditLog::State::add(AuditEvent event, std::uint64_t number) {
    AuditLine line;
    line.event = event;
    line.record.at = clock_.now();
    line.number = number;
    add(std::move(line));
}

void AuditLog::State::add(AuditLine line) {
    line.seq = ++seq_;
    line.prev = std::move(head_);
    const std::size_t begin = text_.size();
    head_ = append_audit_line(text_, line);
    if (!options_.syslog) return;
    const bool is_refusal = line.event == AuditEvent::access && !line.record.allowed;
    const auto size = static_cast<int>(text_.size() - begin - 1);
    ::syslog(LOG_AUTHPRIV | (is_refusal ? LOG_NOTICE : LOG_INFO), "%.*s", size,
             text_.data() + begin);
}

void AuditLog::State::complain(const Error& error) {
    if (error.detail == reported_) return;
    reported_ = error.detail;
    report_(error);
}

Result<std::unique_ptr<AuditLog>> AuditLog::open(AuditOptions options, const Clock& clock,
                                                 std::function<void(const Error&)> report) {
    auto state = std::make_unique<State>(std::move(options), clock, std::move(report));
    BERTH_CHECK(state->start());
    return std::unique_ptr<AuditLog>(new AuditLog(std::move(state)));
}

AuditLog::AuditLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
AuditLog::~AuditLog() = default;

const AuditOptions& AuditLog::options() const {
    return state_->options();
}

void AuditLog::record(AuditRecord record) {
    state_->record(std::move(record));
}

void AuditLog::flush() {
    state_->ask(false);
}

void AuditLog::reopen() {
    state_->ask(true);
}

}  // namespace berth::auth
