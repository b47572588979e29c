// Listener: addresses of all kinds, its limits, and its end.
#include "net/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <latch>

#include "net/address.h"
#include "unit/net/authority.h"
#include "unit/net/net_support.h"

namespace berth::net {
namespace {

// Says who is there, then holds the connection until the peer's end.
Task<void> greet(std::unique_ptr<Stream> stream) {
    if (stream->peer().tls) {
        auto shaken = co_await stream->handshake();
        if (!shaken) co_return;
    }
    const std::string text = "hello " + stream->peer().address + "\n";
    const Bytes pieces[] = {as_bytes(text)};
    auto written = co_await stream->write(pieces);
    stream->on_drain = [raw = stream.get()] { raw->cut(); };
    std::array<std::byte, 16> buffer;
    auto read = co_await stream->read_some(buffer);
    std::ignore = written;
    std::ignore = read;
}

void on_connection(std::unique_ptr<Stream> stream) {
    Loop& loop = stream->loop();
    loop.spawn(greet(std::move(stream)));
}

UniqueFd connect_to(const SocketAddress& address) {
    UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), address.get(), address.size) != 0) return {};
    return fd;
}

UniqueFd connect_to(const std::string& host, std::uint16_t port) {
    return connect_to(*resolve({host, std::to_string(port)}));
}

std::uint16_t port_in(const std::string& address) {
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

std::string line_from(const UniqueFd& fd) {
    std::string line;
    while (!line.ends_with('\n')) {
        const auto next = read_exactly(fd.get(), 1);
        if (next.empty()) return "end";
        line += next;
    }
    return line;
}

class ListenerTest : public testing::Test {
  protected:
    Listener& serve(std::unique_ptr<Listener> opened) {
        listener = std::move(opened);
        listener->start(loops, quota, on_connection);
        loops.start();
        return *listener;
    }
    std::uint16_t serve_tcp(const std::string& address) {
        auto opened = Listener::open({"tcp", address, nullptr});
        EXPECT_TRUE(opened) << opened.error().detail;
        return port_in(serve(std::move(*opened)).address());
    }
    void TearDown() override { loops.stop(std::chrono::hours(1)); }

    Loops loops{2};
    std::shared_ptr<Listener::Quota> quota = std::make_shared<Listener::Quota>();
    std::unique_ptr<Listener> listener;
    TemporaryDirectory directory;
};

TEST_F(ListenerTest, TakesConnectionsOverIPv4) {
    const auto port = serve_tcp("127.0.0.1:0");
    EXPECT_EQ(listener->address(), "127.0.0.1:" + std::to_string(port));
    EXPECT_FALSE(listener->tls());
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(line_from(connect_to("127.0.0.1", port)), "hello 127.0.0.1\n");
}

TEST_F(ListenerTest, TakesConnectionsOverIPv6Only) {
    const auto port = serve_tcp("[::1]:0");
    EXPECT_EQ(listener->address(), "[::1]:" + std::to_string(port));
    EXPECT_EQ(line_from(connect_to("::1", port)), "hello ::1\n");
    EXPECT_FALSE(connect_to("127.0.0.1", port));
}

TEST_F(ListenerTest, TakesBothFamiliesWhereNoHostIsGiven) {
    const auto port = serve_tcp(":0");
    EXPECT_EQ(line_from(connect_to("::1", port)), "hello ::1\n");
    EXPECT_EQ(line_from(connect_to("127.0.0.1", port)), "hello 127.0.0.1\n");
}

TEST_F(ListenerTest, SaysThatAnAddressIsInUse) {
    const auto port = serve_tcp("127.0.0.1:0");
    const auto again = Listener::open({"tcp", "127.0.0.1:" + std::to_string(port), nullptr});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().detail, "cannot listen on 127.0.0.1:" + std::to_string(port) +
                                        ": bind: Address already in use");
}

TEST_F(ListenerTest, SaysWhatIsWrongWithAnAddress) {
    for (const ListenOptions& options :
         {ListenOptions{"tcp", "5000", nullptr}, ListenOptions{"tcp", "::1:5000", nullptr},
          ListenOptions{"udp", ":5000", nullptr}, ListenOptions{"tcp", "no such host:1", nullptr},
          ListenOptions{"unix", std::string(200, 'x'), nullptr}}) {
        const auto opened = Listener::open(options);
        ASSERT_FALSE(opened) << options.address;
        EXPECT_EQ(opened.error().code, Errc::invalid);
        EXPECT_TRUE(opened.error().detail.starts_with("cannot listen on " + options.address));
    }
}

TEST_F(ListenerTest, RefusesOnceItIsStopped) {
    const auto port = serve_tcp("127.0.0.1:0");
    const auto before = connect_to("127.0.0.1", port);
    EXPECT_EQ(line_from(before), "hello 127.0.0.1\n");
    listener->stop();
    EXPECT_FALSE(connect_to("127.0.0.1", port));
    loops.stop(std::chrono::hours(1));
    EXPECT_EQ(line_from(before), "end");
}

TEST_F(ListenerTest, PausesAtItsQuotaUntilAConnectionEnds) {
    quota->connections_max = 1;
    const auto port = serve_tcp("127.0.0.1:0");
    auto first = connect_to("127.0.0.1", port);
    EXPECT_EQ(line_from(first), "hello 127.0.0.1\n");
    const auto second = connect_to("127.0.0.1", port);
    std::array<char, 1> byte;
    EXPECT_EQ(::recv(second.get(), byte.data(), 1, MSG_DONTWAIT), -1);
    first.reset();
    EXPECT_EQ(line_from(second), "hello 127.0.0.1\n");
    EXPECT_EQ(quota->connections.load(), 1U);
}

