#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "net/address.h"

namespace berth::net {

namespace {

constexpr int kBacklog = 4096;
// So many are accepted before the loop's connections get a turn.
constexpr int kAcceptedMax = 64;
// Until the next try when no connection can be taken: descriptors or the quota are used up.
constexpr auto kPause = std::chrono::milliseconds(20);
constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START

// The file of a unix socket; removed at the end, unless another has taken its place.
class SocketFile {
  public:
    SocketFile() = default;
    explicit SocketFile(std::string path) : path_(std::move(path)) {
        ::lstat(path_.c_str(), &made_);
    }
    SocketFile(SocketFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), made_(other.made_) {}
    SocketFile& operator=(SocketFile&&) = delete;
    ~SocketFile() {
        struct stat now{};
        if (path_.empty() || ::lstat(path_.c_str(), &now) != 0) return;
        if (now.st_dev == made_.st_dev && now.st_ino == made_.st_ino) ::unlink(path_.c_str());
    }

  private:
    std::string path_;
    struct stat made_{};
};

// A connection that counts in the quota.
class Lease {
  public:
    // Null when the quota is used up.
    static std::shared_ptr<Lease> take(const std::shared_ptr<Listener::Quota>& quota) {
        if (quota->connections.fetch_add(1) < quota->connections_max)
            return std::make_shared<Lease>(quota);
        quota->connections.fetch_sub(1);
        return nullptr;
    }
    explicit Lease(std::shared_ptr<Listener::Quota> quota) : quota_(std::move(quota)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { quota_->connections.fetch_sub(1); }

  private:
    std::shared_ptr<Listener::Quota> quota_;
};

// An accepted connection on its way to its loop.
struct Arrival {
    UniqueFd fd;
    Peer peer;
    std::shared_ptr<Lease> lease;
};

class SocketListener final : public Listener, private Watched {
  public:
    SocketListener(UniqueFd fd, std::string address, std::shared_ptr<const TlsSource> tls,
                   SocketFile file, bool ours)
        : fd_(std::move(fd)),
          address_(std::move(address)),
          tls_(std::move(tls)),
          file_(std::move(file)),
          ours_(ours) {}

    ~SocketListener() override {
        if (acceptor_) acceptor_->release();
    }

    const std::string& address() const override { return address_; }
    bool tls() const override { return tls_ != nullptr; }

    void start(Loops& loops, std::shared_ptr<Quota> quota, OnConnection on_connection) override {
        loops_ = &loops;
        quota_ = std::move(quota);
        on_connection_ = std::move(on_connection);
        acceptor_.emplace(loops.first().executor(), fd_.get());
        timer_.emplace(loops.first().executor());
        loops.first().watch(*this);
        wait();
    }

    void stop() override {
        if (stopped_.exchange(true)) return;
        // Refuses at once. A socket of the service manager goes on collecting connections for the
        // next server.
        if (ours_) ::shutdown(fd_.get(), SHUT_RDWR);
        if (loops_ != nullptr) boost::asio::post(loops_->first().context(), [this] { end(); });
    }

  private:
    void expire() override {}
    void drain() override {
        stop();
        end();
    }

    void end() {
        if (!is_linked()) return;
        loops_->first().unwatch(*this);
        boost::system::error_code ignored;
        acceptor_->cancel(ignored);
        timer_->cancel();
    }

    void wait() {
        acceptor_->async_wait(boost::asio::posix::descriptor_base::wait_read,
                              [this](const boost::system::error_code& error) {
                                  if (!error && !stopped_) accept_all();
                              });
    }

    void pause() {
        timer_->expires_after(kPause);
        timer_->async_wait([this](const boost::system::error_code& error) {
            if (!error && !stopped_) accept_all();
        });
    }

