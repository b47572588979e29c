// LocalServer: the other side of a connection, as a test wants it: listens on this machine and
// gives each connection to a function, in a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace berth {

class LocalServer {
  public:
    // Called by several threads. Owns nothing: the descriptor is blocking, and closed after it.
    using Serve = std::function<void(int fd)>;

    static LocalServer tcp(Serve serve) { return LocalServer(AF_INET, {}, std::move(serve)); }
    static LocalServer tcp6(Serve serve) { return LocalServer(AF_INET6, {}, std::move(serve)); }
    static LocalServer unix_path(const std::string& path, Serve serve) {
        return LocalServer(AF_UNIX, path, std::move(serve));
    }

    LocalServer(const LocalServer&) = delete;
    LocalServer& operator=(const LocalServer&) = delete;
    // Cuts what is still served.
    ~LocalServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        acceptor_.join();
        {
            std::lock_guard lock(mutex_);
            for (const int fd : served_)
                ::shutdown(fd, SHUT_RDWR);
        }
        servers_.clear();
    }

    // 127.0.0.1:1234, [::1]:1234, unix:/path
    const std::string& address() const { return address_; }
    const std::string& port() const { return port_; }

  private:
    LocalServer(int family, const std::string& path, Serve serve) : serve_(std::move(serve)) {
        listener_.reset(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_storage storage{};
        auto* name = reinterpret_cast<sockaddr*>(&storage);
        socklen_t size = fill(storage, family, path);
        EXPECT_EQ(::bind(listener_.get(), name, size), 0) << std::strerror(errno);
        EXPECT_EQ(::listen(listener_.get(), 64), 0);
        size = sizeof storage;
        EXPECT_EQ(::getsockname(listener_.get(), name, &size), 0);
        // At the same place in both families.
        const auto port = reinterpret_cast<const sockaddr_in*>(&storage)->sin_port;
        port_ = std::to_string(ntohs(port));
        if (family == AF_INET) address_ = "127.0.0.1:" + port_;
        if (family == AF_INET6) address_ = "[::1]:" + port_;
        if (family == AF_UNIX) address_ = "unix:" + path;
        acceptor_ = std::thread([this] { accept(); });
    }

    static socklen_t fill(sockaddr_storage& storage, int family, const std::string& path) {
        storage.ss_family = static_cast<sa_family_t>(family);
        if (family == AF_INET) {
            auto& name = reinterpret_cast<sockaddr_in&>(storage);
            name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return sizeof name;
        }
        if (family == AF_INET6) {
            auto& name = reinterpret_cast<sockaddr_in6&>(storage);
            name.sin6_addr = in6addr_loopback;
            return sizeof name;
        }
        auto& name = reinterpret_cast<sockaddr_un&>(storage);
        std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
        ::unlink(path.c_str());
        return sizeof name;
    }

    void accept() {
        for (;;) {
            UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!connection) return;
            {
                std::lock_guard lock(mutex_);
                served_.insert(connection.get());
            }
            servers_.emplace_back([this, fd = connection.release()] { run(UniqueFd(fd)); });
        }
    }

    void run(UniqueFd connection) {
        serve_(connection.get());
        std::lock_guard lock(mutex_);
        served_.erase(connection.get());
        connection.reset();  // under the lock: its number may be another's at once
    }

    Serve serve_;
    UniqueFd listener_;
    std::string address_;
    std::string port_;
    std::mutex mutex_;
    std::set<int> served_;
    std::vector<std::jthread> servers_;  // of acceptor_ until it has ended
    std::thread acceptor_;
};

}  // namespace berth