TEST_F(ListenerTest, SurvivesTheEndOfDescriptors) {
    const auto port = serve_tcp("127.0.0.1:0");
    const auto address = *resolve({"127.0.0.1", std::to_string(port)});
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    EXPECT_EQ(::connect(client.get(), address.get(), address.size), 0);
    // The loop that accepts is alive as long as it still runs what is posted.
    std::latch alive(1);
    boost::asio::post(loops.first().context(), [&alive] { alive.count_down(); });
    alive.wait();
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(line_from(client), "hello 127.0.0.1\n");
}

// The bytes of the certificate that a new connection is shown.
std::string certificate_at(std::uint16_t port) {
    const auto fd = connect_to("127.0.0.1", port);
    TlsClient client(fd.get(), TLS1_3_VERSION);
    if (!client.handshake()) return "no handshake";
    unsigned char* der = nullptr;
    const int size = i2d_X509(SSL_get0_peer_certificate(client.get()), &der);
    std::string bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

TEST_F(ListenerTest, GivesNewConnectionsTheNewCertificate) {
    const Pair authority = make_authority("an authority");
    TlsOptions tls;
    tls.certificate = directory.file("tls.crt");
    tls.key = directory.file("tls.key");
    const auto write = [&] {
        const Pair pair = issue(authority, "localhost");
        pair.write_certificate(tls.certificate);
        pair.write_key(tls.key);
    };
    write();
    const SystemClock clock;
    const auto source = TlsSource::open(tls, clock, [](LogLevel, const std::string&) {});
    ASSERT_TRUE(source);
    auto opened = Listener::open({"tcp", "127.0.0.1:0", *source});
    ASSERT_TRUE(opened);
    const auto port = port_in(serve(std::move(*opened)).address());
    EXPECT_TRUE(listener->tls());
    const auto held_fd = connect_to("127.0.0.1", port);
    TlsClient held(held_fd.get(), TLS1_3_VERSION);
    ASSERT_TRUE(held.handshake());
    const auto first = certificate_at(port);
    EXPECT_EQ(certificate_at(port), first);
    write();
    (*source)->refresh();
    EXPECT_NE(certificate_at(port), first);
    EXPECT_EQ(held.read_exactly(16), "hello 127.0.0.1\n");
}

class UnixListenerTest : public ListenerTest {
  protected:
    Result<std::unique_ptr<Listener>> open() { return Listener::open({"unix", path, nullptr}); }
    UniqueFd connect() { return connect_to(*unix_address(path)); }
    // As a killed server leaves it.
    void leave_stale() {
        const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto address = *unix_address(path);
        ASSERT_EQ(::bind(fd.get(), address.get(), address.size), 0);
    }
    const std::string path = directory.file("berth.sock");
};

TEST_F(UnixListenerTest, ServesAPathAndRemovesIt) {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(serve(std::move(*opened)).address(), "unix:" + path);
    EXPECT_EQ(line_from(connect()), "hello \n");
    loops.stop(std::chrono::hours(1));
    listener.reset();
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UnixListenerTest, ReplacesWhatAKilledServerLeft) {
    leave_stale();
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().detail;
    serve(std::move(*opened));
    EXPECT_EQ(line_from(connect()), "hello \n");
}

TEST_F(UnixListenerTest, LeavesASocketThatIsServed) {
    const auto first = open();
    ASSERT_TRUE(first);
    const auto second = open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_TRUE(connect());
}

TEST_F(UnixListenerTest, LeavesAFileThatIsNoSocket) {
    std::ofstream(path) << "precious";
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::conflict);
    EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(UnixListenerTest, LeavesThePathOfItsSuccessor) {
    auto first = open();
    ASSERT_TRUE(first);
    std::filesystem::remove(path);
    const auto second = open();
    ASSERT_TRUE(second);
    first->reset();
    EXPECT_TRUE(connect());
}

using AdoptedListenerTest = UnixListenerTest;

TEST_F(AdoptedListenerTest, TakesOverASocketAndLeavesItOpenForTheNext) {
    const UniqueFd manager(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = *unix_address(path);
    ASSERT_EQ(::bind(manager.get(), address.get(), address.size), 0);
    ASSERT_EQ(::listen(manager.get(), 5), 0);
    auto adopted = Listener::adopt(UniqueFd(::dup(manager.get())), nullptr);
    ASSERT_TRUE(adopted) << adopted.error().detail;
    EXPECT_EQ(serve(std::move(*adopted)).address(), "unix:" + path);
    EXPECT_EQ(line_from(connect()), "hello \n");
    listener->stop();
    loops.stop(std::chrono::hours(1));
    listener.reset();
    EXPECT_TRUE(connect());
}

TEST_F(AdoptedListenerTest, RefusesASocketThatDoesNotListen) {
    const auto adopted = Listener::adopt(unix_pair().server, nullptr);
    ASSERT_FALSE(adopted);
    EXPECT_EQ(adopted.error().code, Errc::invalid);
}

// In a process of its own: the numbers of the descriptors are fixed.
[[noreturn]] void inherit_two() {
    const std::string pid = std::to_string(::getpid());
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_PID", pid.c_str(), 1);
    ::dup2(0, 3);
    ::dup2(0, 4);
    auto sockets = inherited_sockets();
    const bool good = sockets.size() == 2 && sockets[0].get() == 3 && sockets[1].get() == 4 &&
                      ::fcntl(4, F_GETFD) == FD_CLOEXEC && inherited_sockets().empty();
    ::_exit(good ? 0 : 1);
}

[[noreturn]] void inherit_anothers() {
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_PID", "1", 1);
    ::_exit(inherited_sockets().empty() ? 0 : 1);
}

TEST(InheritedSockets, AreTakenOnceByTheProcessTheyAreMeantFor) {
    EXPECT_EXIT(inherit_two(), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(inherit_anothers(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace berth::net
