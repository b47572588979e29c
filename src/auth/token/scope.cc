#include "auth/token/scope.h"

#include <algorithm>

namespace berth::auth {
namespace {

constexpr std::size_t kTextBytesMax = 16 << 10;
constexpr std::size_t kScopesMax = 64;
constexpr std::size_t kActionsMax = 16;

// Up to the separator, or the end; `text` becomes the rest behind it.
std::string_view take_until(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

// Goes into JSON and into a header field as it is.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

Result<Scope> parse_one(std::string_view text) {
    const std::size_t first = text.find(':'), last = text.rfind(':');
    if (first == last || first == 0 || last == first + 1) {
        return fail(Errc::invalid, "a scope is TYPE:NAME:ACTION,ACTION");
    }
    if (!is_plain(text)) return fail(Errc::invalid, "a scope has a character that cannot be");
    Scope scope{.type = std::string(text.substr(0, first)),
                .name = std::string(text.substr(first + 1, last - first - 1)),
                .actions = {}};
    std::string_view actions = text.substr(last + 1);
    while (!actions.empty()) {
        const std::string_view action = take_until(actions, ',');
        if (action.empty() || std::ranges::find(scope.actions, action) != scope.actions.end()) {
            continue;
        }
        if (scope.actions.size() == kActionsMax) {
            return fail(Errc::invalid, "a scope has too many actions");
        }
        scope.actions.emplace_back(action);
    }
    return scope;
}

}  // namespace

Result<std::vector<Scope>> Scope::parse(std::string_view text) {
    if (text.size() > kTextBytesMax) return fail(Errc::invalid, "the scopes are too long");
    std::vector<Scope> scopes;
    while (!text.empty()) {
        const std::string_view one = take_until(text, ' ');
        if (one.empty()) continue;
        if (scopes.size() == kScopesMax) return fail(Errc::invalid, "there are too many scopes");
        BERTH_TRY(Scope scope, parse_one(one));
        scopes.push_back(std::move(scope));
    }
    return scopes;
}

std::string Scope::text() const {
    std::string text = type + ":" + name + ":";
    for (std::size_t i = 0; i < actions.size(); ++i)
        text.append(i == 0 ? "" : ",").append(actions[i]);
    return text;
}

}  // namespace berth::auth
