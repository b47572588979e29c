// Stream: the bytes of one connection, plain or TLS, on the loop where it was born.
//
// Calls are Tasks of that loop; one reader and one writer at a time. Nothing here throws for what a
// peer does: its end, a reset, a failed handshake and a passed deadline are values. A Stream tries
// the system call first and waits for the socket only when it must.
//
// Time: `deadline` (see Watched) bounds whatever is under way; when it passes, the socket is shut
// down and the call returns Errc::cancelled. Whoever uses the stream sets it for each phase.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>

#include "base/bytes.h"
#include "base/pool.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/loop.h"
#include "net/peer.h"
#include "net/pieces.h"
#include "net/tls.h"

namespace berth::net {

// Whether more is written at once: it may then leave together with what comes next.
enum class More { no, yes };

class Stream final : public Watched {
  public:
    // `fd` is a connected, non-blocking stream socket. `tls` null: plain. Watched by the loop from
    // now on; made, used and destroyed on it. `lease` is kept as long as the stream.
    Stream(Loop& loop, UniqueFd fd, Peer peer, std::shared_ptr<const TlsContext> tls,
           std::shared_ptr<const void> lease = nullptr);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream();

    const Peer& peer() const { return peer_; }
    Loop& loop() { return loop_; }

    // TLS only: must succeed before anything else; peer().certificate is set by it. Errc::invalid
    // when TLS fails: the peer is sent an alert that says why, which close_gracefully() lets
    // arrive. With the detail "plain HTTP" it does not speak TLS at all: what it sent is then lost,
    // and write_plain may tell it so.
    Task<Result<void>> handshake();
    // A few bytes past the TLS, for that one purpose.
    void write_plain(std::string_view text);

    // Some bytes, at least one; 0 only at the peer's end (a TLS stream cut off without close_notify
    // ends as well: HTTP's own lengths say what is whole).
    Task<Result<std::size_t>> read_some(MutableBytes out);
    // The same without waiting: Errc::unavailable when nothing is there now.
    Result<std::size_t> try_read(MutableBytes out);

    // All of the pieces, in order, in as few system calls as the socket allows. More::yes may keep
    // back a little for the next call of write() or send_file(), which must come: for a head whose
    // body follows.
    Task<Result<void>> write(std::span<const Bytes> pieces, More more = More::no);
    // The same without waiting: how many bytes of the pieces were taken, the rest is the caller's
    // to write() (TLS: all or none of them are encrypted; what the socket did not take of these is
    // sent by the next call of anything that waits, read_some() too).
    Result<std::size_t> try_write(std::span<const Bytes> pieces);
    // Bytes of a file after what was written: sendfile where the stream is plain (or the kernel
    // does TLS), large reads otherwise. Pages that are not in memory are read by `disk`, so that no
    // loop waits for a disk. Errc::io when the file is shorter than it should be. `moved`, where
    // given, is called after each piece with its size: the time to set a new deadline.
    Task<Result<void>> send_file(int fd, std::uint64_t offset, std::uint64_t size, Pool& disk,
                                 const std::function<void(std::size_t)>& moved);

    // Sends the end (TLS: close_notify first), and reads and drops what still comes for as long as
    // `deadline` allows, so that a peer that is still sending can read the answer before a reset.
    Task<void> close_gracefully();
    // What is under way returns Errc::cancelled. Thread: the loop's.
    void cut();

    // What to do when the server drains: called once on the loop (never while a Task of this stream
    // runs on the stack above it).
    std::function<void()> on_drain;

  private:
    using Wait = boost::asio::socket_base::wait_type;

    void expire() override;
    void drain() override;

    int fd() { return socket_.native_handle(); }
    Task<std::tuple<boost::system::error_code>> wait(Wait type);
    // What a wait that ended so means for the call that waited.
    Result<void> check(const boost::system::error_code& waited) const;
    // Gives the other coroutines of the loop a turn.
    Task<void> pause();

    // Reads what is there; nullopt: nothing yet.
    Result<std::optional<std::size_t>> read_now(MutableBytes out);
    // Sends what was kept back and then the pieces, as far as the socket takes it without waiting.
    // Returns how much of the pieces it took.
    Result<std::size_t> send_now(std::span<const Bytes> pieces, More more);
    Task<Result<void>> flush(More more);
    Task<Result<void>> write_plain_pieces(Pieces pieces, More more);
    Task<Result<void>> write_tls_pieces(Pieces pieces, More more);
    // `bytes_expected`: how much will be encrypted before it leaves.
    Result<void> encrypt(std::span<const Bytes> pieces, std::size_t bytes_expected);
    Task<Result<void>> copy_file(int fd, std::uint64_t offset, std::uint64_t size, Pool& disk,
                                 const std::function<void(std::size_t)>& moved);
    Task<Result<void>> splice_file(int fd, std::uint64_t offset, std::uint64_t size, Pool& disk,
                                   const std::function<void(std::size_t)>& moved);

    // Bytes for the socket that it has not taken: ciphertext, or a plain head that waits for its
    // body.
    std::string& kept() { return tls_ ? tls_->output() : kept_; }
    bool has_kept() { return kept_sent_ < kept().size(); }
    void drop_kept();

    Loop& loop_;
    Peer peer_;
    std::shared_ptr<const void> lease_;
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, LoopExecutor> socket_;
    std::shared_ptr<const TlsContext> tls_context_;
    std::unique_ptr<TlsSession> tls_;
    std::string kept_;
    std::size_t kept_sent_ = 0;  // this much of kept() has left
    unsigned turns_ = 0;         // calls in a row that did not wait
    bool drained_ = false;       // the last read left nothing in the socket
    bool cut_ = false;
};

}  // namespace berth::net
