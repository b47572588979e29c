// The one table of configuration keys: every key of registry 2.8 and 3, and Berth's own, each with
// what Berth does about it. The check of a file, the environment's variables and docs/configure.md
// go by it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::app {

enum class KeyState {
    served,
    ignored,  // accepted, has no effect, and needs none
    warned,   // accepted with a warning: what it asks for is not done
    refused,  // without it the server would be less safe than asked for, or keep its data elsewhere
};

struct ConfigKey {
    // Dotted; `[]` stands for a list's item, `*` for any name.
    std::string_view path;
    KeyState state;
    // For warned: what is not done. For refused: what to do instead. Empty: goes with the key above
    // it.
    std::string_view note;
};

std::span<const ConfigKey> config_keys();

// The row of a path in the table's notation; null: there is none.
const ConfigKey* find_key(std::string_view path);

// The path of member `name` below `parent` (empty: top level), which may be `parent.*`; empty: no
// such key.
std::string member_path(std::string_view parent, std::string_view name);

// The names that may stand below `parent`, `*` included; empty: it has no members.
std::vector<std::string_view> member_names(std::string_view parent);

// In these any name is taken from a variable, and judged afterwards: the original's maps, and
// whatever is refused.
bool takes_any_name(std::string_view path);

// The storage drivers of the original, served or not.
std::span<const std::string_view> storage_drivers();

}  // namespace berth::app
