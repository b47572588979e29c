// The environment over the file, by the original's rule: REGISTRY_A_B_C=value sets a.b.c.
//
// The value is YAML. Variables apply in the order of their names, so the less specific come first.
// Names are compared without case and without underscores inside a key; the original's own names of
// some keys are known. A list's item is named by
// its number, at most one past the end. A name that the table of keys does not have is warned about
// and ignored, except where the original has a map: there it becomes a key in lower case and is
// judged like one of the file. A storage driver that is named by a variable replaces the file's.
#pragma once

#include <map>
#include <string>

#include "app/config_value.h"
#include "app/yaml_node.h"

namespace berth::app {

void apply_environment(const std::map<std::string, std::string>& environment, YamlNode& root,
                       Findings& findings);

// `storage: inmemory` and `auth: htpasswd` are short for a map with that one key.
void expand_short_sections(YamlNode& root);

}  // namespace berth::app
