#include "auth/password_line.h"

#include <algorithm>

namespace berth::auth {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\v\f";

}  // namespace

PasswordLine parse_password_line(std::string_view line) {
    using Kind = PasswordLine::Kind;
    const auto first = line.find_first_not_of(kWhiteSpace);
    if (first == line.npos || line[first] == '#') return {Kind::empty, {}, {}};
    line = line.substr(first, line.find_last_not_of(kWhiteSpace) - first + 1);
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) return {Kind::broken, {}, {}};
    std::string_view hash = line.substr(colon + 1);
    hash = hash.substr(0, hash.find(':'));
    return {Kind::entry, line.substr(0, colon), hash};
}

std::optional<std::string_view> take_line(std::string_view& text) {
    if (text.empty()) return std::nullopt;
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

}  // namespace berth::auth
