// Ranges and conditions of RFC 9110 (§14, §13), and the distribution-spec's range of a chunk. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace berth::http {

struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

// What a Range field asks of a representation of `size` bytes. nullopt: send it whole (no range,
// another unit, bad syntax, or more than one range). Errc::out_of_range: 416, also for a last byte
// before the first.
Result<std::optional<ByteRange>> parse_range(std::string_view field, std::uint64_t size);

// distribution-spec, "Pushing a blob in chunks": `<first>-<last>`, inclusive. Errc::invalid for
// anything else, a last before the first included.
Result<ByteRange> parse_chunk_range(std::string_view field);

// Does If-None-Match (a list, weak tags and `*` included) name this strong entity tag? `etag` is
// without its quotes.
bool names_etag(std::string_view field, std::string_view etag);

}  // namespace berth::http
