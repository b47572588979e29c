#include "auth/group_file.h"

#include <algorithm>
#include <utility>

#include "auth/password_line.h"
#include "base/watched_file.h"

namespace berth::auth {
namespace {

constexpr std::string_view kBlanks = " \t\r";

// Takes the next word off `text`; empty when there is none.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    return word;
}

}  // namespace

Result<Memberships> parse_group_file(std::string_view text) {
    Memberships groups_of;
    std::size_t number = 0;
    while (const auto line = take_line(text)) {
        ++number;
        std::string_view rest = *line;
        rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
        if (rest.empty() || rest.front() == '#') continue;
        const auto colon = rest.find(':');
        std::string_view name = rest.substr(0, colon);
        const std::string_view group = take_word(name);
        if (colon == rest.npos || group.empty() || !take_word(name).empty()) {
            return fail(Errc::invalid, "line " + std::to_string(number) +
                                           ": expected `group: user user`, as Apache's "
                                           "AuthGroupFile has it");
        }
        rest.remove_prefix(colon + 1);
        for (std::string_view user = take_word(rest); !user.empty(); user = take_word(rest)) {
            auto& groups = groups_of[std::string(user)];
            if (std::find(groups.begin(), groups.end(), group) == groups.end())
                groups.emplace_back(group);
        }
    }
    return groups_of;
}

struct GroupFile::State {
    std::unique_ptr<WatchedFile<Memberships>> file;
};

Result<std::unique_ptr<GroupFile>> GroupFile::open(std::string path, const Clock& clock,
                                                   std::function<void(const Error&)> report) {
    auto state = std::make_unique<State>();
    BERTH_TRY(state->file, WatchedFile<Memberships>::open(std::move(path), clock, parse_group_file,
                                                          std::move(report)));
    return std::unique_ptr<GroupFile>(new GroupFile(std::move(state)));
}

GroupFile::GroupFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
GroupFile::~GroupFile() = default;

std::uint64_t GroupFile::version() {
    return state_->file->version();
}

std::vector<std::string> GroupFile::groups_of(std::string_view user) {
    const auto reading = state_->file->current();
    const auto found = reading.value->find(user);
    return found == reading.value->end() ? std::vector<std::string>() : found->second;
}

}  // namespace berth::auth
