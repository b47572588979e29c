// The rules a manifest must keep before it is stored, beyond being well-formed (oci/manifest.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "oci/manifest.h"
#include "store/index/index.h"

namespace berth::registry {

// validation.* of the configuration.
struct ManifestRules {
    bool enabled = true;  // false: what a manifest names need not be there
    // Foreign layers' URLs: regular expressions (ECMAScript); without `url_allow` none is allowed.
    std::vector<std::string> url_allow, url_deny;
    // Which children of an index must be in the repository.
    enum class Platforms { all, none, list } platforms = Platforms::all;
    std::vector<std::pair<std::string, std::string>> platform_list;  // architecture, os
};

}  // namespace berth::registry
