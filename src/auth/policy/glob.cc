#include "auth/policy/glob.h"

#include <algorithm>
#include <optional>

namespace berth::auth {
namespace {

constexpr std::string_view kRepositoryAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
constexpr std::string_view kTagAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
constexpr std::string_view kUser = "{user}";

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// A component of a repository name: [a-z0-9]+ joined by `.`, `_`, `__` or any number of `-`.
bool is_component(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size() && is_alphanumeric(text[i])) {
        while (i < text.size() && is_alphanumeric(text[i]))
            ++i;
        if (i == text.size()) return true;
        const std::size_t start = i;
        while (i < text.size() && text[i] == text[start] && !is_alphanumeric(text[i]))
            ++i;
        const std::size_t length = i - start;
        const char joint = text[start];
        if (joint != '-' && !(joint == '_' && length <= 2) && !(joint == '.' && length == 1)) {
            return false;
        }
    }
    return false;
}

}  // namespace

Result<Glob> Glob::parse_repository(std::string_view pattern) {
    if (pattern.starts_with('/') || pattern.ends_with('/') || pattern.find("//") != pattern.npos) {
        return fail(Errc::invalid, "no repository name has an empty path component");
    }
    return parse(pattern, Of::repository);
}

Result<Glob> Glob::parse_tag(std::string_view pattern) {
    return parse(pattern, Of::tag);
}

Result<Glob> Glob::parse_text(std::string_view pattern) {
    return parse(pattern, Of::text);
}

Result<Glob> Glob::parse(std::string_view pattern, Of of) {
    if (pattern.empty()) return fail(Errc::invalid, "it is empty");
    const bool repository = of == Of::repository;
    const std::string_view alphabet = repository ? kRepositoryAlphabet : kTagAlphabet;
    Glob glob;
    const auto at_component = [&glob] {
        if (glob.tokens_.empty()) return true;
        const Token& last = glob.tokens_.back();
        return last.kind == Kind::components ||
               (last.kind == Kind::literal && last.text.ends_with('/'));
    };
    while (!pattern.empty()) {
        std::size_t length = 1;
        if (pattern.starts_with("**/") && at_component()) {
            glob.tokens_.push_back({Kind::components, {}});
            length = 3;
        } else if (pattern.starts_with("**")) {
            glob.tokens_.push_back({Kind::deep, {}});
            length = 2;
        } else if (pattern.starts_with('*')) {
            glob.tokens_.push_back({Kind::any, {}});
        } else if (repository && pattern.starts_with(kUser)) {
            glob.tokens_.push_back({Kind::user, {}});
            length = kUser.size();
        } else if (of != Of::text && alphabet.find(pattern.front()) == alphabet.npos) {
            return fail(Errc::invalid, std::string(repository ? "no repository name" : "no tag") +
                                           " has a '" + std::string(1, pattern.front()) + "'" +
                                           (repository ? "; patterns know *, ** and {user}"
                                                       : "; patterns know * and **"));
        } else if (!glob.tokens_.empty() && glob.tokens_.back().kind == Kind::literal) {
            glob.tokens_.back().text += pattern.front();
        } else {
            glob.tokens_.push_back({Kind::literal, std::string(1, pattern.front())});
        }
        pattern.remove_prefix(length);
    }
    return glob;
}

// Greedy with two places to go back to. The last `*` is enough within a component, as it cannot
// cross a `/`; the last `**` is enough over all, as it can reach whatever an earlier one could.
bool Glob::matches(std::string_view text, std::string_view user) const {
    struct Place {
        std::size_t token, at;
    };
    std::optional<Place> any, deep;
    bool deep_by_component = false;
    Place now{0, 0};
    for (;;) {
        bool fits = now.token < tokens_.size();
        if (!fits && now.at == text.size()) return true;
        if (fits) {
            const Token& token = tokens_[now.token++];
            if (token.kind == Kind::any) {
                any = now;
            } else if (token.kind == Kind::deep || token.kind == Kind::components) {
                deep = now;
                deep_by_component = token.kind == Kind::components;
                any.reset();
            } else {
                const std::string_view part = token.kind == Kind::user ? user : token.text;
                if (token.kind == Kind::user && !is_component(user)) return false;
                fits = text.substr(now.at).starts_with(part);
                if (fits) now.at += part.size();
            }
        }
        if (fits) continue;
        if (any && any->at < text.size() && text[any->at] != '/') {
            ++any->at;
            now = *any;
            continue;
        }
        if (!deep) return false;
        if (deep_by_component) {
            const auto slash = text.find('/', deep->at);
            if (slash == text.npos) return false;
            deep->at = slash + 1;
        } else if (deep->at++ == text.size()) {
            return false;
        }
        any.reset();
        now = *deep;
    }
}

std::string_view Glob::prefix() const {
    const bool known = !tokens_.empty() && tokens_.front().kind == Kind::literal;
    return known ? std::string_view(tokens_.front().text) : std::string_view();
}

std::string_view Glob::suffix() const {
    const bool known = !tokens_.empty() && tokens_.back().kind == Kind::literal;
    return known ? std::string_view(tokens_.back().text) : std::string_view();
}

bool Glob::literal() const {
    return tokens_.size() == 1 && tokens_.front().kind == Kind::literal;
}

bool Glob::covers(const Glob& other) const {
    if (tokens_ == other.tokens_) return true;
    const bool for_all_users = std::none_of(tokens_.begin(), tokens_.end(), [](const Token& token) {
        return token.kind == Kind::user;
    });
    if (other.literal()) return for_all_users && matches(other.prefix());
    const bool all_below = !tokens_.empty() && tokens_.back().kind == Kind::deep &&
                           (tokens_.size() == 1 || (tokens_.size() == 2 && !prefix().empty()));
    return all_below && other.prefix().starts_with(prefix());
}

}  // namespace berth::auth
