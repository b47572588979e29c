// Digest: the name of some bytes, `algorithm:encoded` (image-spec descriptor.md, "Digests").
//
// A value; exists only in valid form: sha256 with 64 or sha512 with 128 lower-case hex digits.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::oci {

enum class Algorithm { sha256, sha512 };

std::string_view name_of(Algorithm algorithm);
// Errc::unsupported for a name that is not served.
Result<Algorithm> parse_algorithm(std::string_view name);

class Digest {
  public:
    static Result<Digest> parse(std::string_view text);

    Algorithm algorithm() const { return algorithm_; }
    // The part after the colon.
    std::string_view hex() const;
    // The whole: `sha256:…`.
    const std::string& text() const { return text_; }

    friend auto operator<=>(const Digest& a, const Digest& b) { return a.text_ <=> b.text_; }
    friend bool operator==(const Digest& a, const Digest& b) { return a.text_ == b.text_; }

  private:
    Digest(Algorithm algorithm, std::string text) : algorithm_(algorithm), text_(std::move(text)) {}

    Algorithm algorithm_;
    std::string text_;
};

}  // namespace berth::oci

template <>
struct std::hash<berth::oci::Digest> {
    std::size_t operator()(const berth::oci::Digest& digest) const noexcept {
        return std::hash<std::string>()(digest.text());
    }
};
