#include "oci/digest.h"

#include <algorithm>

namespace berth::oci {
namespace {

std::size_t hex_length(Algorithm algorithm) {
    return algorithm == Algorithm::sha256 ? 64 : 128;
}

bool is_lower_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
    return algorithm == Algorithm::sha256 ? "sha256" : "sha512";
}

Result<Algorithm> parse_algorithm(std::string_view name) {
    if (name == "sha256") return Algorithm::sha256;
    if (name == "sha512") return Algorithm::sha512;
    return fail(Errc::unsupported, "the digest algorithms served are sha256 and sha512");
}

Result<Digest> Digest::parse(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos)
        return fail(Errc::invalid, "a digest has the form algorithm:hex, as in sha256:e3b0…");
    const auto algorithm = parse_algorithm(text.substr(0, colon));
    if (!algorithm) return fail(Errc::invalid, algorithm.error().detail);
    const auto hex = text.substr(colon + 1);
    if (hex.size() != hex_length(*algorithm) || !is_lower_hex(hex)) {
        return fail(Errc::invalid, "a " + std::string(name_of(*algorithm)) + " digest has " +
                                       std::to_string(hex_length(*algorithm)) +
                                       " lower-case hex digits after the colon");
    }
    return Digest(*algorithm, std::string(text));
}

std::string_view Digest::hex() const {
    return std::string_view(text_).substr(name_of(algorithm_).size() + 1);
}

}  // namespace berth::oci
