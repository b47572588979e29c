#include "migrate/directive.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace berth::migrate {

namespace {

// Of directives whose names have one of these in them, no argument is shown.
constexpr std::array<std::string_view, 8> kSecretNames{
    "password", "passphrase", "secret", "dbdparams", "userpw", "basicfake", "clientcert", "token"};

// Of these the first arguments are shown: they are names, and a value follows.
struct NamesFirst {
    std::string_view key;
    std::size_t shown;
};
constexpr std::array<NamesFirst, 5> kNamesFirst{
    {{"define", 1}, {"setenv", 1}, {"setenvif", 2}, {"requestheader", 2}, {"use", 1}}};

// These headers are no secrets.
constexpr std::array<std::string_view, 4> kPlainHeaders{"x-forwarded", "host", "front-end-https",
                                                        "x-scheme"};

// user:password@ of a URL.
std::string without_userinfo(std::string text) {
    for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
        at += 3;
        const auto end = text.find_first_of("/ \"'?", at);
        const auto sign = text.rfind('@', end);
        if (sign == std::string::npos || sign < at) continue;
        text.replace(at, sign - at, "(hidden)");
    }
    return text;
}

bool hides_all(const std::string& key) {
    return std::ranges::any_of(kSecretNames, [&](auto part) { return key.contains(part); });
}

}  // namespace

std::string_view Directive::word(std::size_t index) const {
    return index < words.size() ? std::string_view(words[index]) : std::string_view();
}

std::string Directive::line() const {
    const std::string open = is_section() ? "<" + name : name;
    const std::string close = is_section() ? ">" : "";
    if (written.empty()) return open + close;
    if (hides_all(key)) return open + " (hidden)" + close;
    for (const auto& [named, shown] : kNamesFirst) {
        if (key != named || words.size() <= shown) continue;
        const bool plain =
            key == "requestheader" &&
            (written.contains("\"\"") || std::ranges::any_of(kPlainHeaders, [&](auto prefix) {
                 return lower_case(word(1)).starts_with(prefix);
             }));
        if (plain) break;
        auto text = open;
        for (std::size_t i = 0; i < shown; ++i)
            text += " " + words[i];
        return text + " (hidden)" + close;
    }
    return open + " " + without_userinfo(written) + close;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

}  // namespace berth::migrate
