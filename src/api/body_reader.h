// BodyReader: takes a request's body in blocks, and tells its end from its breaking off.
#pragma once

#include <optional>
#include <string>

#include "base/page_buffer.h"
#include "http/body.h"
#include "http/message.h"

namespace berth::api {

// The bytes are valid until the next block is read.
struct Block {
    Bytes bytes;
    bool last = false;           // the body is complete with these bytes
    std::optional<Error> error;  // the body broke off after these bytes
};

class BodyReader {
  public:
    // Blocks have `block_bytes_max` bytes, except the last one.
    BodyReader(const http::Request& request, http::Body& body, std::size_t block_bytes_max);

    // Must not be called again after the last block or an error.
    Task<Block> next();

  private:
    http::Body& body_;
    std::optional<std::uint64_t> left_;  // nullopt: nobody knows
    PageBuffer buffer_;
};

// The whole body; Errc::too_large when it is longer than `bytes_max`.
Task<Result<std::string>> read_whole(const http::Request& request, http::Body& body,
                                     std::size_t bytes_max);

}  // namespace berth::api
