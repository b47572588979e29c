#include "auth/policy/actions.h"

#include <array>
#include <utility>

#include "base/nearest.h"

namespace berth::auth {
namespace {

constexpr std::array kWords{
    std::pair<std::string_view, Actions>{"pull", bit(Action::pull)},
    std::pair<std::string_view, Actions>{"push", kPush},
    std::pair<std::string_view, Actions>{"create", bit(Action::create)},
    std::pair<std::string_view, Actions>{"overwrite", bit(Action::overwrite)},
    std::pair<std::string_view, Actions>{"delete", bit(Action::remove)},
    std::pair<std::string_view, Actions>{"catalog", bit(Action::catalog)},
    std::pair<std::string_view, Actions>{"admin", bit(Action::admin)},
};

}  // namespace

std::string_view name_of(Action action) {
    for (const auto& [word, actions] : kWords) {
        if (actions == bit(action)) return word;
    }
    return {};
}

Result<Actions> parse_action(std::string_view word) {
    std::array<std::string_view, kWords.size()> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = kWords[i].first;
        if (word == words[i]) return kWords[i].second;
    }
    std::string detail = "unknown action '" + std::string(word) + "'";
    if (const std::string_view meant = nearest(word, words); !meant.empty()) {
        detail += "; did you mean '" + std::string(meant) + "'?";
    } else {
        detail += "; known are pull, push, create, overwrite, delete, catalog and admin";
    }
    return fail(Errc::invalid, std::move(detail));
}

}  // namespace berth::auth
