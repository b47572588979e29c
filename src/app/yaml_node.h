// YamlNode: a YAML document as plain values that know where they stand, so that a message can name
// the place.
//
// Aliases and merge keys (`<<`) are resolved. Hostile input is expected: depth, count of nodes and
// length are bounded; a key given twice, or a key that is not a scalar, is an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::app {

struct YamlNode {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    std::string key;     // of a map's member; else empty
    std::string text;    // of a scalar
    std::string source;  // `file:line`, or the environment variable that set it
    std::vector<YamlNode> children;

    const YamlNode* find(std::string_view name) const;
    YamlNode* find(std::string_view name);
    // The member of that name, made if missing. The node becomes a map if it is none.
    YamlNode& member(std::string_view name);
    void erase(std::string_view name);
};

// Nothing but nulls, empty texts and empty collections.
bool is_blank(const YamlNode& node);

inline constexpr std::size_t kYamlBytesMax = 1 << 20;

// `name` stands for the file in `source`. An empty document is a null node. Errc::invalid:
// `name:line: what is wrong`.
Result<YamlNode> parse_yaml(const std::string& name, const std::string& text);

}  // namespace berth::app
