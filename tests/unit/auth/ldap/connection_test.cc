// Goal: an operation has its own time, however little of the connection's was left.
// Method: a server that answers a bind in two parts, with a pause between them.
#include "auth/ldap/connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/unique_fd.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;

// LDAPMessage 1: BindResponse, success.
constexpr std::string_view kBound("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", 14);
constexpr std::size_t kFirstPart = 5;

class SlowServer {
  public:
    explicit SlowServer(std::chrono::milliseconds pause) : pause_(pause) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_.get(), generic, size), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        EXPECT_EQ(::getsockname(listener_.get(), generic, &size), 0);
        url_ = "ldap://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        thread_ = std::thread([this] { serve(); });
    }
    ~SlowServer() { thread_.join(); }

    const std::string& url() const { return url_; }

  private:
    void serve() {
        const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
        std::array<char, 1024> request{};
        EXPECT_GT(::read(client.get(), request.data(), request.size()), 0);
        EXPECT_GT(::write(client.get(), kBound.data(), kFirstPart), 0);
        ::poll(nullptr, 0, static_cast<int>(pause_.count()));
        const std::string_view rest = kBound.substr(kFirstPart);
        ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        while (::read(client.get(), request.data(), request.size()) > 0) {
        }
    }

    const std::chrono::milliseconds pause_;
    const UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::string url_;
    std::thread thread_;
};

TEST(Connection, ABindMayTakeLongerThanConnecting) {
    const SlowServer server(400ms);
    ConnectionOptions options;
    options.connect_timeout = 200ms;
    options.timeout = 60s;
    const auto connection = Connection::open(server.url(), options);
    ASSERT_TRUE(connection) << connection.error().detail;
    const auto bound = (*connection)->bind("uid=alice", "secret");
    ASSERT_TRUE(bound) << bound.error().detail;
    EXPECT_TRUE(*bound);
}

}  // namespace
}  // namespace berth::auth
