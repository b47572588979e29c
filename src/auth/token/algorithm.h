// Algorithm: how a token is signed (RFC 7518, 3.1, and RFC 8037). Those with a shared secret, and
// `none`, are no algorithms here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::auth {

enum class Algorithm { rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, eddsa };

std::string_view name_of(Algorithm algorithm);
// Names are exact: `es256` is none.
std::optional<Algorithm> parse_algorithm(std::string_view name);

// A set: a bit for each.
using Algorithms = unsigned;
constexpr Algorithms only(Algorithm algorithm) {
    return 1u << static_cast<unsigned>(algorithm);
}
constexpr Algorithms kAllAlgorithms = (only(Algorithm::eddsa) << 1) - 1;

// Errc::invalid names one that is not known. None at all means every one.
Result<Algorithms> parse_algorithms(const std::vector<std::string>& names);

}  // namespace berth::auth
