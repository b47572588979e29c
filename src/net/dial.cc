#include "net/dial.h"

#include <netdb.h>

#include <cerrno>
#include <future>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "net/address.h"
#include "net/dial_socket.h"
#include "net/dial_tls.h"

namespace berth::net {

namespace {

constexpr std::string_view kUnix = "unix:";

using Addresses = std::vector<SocketAddress>;
// The system's resolver keeps its own time, which may be much longer than ours: a thread waits for
// it, and is left behind when that takes too long.
Result<Addresses> look_up_name(const HostPort& where, Deadline deadline) {
    std::packaged_task<Result<Addresses>()> task([where] { return look_up(where, 0); });
    auto looked_up = task.get_future();
    std::thread(std::move(task)).detach();
    if (looked_up.wait_until(deadline) != std::future_status::ready)
        return fail(Errc::unavailable, "its name was not looked up in time", ETIMEDOUT);
    return looked_up.get();
}

struct Target {
    std::string host;  // empty: a path
    Addresses addresses;
};

Result<Target> find_target(const std::string& text, Deadline deadline) {
    if (text.starts_with(kUnix)) {
        BERTH_TRY(const auto address, unix_address(text.substr(kUnix.size())));
        return Target{{}, {address}};
    }
    BERTH_TRY(auto where, split_host_port(text));
    auto addresses = look_up(where, where.host.empty() ? 0 : AI_NUMERICHOST);
    if (!addresses) addresses = look_up_name(where, deadline);
    if (!addresses)
        return fail(Errc::unavailable, std::move(addresses.error().detail),
                    addresses.error().os_errno);
    return Target{where.host.empty() ? "localhost" : where.host, std::move(*addresses)};
}

// In turn. Each has its share of the time, so that one that never answers does not use it all up.
Result<DialSocket> connect_any(const Addresses& addresses, Deadline deadline) {
    Result<DialSocket> socket = fail(Errc::unavailable, "it has no address");
    for (std::size_t at = 0; at < addresses.size(); ++at) {
        const auto now = std::chrono::steady_clock::now();
        const auto share = (deadline - now) / static_cast<int>(addresses.size() - at);
        socket = DialSocket::connect(addresses[at], now + share);
        if (socket) break;
    }
    return socket;
}

class PlainConnection final : public Connection {
  public:
    PlainConnection(DialSocket socket, const DialOptions& options)
        : socket_(std::move(socket)),
          read_timeout_(options.read_timeout),
          write_timeout_(options.write_timeout) {}

    Result<std::size_t> read_some(MutableBytes out) override {
        const auto deadline = std::chrono::steady_clock::now() + read_timeout_;
        for (;;) {
            const auto count = socket_.receive(out);
            if (count >= 0) return static_cast<std::size_t>(count);
            BERTH_CHECK(wait_after(errno, DialSocket::Until::readable, deadline));
        }
    }

    Result<void> write_all(Bytes bytes) override {
        const auto deadline = std::chrono::steady_clock::now() + write_timeout_;
        while (!bytes.empty()) {
            const auto count = socket_.send(bytes);
            if (count < 0) {
                BERTH_CHECK(wait_after(errno, DialSocket::Until::writable, deadline));
                continue;
            }
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
        return {};
    }

    bool is_closed() const override { return socket_.is_closed(); }

  private:
    Result<void> wait_after(int os_errno, DialSocket::Until until, Deadline deadline) const {
        if (os_errno == EINTR) return {};
        if (os_errno == EAGAIN) return socket_.wait(until, deadline);
        return fail(Errc::unavailable, std::generic_category().message(os_errno), os_errno);
    }

    DialSocket socket_;
    std::chrono::milliseconds read_timeout_;
    std::chrono::milliseconds write_timeout_;
};

Result<std::unique_ptr<Connection>> connect(const DialOptions& options) {
    const auto deadline = std::chrono::steady_clock::now() + options.connect_timeout;
    BERTH_TRY(const auto target, find_target(options.address, deadline));
    BERTH_TRY(auto socket, connect_any(target.addresses, deadline));
    if (options.tls) return secure(std::move(socket), options, target.host, deadline);
    return std::make_unique<PlainConnection>(std::move(socket), options);
}

}  // namespace

Result<std::unique_ptr<Connection>> dial(const DialOptions& options) {
    auto connection = connect(options);
    if (!connection)
        return std::unexpected(std::move(connection.error()).with_context(options.address));
    return connection;
}

}  // namespace berth::net
