// ChunkedDecoder: a chunked body (RFC 9112 §7.1), taken strictly and piece by piece.
//
// Extensions and trailers are dropped, and bounded. Pure; knows no sockets.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace berth::http {

class ChunkedDecoder {
  public:
    struct Step {
        std::size_t consumed = 0;
        std::size_t produced = 0;
    };
    // Decodes until `in` is used up, `out` is full, or the body ends. `out` may begin where `in`
    // begins: decoding in place. Errc::invalid for bad coding; the decoder is of no use then.
    Result<Step> decode(Bytes in, MutableBytes out);
    // The last chunk and the trailers were taken; what follows is the next request.
    bool done() const { return state_ == State::done; }

  private:
    enum class State {
        size,            // the hexadecimal digits of a chunk's size
        blank,           // white space behind them: an extension must follow
        extension,       // dropped
        size_end,        // LF
        data,            // of the chunk
        data_end_cr,     // CR behind the data
        data_end,        // LF
        trailer_start,   // a trailer, or the empty line
        trailer,         // dropped
        trailer_end,     // LF
        empty_line_end,  // LF
        done,
    };

    // Takes one character of the framing.
    Result<void> take(char c);
    Result<void> take_size(char c);
    Result<void> take_dropped(char c, std::size_t bytes_max, State next);
    Result<void> expect(char c, char expected, State next);

    State state_ = State::size;
    std::uint64_t left_ = 0;   // of the chunk's data
    std::size_t digits_ = 0;   // of the chunk's size
    std::size_t dropped_ = 0;  // of this chunk's extension, or of all trailers
};

}  // namespace berth::http
