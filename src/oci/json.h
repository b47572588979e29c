// Json: a strict reader for JSON that others send.
//
// What two parsers could understand differently is refused: duplicate keys, numbers that do not
// fit, invalid UTF-8, a byte order mark, NUL bytes, anything after the end.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/result.h"

namespace berth::oci {

using Json = nlohmann::json;

// Errc::invalid says what is wrong and at which byte, counted from 1. Nesting goes `depth_max`
// levels at most.
Result<Json> parse_json(std::string_view text, std::size_t depth_max);

}  // namespace berth::oci
