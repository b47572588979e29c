#include "logging/journald.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/log_format.h"
#include "logging/datagrams.h"
#include "logging/forwarder.h"
#include "logging/journal_entry.h"
#include "net/address.h"

namespace berth::logging {

namespace {

// A file in memory that nobody can change any more: the journal takes no other.
Result<UniqueFd> make_sealed_file(std::string_view text) {
    UniqueFd file(::memfd_create("berth-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) return fail_errno("memfd_create", errno);
    while (!text.empty()) {
        const ssize_t n = ::write(file.get(), text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno("a file in memory", errno);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return fail_errno("F_ADD_SEALS", errno);
    return file;
}

class Journal final : public Destination {
  public:
    explicit Journal(std::string path) : path_(std::move(path)) {}

    std::string name() const override { return "journald " + path_; }

    Result<void> open() override {
        BERTH_TRY(const auto address, net::unix_address(path_));
        BERTH_TRY(socket_, Datagrams::connect(address));
        return {};
    }

    Result<void> send(std::string_view entry) override {
        auto sent = socket_->send(entry);
        if (sent || (sent.error().code != Errc::too_large && sent.error().os_errno != ENOBUFS))
            return sent;
        BERTH_TRY(const auto file, make_sealed_file(entry));
        return socket_->send_file(file);
    }

  private:
    const std::string path_;
    std::optional<Datagrams> socket_;
};

std::string loss_entry(Time at, std::uint64_t lines) {
    const auto count = std::to_string(lines);
    const LogFields fields{{"lines", count}};
    return format_journal_entry(
        {at, LogLevel::warn, "the journal was away or too slow: log lines are lost", fields});
}

class JournaldSink final : public LogSink {
  public:
    JournaldSink(const JournaldOptions& options, const Clock& clock)
        : access_(options.access),
          forwarder_(
              std::make_unique<Journal>(options.socket),
              [&clock](std::uint64_t lines) { return loss_entry(clock.now(), lines); }, clock) {}

    void start(LogReport report) override { forwarder_.start(std::move(report)); }
    void write(const LogRecord& record) override { forwarder_.add(format_journal_entry(record)); }
    bool takes_access() const override { return access_; }
    void access(const AccessRecord&, std::string_view line) override {
        forwarder_.add(format_journal_access(line));
    }
    void flush() override { forwarder_.flush(); }

  private:
    const bool access_;
    Forwarder forwarder_;
};

}  // namespace

Result<std::unique_ptr<LogSink>> make_journald_sink(const JournaldOptions& options,
                                                    const Clock& clock) {
    if (auto address = net::unix_address(options.socket); !address)
        return std::unexpected(std::move(address.error()).with_context("log.journald"));
    return std::make_unique<JournaldSink>(options, clock);
}

bool leads_to_journal(int fd, const char* journal_stream) {
    struct stat status{};
    if (journal_stream == nullptr || ::fstat(fd, &status) != 0) return false;
    return journal_stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace berth::logging
