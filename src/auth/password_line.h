// One line of an htpasswd file, as Apache reads it: `user:hash`, and what comes after a second
// colon is ignored. Used by the reader and the writer of the file.
#pragma once

#include <optional>
#include <string_view>

namespace berth::auth {

struct PasswordLine {
    enum class Kind { empty, entry, broken };
    Kind kind;
    std::string_view user;  // of an entry
    std::string_view hash;
};

// White space at both ends, also a carriage return, counts nothing; a line that starts with `#` is
// empty.
PasswordLine parse_password_line(std::string_view line);

// Takes the first line off `text`, without its line feed; nullopt when there is none left.
std::optional<std::string_view> take_line(std::string_view& text);

}  // namespace berth::auth
