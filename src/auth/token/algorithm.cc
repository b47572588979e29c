#include "auth/token/algorithm.h"

#include <array>

namespace berth::auth {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 10> kNames = {"RS256", "RS384", "RS512", "PS256", "PS384",
                                                     "PS512", "ES256", "ES384", "ES512", "EdDSA"};

}  // namespace

std::string_view name_of(Algorithm algorithm) {
    return kNames[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<Algorithm>(i);
    }
    return std::nullopt;
}

Result<Algorithms> parse_algorithms(const std::vector<std::string>& names) {
    if (names.empty()) return kAllAlgorithms;
    Algorithms all = 0;
    for (const std::string& name : names) {
        const auto algorithm = parse_algorithm(name);
        if (!algorithm) {
            std::string known;
            for (const std::string_view each : kNames)
                known.append(known.empty() ? "" : ", ").append(each);
            return fail(Errc::invalid,
                        "\"" + name + "\" is no algorithm for signatures here; known are " + known);
        }
        all |= only(*algorithm);
    }
    return all;
}

}  // namespace berth::auth
