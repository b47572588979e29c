#include "oci/names.h"

#include <algorithm>

namespace berth::oci {
namespace {

bool is_lower_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_separator(std::string_view text) {
    return text == "." || text == "_" || text == "__" ||
           (!text.empty() && text.find_first_not_of('-') == std::string_view::npos);
}

bool is_component(std::string_view text) {
    if (text.empty() || !is_lower_alphanumeric(text.front())) return false;
    while (true) {
        const auto word = std::ranges::find_if_not(text, is_lower_alphanumeric);
        text.remove_prefix(static_cast<std::size_t>(word - text.begin()));
        if (text.empty()) return true;
        const auto next = std::ranges::find_if(text, is_lower_alphanumeric);
        const auto separator = static_cast<std::size_t>(next - text.begin());
        if (separator == text.size() || !is_separator(text.substr(0, separator))) return false;
        text.remove_prefix(separator);
    }
}

bool is_word(char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

Result<RepositoryName> RepositoryName::parse(std::string_view text) {
    if (text.size() > kLengthMax) {
        return fail(Errc::invalid,
                    "a repository name has at most " + std::to_string(kLengthMax) + " characters");
    }
    for (auto rest = text;;) {
        const auto slash = rest.find('/');
        if (!is_component(rest.substr(0, slash))) {
            return fail(Errc::invalid,
                        "a repository name is made of lower-case letters and digits, joined inside "
                        "a component by one of . _ __ or dashes, and components joined by /");
        }
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    return RepositoryName(std::string(text));
}

Result<Tag> Tag::parse(std::string_view text) {
    const auto fits = [](char c) { return is_word(c) || c == '.' || c == '-'; };
    if (text.empty() || text.size() > 128 || !is_word(text.front()) ||
        !std::ranges::all_of(text, fits)) {
        return fail(Errc::invalid,
                    "a tag has 1 to 128 letters, digits, _ . - and begins with none of . -");
    }
    return Tag(std::string(text));
}

Result<Reference> parse_reference(std::string_view text) {
    if (text.contains(':')) {
        BERTH_TRY(auto digest, Digest::parse(text));
        return Reference(std::move(digest));
    }
    BERTH_TRY(auto tag, Tag::parse(text));
    return Reference(std::move(tag));
}

const std::string& text_of(const Reference& reference) {
    return std::visit([](const auto& value) -> const std::string& { return value.text(); },
                      reference);
}

}  // namespace berth::oci
