#include "net/stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <climits>
#include <vector>

namespace berth::net {

namespace {

using boost::asio::socket_base;
using boost::asio::generic::stream_protocol;

// A plain head up to this size waits for its body.
constexpr std::size_t kKeptBytesMax = 16 << 10;
// The memory for kept bytes that an idle stream may hold.
constexpr std::size_t kIdleBytesMax = 8 << 10;
// So much is encrypted between two system calls.
constexpr std::size_t kEncryptBytes = 128 << 10;
// After so many calls that did not wait, the loop's other coroutines get a turn.
constexpr unsigned kTurnsMax = 32;
constexpr std::size_t kDropBytes = 64 << 10;

std::unexpected<Error> fail_cut() {
    return fail(Errc::cancelled, "the connection was cut");
}

std::unexpected<Error> fail_peer(int os_errno) {
    return fail(Errc::cancelled, "the peer went away", os_errno);
}

bool would_block(int os_errno) {
    return os_errno == EAGAIN || os_errno == EINTR;
}

}  // namespace

Stream::Stream(Loop& loop, UniqueFd fd, Peer peer, std::shared_ptr<const TlsContext> tls,
               std::shared_ptr<const void> lease)
    : loop_(loop),
      peer_(std::move(peer)),
      lease_(std::move(lease)),
      socket_(loop.executor()),
      tls_context_(std::move(tls)) {
    if (tls_context_) tls_ = std::make_unique<TlsSession>(*tls_context_, fd.get());
    // The family matters to nothing that is called here.
    boost::system::error_code error;
    socket_.assign(stream_protocol(AF_UNSPEC, 0), fd.get(), error);
    if (error) {
        cut_ = true;
    } else {
        fd.release();
    }
    loop_.watch(*this);
}

Stream::~Stream() {
    loop_.unwatch(*this);
}

void Stream::expire() {
    cut();
}

void Stream::drain() {
    if (on_drain) on_drain();
}

void Stream::cut() {
    if (cut_) return;
    cut_ = true;
    ::shutdown(fd(), SHUT_RDWR);
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

Task<std::tuple<boost::system::error_code>> Stream::wait(Wait type) {
    turns_ = 0;
    return socket_.async_wait(type, boost::asio::as_tuple(use_task));
}

Result<void> Stream::check(const boost::system::error_code& waited) const {
    if (cut_) return fail_cut();
    if (waited) return fail_peer(waited.value());
    return {};
}

Task<void> Stream::pause() {
    turns_ = 0;
    co_await boost::asio::post(loop_.executor(), use_task);
}

Task<Result<void>> Stream::handshake() {
    // A request in plain text begins with a letter, TLS does not.
    char first = 0;
    for (;;) {
        if (cut_) co_return fail_cut();
        const auto count = ::recv(fd(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
        if (count > 0) break;
        if (count == 0 || !would_block(errno)) co_return fail_peer(count == 0 ? 0 : errno);
        const auto [waited] = co_await wait(socket_base::wait_read);
        if (auto usable = check(waited); !usable) co_return usable;
    }
    if (first >= 'A' && first <= 'Z') co_return fail(Errc::invalid, "plain HTTP");
    for (;;) {
        const auto status = tls_->handshake();
        std::string reason;
        if (status == TlsSession::Status::failed) reason = tls_->error();
        auto flushed = co_await flush(More::no);
        if (status == TlsSession::Status::failed) co_return fail(Errc::invalid, "TLS: " + reason);
        if (!flushed) co_return flushed;
        if (status == TlsSession::Status::closed) co_return fail_peer(0);
        if (status == TlsSession::Status::done) {
            peer_.certificate = tls_->peer_certificate();
            co_return Result<void>{};
        }
        const auto [waited] = co_await wait(socket_base::wait_read);
        if (auto usable = check(waited); !usable) co_return usable;
        tls_->readable();
    }
}

void Stream::write_plain(std::string_view text) {
    std::ignore = ::send(fd(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

Result<std::optional<std::size_t>> Stream::read_now(MutableBytes out) {
    if (cut_) return fail_cut();
    if (tls_) {
        std::size_t count = 0;
        switch (tls_->read(out, count)) {
            case TlsSession::Status::done:
                return count;
            case TlsSession::Status::want_read:
                return std::nullopt;
            case TlsSession::Status::closed:
                return 0;
            case TlsSession::Status::failed:
                break;
        }
        return fail(Errc::cancelled, "TLS: " + tls_->error());
    }
    const auto count = ::recv(fd(), out.data(), out.size(), MSG_DONTWAIT);
    if (count < 0 && !would_block(errno)) return fail_peer(errno);
    drained_ = count < static_cast<ssize_t>(out.size());
    if (count < 0) return std::nullopt;
    return static_cast<std::size_t>(count);
}

Task<Result<std::size_t>> Stream::read_some(MutableBytes out) {
    for (;;) {
        if (has_kept()) {
            auto flushed = co_await flush(More::no);
            if (!flushed) co_return std::unexpected(std::move(flushed.error()));
        }
        // An empty socket is not asked again before it is ready: one system call less for each
        // request.
        if (!drained_) {
            auto got = read_now(out);
            if (!got) co_return std::unexpected(std::move(got.error()));
            if (*got) {
                if (++turns_ > kTurnsMax) co_await pause();
                co_return **got;
            }
            // What TLS itself answers leaves before the wait: a refused renegotiation, a new key.
            if (has_kept()) continue;
        }
        const auto [waited] = co_await wait(socket_base::wait_read);
        if (auto usable = check(waited); !usable)
            co_return std::unexpected(std::move(usable.error()));
        drained_ = false;
        if (tls_) tls_->readable();
    }
}

Result<std::size_t> Stream::try_read(MutableBytes out) {
    if (tls_) tls_->readable();
    auto got = read_now(out);
    if (!got) return std::unexpected(std::move(got.error()));
    if (!*got) return fail(Errc::unavailable, "no bytes yet");
    return **got;
}

void Stream::drop_kept() {
    kept_sent_ = 0;
    if (kept().capacity() > kIdleBytesMax) {
        kept() = std::string();
    } else {
        kept().clear();
    }
}

Result<std::size_t> Stream::send_now(std::span<const Bytes> pieces, More more) {
    if (cut_) return fail_cut();
    std::array<iovec, std::tuple_size_v<Pieces::Batch> + 1> parts;
    std::size_t count = 0;
    const std::size_t kept_bytes = kept().size() - kept_sent_;
    if (kept_bytes > 0) parts[count++] = {kept().data() + kept_sent_, kept_bytes};
    for (const Bytes& piece : pieces)
        parts[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    if (count == 0) return 0;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more == More::yes ? MSG_MORE : 0);
    const auto sent = ::sendmsg(fd(), &message, flags);
    if (sent < 0 && !would_block(errno)) return fail_peer(errno);
    if (sent < 0) return 0;
    const auto bytes = static_cast<std::size_t>(sent);
    if (bytes < kept_bytes) {
        kept_sent_ += bytes;
        return 0;
    }
    if (kept_bytes > 0) drop_kept();
    return bytes - kept_bytes;
}

Task<Result<void>> Stream::flush(More more) {
    for (;;) {
        auto sent = send_now({}, more);
        if (!sent) co_return std::unexpected(std::move(sent.error()));
        if (!has_kept()) co_return Result<void>{};
        const auto [waited] = co_await wait(socket_base::wait_write);
        if (auto usable = check(waited); !usable) co_return usable;
    }
}

Result<void> Stream::encrypt(std::span<const Bytes> pieces, std::size_t bytes_expected) {
    // Room for the records' heads and tags too, so that the text grows once.
    if (!has_kept()) kept().reserve(bytes_expected + bytes_expected / 64 + 512);
    if (tls_->write(pieces) == TlsSession::Status::done) return {};
    return fail(Errc::cancelled, "TLS: " + tls_->error());
}

Task<Result<void>> Stream::write(std::span<const Bytes> pieces, More more) {
    return tls_ ? write_tls_pieces(Pieces(pieces), more) : write_plain_pieces(Pieces(pieces), more);
}

Task<Result<void>> Stream::write_plain_pieces(Pieces pieces, More more) {
    Pieces::Batch batch;
    if (more == More::yes) {
        const auto next = pieces.next(batch, kKeptBytesMax + 1);
        const auto bytes = size_of(next);
        if (kept_.size() + bytes <= kKeptBytesMax && next.size() < batch.size()) {
            for (const Bytes& piece : next)
                kept_.append(as_text(piece));
            co_return Result<void>{};
        }
    }
    for (;;) {
        auto sent = send_now(pieces.next(batch, INT_MAX), more);
        if (!sent) co_return std::unexpected(std::move(sent.error()));
        pieces.consume(*sent);
        if (pieces.empty() && !has_kept()) co_return Result<void>{};
        const auto [waited] = co_await wait(socket_base::wait_write);
        if (auto usable = check(waited); !usable) co_return usable;
    }
}

Task<Result<void>> Stream::write_tls_pieces(Pieces pieces, More more) {
    if (cut_) co_return fail_cut();
    Pieces::Batch batch;
    do {
        const auto next = pieces.next(batch, kEncryptBytes);
        if (auto encrypted = encrypt(next, size_of(next)); !encrypted) co_return encrypted;
        pieces.consume(size_of(next));
        if (pieces.empty() && more == More::yes && kept().size() < kEncryptBytes) break;
        auto flushed = co_await flush(more);
        if (!flushed) co_return flushed;
    } while (!pieces.empty());
    co_return Result<void>{};
}

Result<std::size_t> Stream::try_write(std::span<const Bytes> pieces) {
    Pieces::Batch batch;
    const Pieces all(pieces);
    if (!tls_) return send_now(all.next(batch, INT_MAX), More::no);
    const auto bytes = size_of(pieces);
    if (bytes > kEncryptBytes) return 0;
    if (auto sent = send_now({}, More::no); !sent) return sent;
    if (has_kept()) return 0;
    if (auto encrypted = encrypt(pieces, bytes); !encrypted)
        return std::unexpected(std::move(encrypted.error()));
    if (auto sent = send_now({}, More::no); !sent) return sent;
    return bytes;
}

Task<void> Stream::close_gracefully() {
    if (cut_) co_return;
    if (tls_) tls_->close_notify();
    auto flushed = co_await flush(More::no);
    if (!flushed) co_return;
    ::shutdown(fd(), SHUT_WR);
    for (;;) {
        static thread_local std::vector<std::byte> dropped(kDropBytes);
        const auto count = ::recv(fd(), dropped.data(), dropped.size(), MSG_DONTWAIT);
        if (count == 0 || (count < 0 && !would_block(errno)) || cut_) co_return;
        if (count > 0) {
            if (++turns_ > kTurnsMax) co_await pause();
            continue;
        }
        const auto [waited] = co_await wait(socket_base::wait_read);
        if (auto usable = check(waited); !usable) co_return;
    }
}

}  // namespace berth::net
