// Goal: messages go to a unix socket of either kind, by UDP, and with octet counting to a
// connection; a collector that was away gets what waited.
// Method: real sockets in a directory of the test's own and on this machine, and a connection that
// keeps what is written to it in place of TCP and TLS.
#include "logging/syslog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "logging/syslog_collector.h"
#include "support/fake_clock.h"
#include "support/temporary_directory.h"
#include "unit/logging/sockets.h"

namespace berth::logging {
namespace {

using Transport = SyslogOptions::Transport;

SyslogOptions options(Transport transport, std::string address) {
    SyslogOptions made;
    made.transport = transport;
    made.address = std::move(address);
    made.facility = "local0";
    made.access = true;
    return made;
}

std::unique_ptr<LogSink> start(const SyslogOptions& options, const Clock& clock) {
    auto sink = make_syslog_sink(options, clock).value();
    sink->start([](LogLevel, std::string_view) {});
    return sink;
}

void write(LogSink& sink, std::string_view message) {
    sink.write({Time(), LogLevel::error, message, {}});
}

net::SocketAddress any_port() {
    return net::resolve({"127.0.0.1", "0"}).value();
}

class SyslogSinkTest : public testing::Test {
  protected:
    const FakeClock clock_;
    const TemporaryDirectory directory_;
    const std::string path_ = directory_.file("log");
    const net::SocketAddress address_ = net::unix_address(path_).value();
};

TEST_F(SyslogSinkTest, WritesDatagramsToAUnixSocket) {
    const auto socket = bind_socket(address_, SOCK_DGRAM);
    const auto sink = start(options(Transport::unix_socket, path_), clock_);
    write(*sink, "hello");
    const auto message = receive(socket);
    EXPECT_TRUE(message.starts_with("<131>1 1970-01-01T00:00:00.000Z ")) << message;
    EXPECT_TRUE(message.ends_with(" berth " + std::to_string(::getpid()) + " server - hello"))
        << message;
}

TEST_F(SyslogSinkTest, WritesAccessLines) {
    const auto socket = bind_socket(address_, SOCK_DGRAM);
    const auto sink = start(options(Transport::unix_socket, path_), clock_);
    ASSERT_TRUE(sink->takes_access());
    AccessRecord record;
    record.at = Time(std::chrono::seconds(1));
    sink->access(record, "::1 - -");
    const auto message = receive(socket);
    EXPECT_TRUE(message.starts_with("<134>1 1970-01-01T00:00:01.000Z ")) << message;
    EXPECT_TRUE(message.ends_with(" access - ::1 - -")) << message;
}

TEST_F(SyslogSinkTest, WritesLinesToAUnixSocketThatTakesAStream) {
    const auto listener = bind_socket(address_, SOCK_STREAM);
    const auto sink = start(options(Transport::unix_socket, path_), clock_);
    write(*sink, "a");
    const UniqueFd connection(::accept(listener.get(), nullptr, nullptr));
    EXPECT_TRUE(receive(connection).ends_with(" - a\n"));
}

TEST_F(SyslogSinkTest, WritesWhatWaitedWhenACollectorIsBackOnItsSocket) {
    const auto sink = start(options(Transport::unix_socket, path_), clock_);
    {
        const auto socket = bind_socket(address_, SOCK_DGRAM);
        write(*sink, "a");
        EXPECT_TRUE(receive(socket).ends_with(" - a"));
    }
    std::filesystem::remove(path_);
    write(*sink, "b");
    write(*sink, "c");
    const auto socket = bind_socket(address_, SOCK_DGRAM);
    EXPECT_TRUE(receive(socket).ends_with(" - b"));
    EXPECT_TRUE(receive(socket).ends_with(" - c"));
}

TEST_F(SyslogSinkTest, WritesByUdpWhatFitsThere) {
    const auto socket = bind_socket(any_port(), SOCK_DGRAM);
    const auto where = net::format_address(bound_address(socket));
    const auto sink = start(options(Transport::udp, where), clock_);
    write(*sink, "a");
    EXPECT_TRUE(receive(socket).ends_with(" - a"));
    write(*sink, std::string(10'000, 'b'));
    EXPECT_EQ(receive(socket).size(), 2'048u);
}

TEST_F(SyslogSinkTest, RefusesWhatCanNeverWork) {
    for (const auto& wrong :
         {options(Transport::unix_socket, ""),
          options(Transport::unix_socket, std::string(200, 'a')), options(Transport::udp, "host"),
          options(Transport::tcp, "host"), options(Transport::tls, "::1:514")}) {
        const auto sink = make_syslog_sink(wrong, clock_);
        ASSERT_FALSE(sink) << wrong.address;
        EXPECT_EQ(sink.error().code, Errc::invalid);
        EXPECT_TRUE(sink.error().detail.starts_with("log.syslog: ")) << sink.error().detail;
    }
    auto wrong = options(Transport::udp, "host:514");
    wrong.facility = "nothing";
    EXPECT_FALSE(make_syslog_sink(wrong, clock_));
}

// A connection that keeps what it is given, or fails.
struct Written {
    std::vector<net::DialOptions> dialed;
    std::string text;
    bool fails = false;
    bool closed = false;
};

class WrittenConnection final : public net::Connection {
  public:
    explicit WrittenConnection(Written& written) : written_(written) {}
    Result<std::size_t> read_some(MutableBytes) override { return 0; }
    Result<void> write_all(Bytes bytes) override {
        written_.text += as_text(bytes);
        if (written_.fails) return fail(Errc::unavailable, "broken pipe");
        return {};
    }
    bool is_closed() const override { return written_.closed; }

  private:
    Written& written_;
};

Dial dial_to(Written& written) {
    return [&written](const net::DialOptions& dialed) -> Result<std::unique_ptr<net::Connection>> {
        written.dialed.push_back(dialed);
        return std::make_unique<WrittenConnection>(written);
    };
}

TEST(SyslogCollector, CountsTheOctetsOfEachMessage) {
    Written written;
    const auto collector =
        make_syslog_collector(options(Transport::tcp, "host:601"), dial_to(written));
    ASSERT_TRUE(collector->open());
    ASSERT_TRUE(collector->send("<1>1 a"));
    ASSERT_TRUE(collector->send("<1>1 \xc3\xa9\nbc"));
    EXPECT_EQ(written.text, "6 <1>1 a10 <1>1 \xc3\xa9\nbc");
    EXPECT_FALSE(written.dialed.at(0).tls);
    EXPECT_EQ(written.dialed.at(0).address, "host:601");
    EXPECT_EQ(collector->name(), "syslog tcp://host:601");
}

TEST(SyslogCollector, SpeaksTlsWithWhatIsConfigured) {
    Written written;
    auto tls = options(Transport::tls, "host:6514");
    tls.tls.ca = "ca.pem";
    const auto collector = make_syslog_collector(tls, dial_to(written));
    ASSERT_TRUE(collector->open());
    EXPECT_EQ(written.dialed.at(0).tls.value().ca, "ca.pem");
    EXPECT_TRUE(written.dialed.at(0).tls.value().verify);
    EXPECT_EQ(collector->name(), "syslog tls://host:6514");
}

TEST(SyslogCollector, ConnectsAnewAfterAFailure) {
    Written written;
    const auto collector =
        make_syslog_collector(options(Transport::tcp, "host:601"), dial_to(written));
    ASSERT_TRUE(collector->open());
    written.fails = true;
    EXPECT_FALSE(collector->send("a"));
    written.fails = false;
    ASSERT_TRUE(collector->open());
    ASSERT_TRUE(collector->send("a"));
    EXPECT_EQ(written.dialed.size(), 2u);
    EXPECT_EQ(written.text, "1 a1 a");
}

TEST(SyslogCollector, WritesNothingToACollectorThatHasClosed) {
    Written written;
    const auto collector =
        make_syslog_collector(options(Transport::tcp, "host:601"), dial_to(written));
    ASSERT_TRUE(collector->open());
    written.closed = true;
    EXPECT_EQ(collector->send("a").error().code, Errc::unavailable);
    EXPECT_EQ(written.text, "");
}

TEST(SyslogCollector, SaysThatAUnixSocketIsNotThere) {
    const TemporaryDirectory directory;
    Written written;
    const auto collector = make_syslog_collector(
        options(Transport::unix_socket, directory.file("log")), dial_to(written));
    const auto opened = collector->open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::unavailable);
    EXPECT_TRUE(written.dialed.empty());
}

}  // namespace
}  // namespace berth::logging
