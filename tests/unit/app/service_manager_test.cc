// What systemd is told: each message is one datagram, to a path or an abstract name.
#include "app/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "support/temporary_directory.h"

namespace berth::app {
namespace {

// systemd's end of $NOTIFY_SOCKET. `name` is a path, or an abstract name where it begins with @.
class NotifySocket {
  public:
    explicit NotifySocket(const std::string& name)
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof(address.sun_path));
        if (name.starts_with('@')) address.sun_path[0] = '\0';
        const auto size = offsetof(sockaddr_un, sun_path) + name.size();
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                         static_cast<socklen_t>(size)),
                  0);
    }

    // What was sent is there already; empty: nothing is.
    std::string receive() {
        std::string text(4096, '\0');
        const auto size = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return text;
    }

  private:
    UniqueFd socket_;
};

void expect_messages(const std::string& name) {
    NotifySocket systemd(name);
    ServiceManager manager(Environment{{"NOTIFY_SOCKET", name}});
    manager.ready("listening on http://127.0.0.1:5000");
    EXPECT_EQ(systemd.receive(), "READY=1\nSTATUS=listening on http://127.0.0.1:5000");
    manager.reloading();
    const auto reloading = systemd.receive();
    const std::string start = "RELOADING=1\nMONOTONIC_USEC=";
    EXPECT_TRUE(reloading.starts_with(start)) << reloading;
    EXPECT_GT(std::stoll(reloading.substr(start.size())), 0);
    manager.alive();
    EXPECT_EQ(systemd.receive(), "WATCHDOG=1");
    manager.stopping();
    EXPECT_TRUE(systemd.receive().starts_with("STOPPING=1\n"));
}

TEST(ServiceManager, TellsASocketInAFolder) {
    const TemporaryDirectory folder;
    expect_messages(folder.path() + "/notify");
}

TEST(ServiceManager, TellsAnAbstractSocket) {
    expect_messages("@berth-test-" + std::to_string(::getpid()));
}

TEST(ServiceManager, IsSilentWhereNobodyListens) {
    const TemporaryDirectory folder;
    for (const auto& name : {std::string(), folder.path() + "/nobody", std::string("vsock:2:1"),
                             std::string("/"), std::string("/" + std::string(200, 'a'))}) {
        ServiceManager manager(Environment{{"NOTIFY_SOCKET", name}});
        manager.ready("");
        manager.stopping();
    }
    ServiceManager(Environment{}).ready("");
}

TEST(ServiceManager, ObeysTheWatchdogOfThisProcess) {
    const auto ours = std::to_string(::getpid());
    EXPECT_EQ(ServiceManager(Environment{{"WATCHDOG_USEC", "3000000"}}).watchdog(),
              std::chrono::seconds(3));
    EXPECT_EQ(ServiceManager(Environment{{"WATCHDOG_USEC", "1500000"}, {"WATCHDOG_PID", ours}})
                  .watchdog(),
              std::chrono::milliseconds(1500));
}

TEST(ServiceManager, HasNoWatchdogUnlessItIsAskedFor) {
    EXPECT_EQ(ServiceManager(Environment{}).watchdog(), std::nullopt);
    for (const auto* period : {"", "0", "-1", "soon", "1s"})
        EXPECT_EQ(ServiceManager(Environment{{"WATCHDOG_USEC", period}}).watchdog(), std::nullopt)
            << period;
    EXPECT_EQ(
        ServiceManager(Environment{{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "1"}}).watchdog(),
        std::nullopt);
}

}  // namespace
}  // namespace berth::app
