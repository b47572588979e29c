#include "transfer/image_name.h"

#include <algorithm>

namespace berth::transfer {
namespace {

constexpr std::string_view kBelow = "/**";

// The first component is a host when it cannot be a repository's (as docker decides).
std::string_view without_host(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == text.npos) return text;
    const auto first = text.substr(0, slash);
    const bool is_host =
        first == "localhost" || first.find('.') != first.npos || first.find(':') != first.npos;
    return is_host ? text.substr(slash + 1) : text;
}

Result<ImageName> parse_local_name(std::string_view text) {
    const auto colon = text.find(':');
    BERTH_TRY(auto repository, oci::RepositoryName::parse(text.substr(0, colon)));
    if (colon == text.npos) return ImageName{std::move(repository), std::nullopt};
    BERTH_TRY(auto tag, oci::Tag::parse(text.substr(colon + 1)));
    return ImageName{std::move(repository), std::move(tag)};
}

}  // namespace

Result<ImageName> parse_image_name(std::string_view text) {
    return parse_local_name(without_host(text));
}

bool Selection::Pattern::matches(const oci::RepositoryName& name) const {
    return is_prefix ? name.text().starts_with(repository) : name.text() == repository;
}

Result<Selection> Selection::parse(const std::vector<std::string>& patterns) {
    Selection selection;
    for (const std::string_view text : patterns) {
        if (text == "**") {
            selection.patterns_.push_back({"", true});
        } else if (text.ends_with(kBelow)) {
            const auto folder = text.substr(0, text.size() - kBelow.size());
            BERTH_TRY(const auto prefix, oci::RepositoryName::parse(folder));
            selection.patterns_.push_back({prefix.text() + "/", true});
        } else {
            BERTH_TRY(auto name, parse_local_name(text));
            selection.patterns_.push_back({name.repository.text(), false, std::move(name.tag)});
        }
    }
    return selection;
}

bool Selection::has(const oci::RepositoryName& repository) const {
    return patterns_.empty() || std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
               return pattern.matches(repository);
           });
}

bool Selection::has_all_of(const oci::RepositoryName& repository) const {
    return patterns_.empty() || std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
               return !pattern.tag && pattern.matches(repository);
           });
}

bool Selection::has(const oci::RepositoryName& repository, const oci::Tag& tag) const {
    return patterns_.empty() || std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
               return pattern.matches(repository) && (!pattern.tag || pattern.tag == tag);
           });
}

std::vector<ImageName> Selection::named() const {
    std::vector<ImageName> names;
    for (const auto& pattern : patterns_) {
        if (pattern.is_prefix) continue;
        names.push_back({oci::RepositoryName::parse(pattern.repository).value(), pattern.tag});
    }
    return names;
}

bool Selection::is_named_only() const {
    return !patterns_.empty() &&
           std::ranges::none_of(patterns_, [](const auto& pattern) { return pattern.is_prefix; });
}

}  // namespace berth::transfer
