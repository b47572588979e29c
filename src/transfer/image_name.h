// The names that files and people give images: `[HOST/]REPOSITORY[:TAG]`, and which of them are
// meant by what somebody wrote on a command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/names.h"

namespace berth::transfer {

struct ImageName {
    oci::RepositoryName repository;
    std::optional<oci::Tag> tag;
};

// The host, where there is one (`docker.io/`, `localhost:5000/`), is dropped.
Result<ImageName> parse_image_name(std::string_view text);

// Chooses images: REPOSITORY, REPOSITORY:TAG, PREFIX/** (all below), or ** (all).
class Selection {
  public:
    // Everything.
    Selection() = default;
    static Result<Selection> parse(const std::vector<std::string>& patterns);

    // The repository as a whole, or some of its tags.
    bool has(const oci::RepositoryName& repository) const;
    // All of the repository's tags and manifests, not only some tags?
    bool has_all_of(const oci::RepositoryName& repository) const;
    bool has(const oci::RepositoryName& repository, const oci::Tag& tag) const;
    // What is named without a pattern, and so must be there.
    std::vector<ImageName> named() const;
    // Are all of them named, so that nothing has to be looked for?
    bool is_named_only() const;

  private:
    struct Pattern {
        std::string repository;  // or the prefix, with its `/`; empty: all
        bool is_prefix = false;
        std::optional<oci::Tag> tag = std::nullopt;
        bool matches(const oci::RepositoryName& name) const;
    };
    std::vector<Pattern> patterns_;
};

}  // namespace berth::transfer
