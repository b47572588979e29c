// The names of the distribution-spec: repository names, tags, and references that are one of tag
// and digest. Values that exist only in valid form.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "oci/digest.h"

namespace berth::oci {

// Components of [a-z0-9]+ joined by `.`, `_`, `__` or `-+`; components joined by `/`; at most 255
// characters.
class RepositoryName {
  public:
    static constexpr std::size_t kLengthMax = 255;
    static Result<RepositoryName> parse(std::string_view text);

    const std::string& text() const { return text_; }
    friend auto operator<=>(const RepositoryName&, const RepositoryName&) = default;

  private:
    explicit RepositoryName(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}. Ordered by bytes.
class Tag {
  public:
    static Result<Tag> parse(std::string_view text);

    const std::string& text() const { return text_; }
    friend auto operator<=>(const Tag&, const Tag&) = default;

  private:
    explicit Tag(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// What stands after `/manifests/`: a digest where there is a colon, else a tag.
using Reference = std::variant<Tag, Digest>;
Result<Reference> parse_reference(std::string_view text);
const std::string& text_of(const Reference& reference);

}  // namespace berth::oci
