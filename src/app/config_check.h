// The check of a configuration against the table of keys: unknown keys, keys that have no
// effect and would be missed, refused ones.
#pragma once

#include "app/config_value.h"
#include "app/yaml_node.h"

namespace berth::app {

void check_keys(const YamlNode& root, Findings& findings);

}  // namespace berth::app