    void accept_all() {
        for (int i = 0; i < kAcceptedMax; ++i) {
            auto lease = Lease::take(quota_);
            if (!lease) return pause();
            SocketAddress from;
            from.size = sizeof from.storage;
            UniqueFd fd(::accept4(fd_.get(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (fd) {
                hand_over({std::move(fd), {host_of(from), port_of(from), tls()}, std::move(lease)});
                continue;
            }
            switch (errno) {
                case EAGAIN:
                    return wait();
                case EMFILE:
                case ENFILE:
                case ENOBUFS:
                case ENOMEM:
                    return pause();
                default:
                    // The connection's own trouble (accept(2), "Error handling"): the next one may
                    // have none.
                    if (stopped_) return;
            }
        }
        wait();
    }

    void hand_over(Arrival arrival) {
        Loop& loop = loops_->next();
        boost::asio::post(loop.context(), [this, &loop, arrived = std::move(arrival)]() mutable {
            if (loop.draining()) return;
            on_connection_(std::make_unique<Stream>(
                loop, std::move(arrived.fd), std::move(arrived.peer),
                tls_ ? tls_->current() : nullptr, std::move(arrived.lease)));
        });
    }

    UniqueFd fd_;
    const std::string address_;
    const std::shared_ptr<const TlsSource> tls_;
    const SocketFile file_;
    const bool ours_;
    std::atomic<bool> stopped_{false};
    Loops* loops_ = nullptr;
    std::shared_ptr<Quota> quota_;
    OnConnection on_connection_;
    std::optional<boost::asio::posix::basic_stream_descriptor<LoopExecutor>> acceptor_;
    std::optional<LoopTimer> timer_;
};

Result<UniqueFd> make_socket(int family) {
    UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail_errno("make a socket", errno);
    return fd;
}

void set_option(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

Result<SocketAddress> name_of_socket(int fd) {
    SocketAddress name;
    name.size = sizeof name.storage;
    if (::getsockname(fd, name.get(), &name.size) != 0) return fail_errno("name a socket", errno);
    return name;
}

enum class Families { one, both };

Result<UniqueFd> bind_tcp(const SocketAddress& where, Families families) {
    BERTH_TRY(UniqueFd fd, make_socket(where.family()));
    // A restart need not wait for the old connections' end.
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (where.family() == AF_INET6)
        set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, families == Families::one ? 1 : 0);
    if (::bind(fd.get(), where.get(), where.size) != 0) return fail_errno("bind", errno);
    return fd;
}

Result<UniqueFd> bind_any(const std::string& port) {
    BERTH_TRY(const SocketAddress both, any_address(AF_INET6, port));
    auto fd = bind_tcp(both, Families::both);
    const bool without_v6 =
        !fd && (fd.error().os_errno == EAFNOSUPPORT || fd.error().os_errno == EADDRNOTAVAIL);
    if (!without_v6) return fd;
    BERTH_TRY(const SocketAddress v4, any_address(AF_INET, port));
    return bind_tcp(v4, Families::one);
}

Result<UniqueFd> bind_host_port(const std::string& text) {
    BERTH_TRY(const HostPort where, split_host_port(text));
    if (where.host.empty()) return bind_any(where.port);
    BERTH_TRY(const SocketAddress address, resolve(where));
    return bind_tcp(address, Families::one);
}

// A socket file that nobody listens on is a killed server's; anything else is not ours to replace.
Result<void> remove_stale(const SocketAddress& where, const std::string& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) return fail_errno("bind", errno);
    if (!S_ISSOCK(found.st_mode)) return fail(Errc::conflict, "a file that is no socket is there");
    BERTH_TRY(const UniqueFd probe, make_socket(AF_UNIX));
    if (::connect(probe.get(), where.get(), where.size) == 0 || errno != ECONNREFUSED)
        return fail(Errc::conflict, "another server listens on it");
    if (::unlink(path.c_str()) != 0) return fail_errno("remove what a killed server left", errno);
    return {};
}

Result<UniqueFd> bind_unix(const std::string& path) {
    BERTH_TRY(const SocketAddress where, unix_address(path));
    BERTH_TRY(UniqueFd fd, make_socket(AF_UNIX));
    if (::bind(fd.get(), where.get(), where.size) == 0) return fd;
    if (errno != EADDRINUSE) return fail_errno("bind", errno);
    BERTH_CHECK(remove_stale(where, path));
    if (::bind(fd.get(), where.get(), where.size) != 0) return fail_errno("bind", errno);
    return fd;
}

Result<std::unique_ptr<Listener>> listen_on(const ListenOptions& options) {
    const bool is_unix = options.network == "unix";
    if (!is_unix && options.network != "tcp")
        return fail(Errc::invalid, "unknown network \"" + options.network + "\": use tcp or unix");
    BERTH_TRY(UniqueFd fd, is_unix ? bind_unix(options.address) : bind_host_port(options.address));
    SocketFile file = is_unix ? SocketFile(options.address) : SocketFile();
    // Accepted sockets inherit it.
    if (!is_unix) set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (::listen(fd.get(), kBacklog) != 0) return fail_errno("listen", errno);
    BERTH_TRY(const SocketAddress name, name_of_socket(fd.get()));
    return std::make_unique<SocketListener>(std::move(fd), format_address(name), options.tls,
                                            std::move(file), true);
}

// A number from the environment; -1: none. Read before any thread starts.
int environment_number(const char* name) {
    const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    if (text == nullptr) return -1;
    int number = -1;
    const char* end = text + std::strlen(text);
    const auto parsed = std::from_chars(text, end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? number : -1;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const ListenOptions& options) {
    auto opened = listen_on(options);
    if (!opened)
        return std::unexpected(
            std::move(opened.error()).with_context("cannot listen on " + options.address));
    return opened;
}

Result<std::unique_ptr<Listener>> Listener::adopt(UniqueFd fd,
                                                  std::shared_ptr<const TlsSource> tls) {
    int listening = 0;
    socklen_t size = sizeof listening;
    const auto what = "inherited socket " + std::to_string(fd.get());
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0)
        return fail_errno(what, errno);
    if (listening == 0) return fail(Errc::invalid, what + " does not listen");
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return fail_errno(what, errno);
    BERTH_TRY(const SocketAddress name, name_of_socket(fd.get()));
    if (name.family() != AF_UNIX) set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    return std::make_unique<SocketListener>(std::move(fd), format_address(name), std::move(tls),
                                            SocketFile(), false);
}

std::vector<UniqueFd> inherited_sockets() {
    std::vector<UniqueFd> sockets;
    const int count = environment_number("LISTEN_FDS");
    if (environment_number("LISTEN_PID") == ::getpid()) {
        for (int i = 0; i < count; ++i) {
            sockets.emplace_back(kFirstInherited + i);
            ::fcntl(sockets.back().get(), F_SETFD, FD_CLOEXEC);
        }
    }
    for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"})
        ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
    return sockets;
}

}  // namespace berth::net
