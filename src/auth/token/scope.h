// Scope: one thing that a client of the token service asks for: `repository:team/app:pull,push`
// (Docker token specification; the actions are those of registry:2). A value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::auth {

struct Scope {
    std::string type;  // repository, registry
    std::string name;
    std::vector<std::string> actions;  // pull, push, delete, *

    // Several, separated by spaces; the empty text has none. A name may have colons
    // (`host:5000/a`). Errc::invalid for what is not one, or too many; unknown types and actions
    // are kept, and nothing will be granted for them.
    static Result<std::vector<Scope>> parse(std::string_view text);
    std::string text() const;
    friend bool operator==(const Scope&, const Scope&) = default;
};

}  // namespace berth::auth
