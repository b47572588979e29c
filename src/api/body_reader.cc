#include "api/body_reader.h"

#include <algorithm>

namespace berth::api {
namespace {

constexpr std::size_t kFirstRead = 64u << 10;

std::optional<std::uint64_t> announced(const http::Request& request) {
    if (request.chunked) return std::nullopt;
    return request.content_length.value_or(0);
}

}  // namespace

BodyReader::BodyReader(const http::Request& request, http::Body& body, std::size_t block_bytes_max)
    : body_(body),
      left_(announced(request)),
      buffer_(static_cast<std::size_t>(
          std::min<std::uint64_t>(left_.value_or(block_bytes_max), block_bytes_max))) {}

Task<Block> BodyReader::next() {
    if (left_ == 0U) co_return Block{{}, true, std::nullopt};
    const MutableBytes buffer = buffer_.bytes();
    std::size_t filled = 0;
    while (filled < buffer.size()) {
        Result<std::size_t> read = co_await body_.read(buffer.subspan(filled));
        const Bytes bytes = buffer.first(filled + read.value_or(0));
        if (!read) co_return Block{bytes, false, std::move(read.error())};
        if (*read == 0) co_return Block{bytes, true, std::nullopt};
        filled += *read;
        if (left_) {
            *left_ -= std::min<std::uint64_t>(*left_, *read);
            if (*left_ == 0) co_return Block{bytes, true, std::nullopt};
        }
    }
    co_return Block{buffer, false, std::nullopt};
}

Task<Result<std::string>> read_whole(const http::Request& request, http::Body& body,
                                     std::size_t bytes_max) {
    body.limit(bytes_max);
    std::string text;
    if (!request.has_body()) co_return text;
    std::size_t filled = 0;
    const auto size = announced(request);
    for (;;) {
        // What is announced is believed no further than the limit, and read in one go.
        const std::size_t wanted = size ? static_cast<std::size_t>(*size) : filled + kFirstRead;
        text.resize(std::clamp<std::size_t>(wanted, filled + 1, bytes_max + 1));
        const MutableBytes rest = std::as_writable_bytes(std::span(text)).subspan(filled);
        Result<std::size_t> read = co_await body.read(rest);
        if (!read) co_return std::unexpected(std::move(read.error()));
        filled += *read;
        if (*read == 0 || filled == size) break;
        if (filled > bytes_max) co_return fail(Errc::too_large, "the body is too long");
    }
    text.resize(filled);
    co_return text;
}

}  // namespace berth::api
