#include "auth/password_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "auth/password_line.h"
#include "base/random.h"
#include "base/unique_fd.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookInterval = 2ms;
constexpr auto kRetryInterval = 1s;
constexpr std::size_t kFileBytesMax = 64 << 20;

// What differs when a file does. The time of change, unlike that of modification, cannot be set
// back by anybody.
struct FileMark {
    ::dev_t device = 0;
    ::ino_t inode = 0;
    ::off_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;

    friend bool operator==(const FileMark&, const FileMark&) = default;
};

// All zero for a file that is not there.
FileMark mark_of(const std::string& path) {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino, found.st_size, found.st_ctim.tv_sec, found.st_ctim.tv_nsec};
}

Result<std::string> read_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return fail_errno("open " + path, errno);
    std::string text;
    std::array<char, 16 << 10> buffer{};
    for (;;) {
        const ::ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + path, errno);
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > kFileBytesMax) {
            return fail(Errc::too_large, path + " is too large for a password file");
        }
    }
}

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

// The entries of one reading.
struct Entries {
    std::vector<PasswordEntry> list;
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> by_user;
};

Result<Entries> load(const std::string& path) {
    BERTH_TRY(const std::string text, read_file(path));
    auto parsed = parse_password_file(text);
    if (!parsed) return std::unexpected(std::move(parsed.error()).with_context(path));
    Entries entries{std::move(*parsed), {}};
    for (std::size_t i = 0; i < entries.list.size(); ++i)
        entries.by_user.try_emplace(entries.list[i].user, i);
    return entries;
}

}  // namespace

Result<std::vector<PasswordEntry>> parse_password_file(std::string_view text) {
    std::vector<PasswordEntry> entries;
    std::size_t number = 0;
    while (const auto line = take_line(text)) {
        ++number;
        const PasswordLine parsed = parse_password_line(*line);
        if (parsed.kind == PasswordLine::Kind::broken) {
            return fail(Errc::invalid, "line " + std::to_string(number) +
                                           ": expected user:hash, as htpasswd writes it");
        }
        if (parsed.kind == PasswordLine::Kind::entry) {
            entries.push_back({std::string(parsed.user), std::string(parsed.hash)});
        }
    }
    return entries;
}

struct PasswordFile::State {
    State(std::string file, const Clock& time, Report to)
        : path(std::move(file)), clock(time), report(std::move(to)) {
        random_bytes(std::as_writable_bytes(std::span(&decoy_salt, 1)));
    }

    const std::string path;
    const Clock& clock;
    const Report report;
    std::size_t decoy_salt = 0;

    std::atomic<SteadyTime::rep> next_look{0};
    std::atomic<std::uint64_t> version{0};
    std::mutex mark_mutex;
    FileMark mark;

    std::mutex entries_mutex;
    Entries entries;
    std::uint64_t tried_version = 0;
    bool stale = false;  // the last try failed
    SteadyTime retry_at;
    std::string reported;

    std::uint64_t look();
    Result<void> read();
    void refresh(std::uint64_t current);
    std::string decoy(std::string_view user) const;
};

// Counts the version up if the file changed.
std::uint64_t PasswordFile::State::look() {
    std::lock_guard lock(mark_mutex);
    const FileMark seen = mark_of(path);
    if (seen == mark) return version.load();
    mark = seen;
    return ++version;
}

// With entries_mutex held, or before anybody else knows this.
Result<void> PasswordFile::State::read() {
    BERTH_TRY(Entries loaded, load(path));
    entries = std::move(loaded);
    for (const PasswordEntry& entry : entries.list) {
        if (is_password_hash(entry.hash)) continue;
        report({Errc::invalid, path + ": user " + entry.user +
                                   " cannot log in: what stands there is no hash that htpasswd "
                                   "writes"});
    }
    return {};
}

void PasswordFile::State::refresh(std::uint64_t current) {
    const SteadyTime now = clock.steady_now();
    if (tried_version >= current && !(stale && now >= retry_at)) return;
    tried_version = current;
    auto done = read();
    stale = !done;
    if (done) {
        reported.clear();
        return;
    }
    retry_at = now + kRetryInterval;
    if (done.error().detail == reported) return;
    reported = done.error().detail;
    report(Error{done.error().code, reported + "; the passwords read before stay in force",
                 done.error().os_errno});
}

// The hash of somebody, always the same one for one name, with an end that no hash has. So unknown
// users take as long as known ones do, also where the file mixes kinds of hashes.
std::string PasswordFile::State::decoy(std::string_view user) const {
    if (entries.list.empty()) return {};
    const std::size_t pick = (StringHash{}(user) ^ decoy_salt) % entries.list.size();
    std::string hash = entries.list[pick].hash;
    if (!hash.empty()) hash.back() = '~';
    return hash;
}

Result<std::unique_ptr<PasswordFile>> PasswordFile::open(std::string path, const Clock& clock,
                                                         Report report) {
    auto state = std::make_unique<State>(std::move(path), clock, std::move(report));
    state->tried_version = state->look();
    auto done = state->read();
    if (!done && done.error().code == Errc::not_found) {
        return fail(Errc::not_found, "the password file " + state->path +
                                         " is not there; make it with: htpasswd -B -c " +
                                         state->path + " USER");
    }
    if (!done) return std::unexpected(std::move(done.error()));
    return std::unique_ptr<PasswordFile>(new PasswordFile(std::move(state)));
}

PasswordFile::PasswordFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PasswordFile::~PasswordFile() = default;

std::uint64_t PasswordFile::version() {
    const auto now = state_->clock.steady_now().time_since_epoch();
    auto due = state_->next_look.load(std::memory_order_relaxed);
    const auto next = SteadyTime::duration(now + kLookInterval).count();
    if (now.count() < due || !state_->next_look.compare_exchange_strong(due, next)) {
        return state_->version.load();
    }
    return state_->look();
}

PasswordFile::Lookup PasswordFile::find(std::string_view user) {
    std::lock_guard lock(state_->entries_mutex);
    const std::uint64_t current = state_->look();
    state_->refresh(current);
    const auto found = state_->entries.by_user.find(user);
    if (found == state_->entries.by_user.end()) return {state_->decoy(user), false, current};
    return {state_->entries.list[found->second].hash, true, current};
}

}  // namespace berth::auth
