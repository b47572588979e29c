// RequestBody: the Body of the exchange under way, read from the connection's input and stream.
//
// Large reads go from the socket to the reader's buffer; a chunked body is decoded there, in place.
#pragma once

#include <chrono>
#include <optional>

#include "http/body.h"
#include "http/chunked.h"
#include "http/input.h"
#include "http/message.h"
#include "net/stream.h"

namespace berth::http {

// At least so much of a body has to move, either way, within body_timeout: a client that drips
// bytes cannot hold a connection for ever.
constexpr std::uint64_t kPaceBytes = 16 << 10;

class RequestBody final : public Body {
  public:
    // `timeout`: for each kPaceBytes of a read, or what is left of it.
    RequestBody(Input& input, net::Stream& stream, std::chrono::milliseconds timeout)
        : input_(input), stream_(stream), timeout_(timeout) {}

    // For the next exchange. `expects_continue`: the client waits for `100 Continue`.
    void begin(const Request& request, bool expects_continue);

    void limit(std::uint64_t bytes_max) override { bytes_max_ = bytes_max; }
    std::optional<std::uint64_t> size() const override { return size_; }
    Task<Result<std::size_t>> read(MutableBytes out) override;

    // How much of it was taken off the connection, without what frames chunks; and was it all?
    std::uint64_t taken() const { return taken_; }
    bool complete() const { return size_ ? taken_ == *size_ : decoder_.done(); }
    // May the connection go on once drain() took the rest? Not if that is long, if the client might
    // never send it, or if something was wrong with it.
    bool drainable() const;
    // Takes and drops the rest; false: that is too much, or takes too long.
    Task<bool> drain();

  private:
    // Some bytes of the body; 0: none came yet, or it is complete.
    Task<Result<std::size_t>> read_some(MutableBytes out);
    Task<Result<std::size_t>> read_sized(MutableBytes out);
    Task<Result<std::size_t>> read_chunked(MutableBytes out);
    Result<std::size_t> decode(Bytes in, MutableBytes out, std::size_t& consumed);
    // Reads from the socket; the peer's end is an error here.
    Task<Result<std::size_t>> receive(MutableBytes out);
    Task<Result<void>> invite();
    void set_deadline();

    Input& input_;
    net::Stream& stream_;
    std::chrono::milliseconds timeout_;
    std::optional<std::uint64_t> size_ = 0;  // none: chunked
    std::optional<std::uint64_t> bytes_max_;
    std::uint64_t taken_ = 0;
    std::uint64_t pace_ = 0;  // bytes since the deadline was set
    ChunkedDecoder decoder_;
    std::optional<Error> error_;
    bool expects_continue_ = false;
};

}  // namespace berth::http
