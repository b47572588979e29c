#include "logging/syslog.h"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "base/log_format.h"
#include "logging/host_name.h"
#include "logging/syslog_collector.h"
#include "logging/syslog_line.h"
#include "net/address.h"

namespace berth::logging {

namespace {

using Transport = SyslogOptions::Transport;

constexpr std::size_t kHostMax = 255;
constexpr std::size_t kAppNameMax = 48;

// Stands for lines that did not arrive, in their place.
std::string loss_line(const SyslogSource& source, Time at, std::uint64_t lines,
                      std::size_t bytes_max) {
    const auto count = std::to_string(lines);
    const LogFields fields{{"lines", count}};
    return format_syslog(
        source,
        {at, LogLevel::warn, "the collector was away or too slow: log lines are lost", fields},
        bytes_max);
}

class SyslogSink final : public LogSink {
  public:
    SyslogSink(SyslogSource source, const SyslogOptions& options, const Clock& clock)
        : source_(std::move(source)),
          bytes_max_(syslog_bytes_max(options.transport)),
          access_(options.access),
          forwarder_(
              make_syslog_collector(options, net::dial),
              [this, &clock](std::uint64_t lines) {
                  return loss_line(source_, clock.now(), lines, bytes_max_);
              },
              clock) {}

    void start(LogReport report) override { forwarder_.start(std::move(report)); }
    void write(const LogRecord& record) override {
        forwarder_.add(format_syslog(source_, record, bytes_max_));
    }
    bool takes_access() const override { return access_; }
    void access(const AccessRecord& record, std::string_view line) override {
        forwarder_.add(format_syslog_access(source_, record.at, line, bytes_max_));
    }
    void flush() override { forwarder_.flush(); }

  private:
    const SyslogSource source_;
    const std::size_t bytes_max_;
    const bool access_;
    Forwarder forwarder_;
};

Result<void> check_address(const SyslogOptions& options) {
    if (options.transport == Transport::unix_socket) {
        BERTH_CHECK(net::unix_address(options.address));
    } else {
        BERTH_CHECK(net::split_host_port(options.address));
    }
    return {};
}

Result<SyslogSource> make_source(const SyslogOptions& options) {
    BERTH_CHECK(check_address(options));
    SyslogSource source;
    BERTH_TRY(source.facility, parse_facility(options.facility));
    source.host = syslog_header_text(host_name(), kHostMax);
    source.app_name = syslog_header_text(options.app_name, kAppNameMax);
    source.process_id = std::to_string(::getpid());
    return source;
}

}  // namespace

Result<std::unique_ptr<LogSink>> make_syslog_sink(const SyslogOptions& options,
                                                  const Clock& clock) {
    auto source = make_source(options);
    if (!source) return std::unexpected(std::move(source.error()).with_context("log.syslog"));
    return std::make_unique<SyslogSink>(std::move(*source), options, clock);
}

}  // namespace berth::logging
