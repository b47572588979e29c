// What is in force: each value of the configuration under its key, with where it comes from. It is
// made by reading: whatever ConfigValue reads, it writes down here, so there is no second list of
// keys to print from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace berth::app {

struct PathStep {
    std::string name;   // of a map's member; of a list's item `[0]`
    bool item = false;  // of a list

    bool operator==(const PathStep&) const = default;
};
using ConfigPath = std::vector<PathStep>;

PathStep item_step(std::size_t place);
ConfigPath joined(ConfigPath path, PathStep step);

// As people write it: `http.listeners[0].addr`.
std::string to_string(const ConfigPath& path);

enum class Empty { list, map };

struct EffectiveValue {
    ConfigPath path;
    std::variant<bool, std::uint64_t, std::string, Empty> value;  // a secret is `(hidden)`
    std::string source;  // `file:line`, a variable's name, or `default`
};

// Is the same in force, wherever it comes from? The section `but_for` does not count.
bool same_values(const std::vector<EffectiveValue>& a, const std::vector<EffectiveValue>& b,
                 std::string_view but_for = {});

// As YAML, each value with its source in a comment behind it. It can be read back.
std::string print_yaml(const std::vector<EffectiveValue>& values);
// As a JSON list of {path, value, source}.
std::string print_json(const std::vector<EffectiveValue>& values);

}  // namespace berth::app
