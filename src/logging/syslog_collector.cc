#include "logging/syslog_collector.h"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "logging/datagrams.h"
#include "net/address.h"

namespace berth::logging {

namespace {

using Transport = SyslogOptions::Transport;
using std::chrono::milliseconds;

constexpr milliseconds kConnectTimeout{3'000};
constexpr milliseconds kWriteTimeout{3'000};

// A message with its end: octet counting (RFC 6587, 3.4.1; RFC 5425, 4.3), but a unix socket's
// readers know only a line feed. There is none inside of a message.
std::string frame(Transport transport, std::string_view message) {
    if (transport == Transport::unix_socket) return std::string(message) + '\n';
    return std::to_string(message.size()) + ' ' + std::string(message);
}

class DatagramCollector final : public Destination {
  public:
    explicit DatagramCollector(std::string address) : address_(std::move(address)) {}

    std::string name() const override { return "syslog udp://" + address_; }

    Result<void> open() override {
        BERTH_TRY(auto where, net::split_host_port(address_));
        if (where.host.empty()) where.host = "127.0.0.1";
        BERTH_TRY(const auto address, net::resolve(where));
        BERTH_TRY(socket_, Datagrams::connect(address));
        return {};
    }

    Result<void> send(std::string_view line) override { return socket_->send(line); }

  private:
    const std::string address_;
    std::optional<Datagrams> socket_;
};

class StreamCollector final : public Destination {
  public:
    StreamCollector(const SyslogOptions& options, Dial dial)
        : transport_(options.transport), dial_(std::move(dial)) {
        options_.address = options.address;
        if (transport_ == Transport::tls) options_.tls = options.tls;
        options_.connect_timeout = kConnectTimeout;
        options_.write_timeout = kWriteTimeout;
    }

    std::string name() const override {
        return (transport_ == Transport::tls ? "syslog tls://" : "syslog tcp://") +
               options_.address;
    }

    Result<void> open() override {
        connection_.reset();
        BERTH_TRY(connection_, dial_(options_));
        return {};
    }

    Result<void> send(std::string_view line) override {
        // The system would take the line, and find out only then that nobody reads it.
        if (connection_->is_closed()) return fail(Errc::unavailable, "has closed the connection");
        return connection_->write_all(as_bytes(frame(transport_, line)));
    }

  private:
    const Transport transport_;
    const Dial dial_;
    net::DialOptions options_;
    std::unique_ptr<net::Connection> connection_;
};

// /dev/log takes datagrams on most systems, and a stream on some.
class UnixCollector final : public Destination {
  public:
    UnixCollector(const SyslogOptions& options, Dial dial)
        : path_(options.address), stream_(stream_options(options), std::move(dial)) {}

    std::string name() const override { return "syslog unix:" + path_; }

    Result<void> open() override {
        BERTH_TRY(const auto address, net::unix_address(path_));
        auto socket = Datagrams::connect(address);
        datagrams_.reset();
        if (socket) {
            datagrams_ = std::move(*socket);
            return {};
        }
        if (socket.error().os_errno == EPROTOTYPE) return stream_.open();
        return std::unexpected(std::move(socket.error()));
    }

    Result<void> send(std::string_view line) override {
        return datagrams_ ? datagrams_->send(line) : stream_.send(line);
    }

  private:
    static SyslogOptions stream_options(SyslogOptions options) {
        options.address = "unix:" + options.address;
        return options;
    }

    const std::string path_;
    std::optional<Datagrams> datagrams_;
    StreamCollector stream_;
};

}  // namespace

std::size_t syslog_bytes_max(Transport transport) {
    return transport == Transport::udp ? 2'048 : 8'192;
}

std::unique_ptr<Destination> make_syslog_collector(const SyslogOptions& options, Dial dial) {
    switch (options.transport) {
        case Transport::unix_socket:
            return std::make_unique<UnixCollector>(options, std::move(dial));
        case Transport::udp:
            return std::make_unique<DatagramCollector>(options.address);
        case Transport::tcp:
        case Transport::tls:
            break;
    }
    return std::make_unique<StreamCollector>(options, std::move(dial));
}

}  // namespace berth::logging
