// The writing half of password_file.h.
#include <sys/types.h>

#include "auth/password_file.h"
#include "auth/password_line.h"
#include "base/control.h"
#include "base/rewrite_file.h"

namespace berth::auth {
namespace {

constexpr ::mode_t kNewFileMode = 0640;

bool names(std::string_view line, std::string_view user) {
    const PasswordLine parsed = parse_password_line(line);
    return parsed.kind == PasswordLine::Kind::entry && parsed.user == user;
}

// The name must come back as it is when the line is read again.
Result<void> check_user(std::string_view user) {
    if (has_control(user)) {
        return fail(Errc::invalid, "a user name cannot hold control characters");
    }
    if (user.find(':') != user.npos) {
        return fail(Errc::invalid, "a user name cannot hold a colon (:)");
    }
    if (!names(std::string(user) + ":", user)) {
        return fail(Errc::invalid, "a user name cannot be empty, and not start with # or a space");
    }
    return {};
}

void append_line(std::string& text, std::string_view line) {
    text.append(line).append("\n");
}

}  // namespace

Result<void> set_password(const std::string& path, std::string_view user, const std::string& hash) {
    BERTH_CHECK(check_user(user));
    const std::string entry = std::string(user) + ":" + hash;
    return rewrite_file(path, kNewFileMode,
                        [user, &entry](std::string_view text) -> Result<std::string> {
                            std::string out;
                            bool set = false;
                            while (const auto line = take_line(text)) {
                                const bool here = !set && names(*line, user);
                                append_line(out, here ? std::string_view(entry) : *line);
                                set = set || here;
                            }
                            if (!set) append_line(out, entry);
                            return out;
                        });
}

Result<void> remove_user(const std::string& path, std::string_view user) {
    return rewrite_file(
        path, kNewFileMode, [user, &path](std::string_view text) -> Result<std::string> {
            std::string out;
            bool removed = false;
            while (const auto line = take_line(text)) {
                // All of the user's lines: were one left, its password would count now.
                if (names(*line, user)) {
                    removed = true;
                } else {
                    append_line(out, *line);
                }
            }
            if (!removed) {
                return fail(Errc::not_found, path + " has no user " + std::string(user));
            }
            return out;
        });
}

}  // namespace berth::auth
