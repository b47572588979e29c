// From text to Config: registry:2's config.yml (version 0.1) and its REGISTRY_* variables, and
// Berth's own sections.
//
// Every key of registry 2.8 and 3 is known here: honoured, mapped, warned about by name, or refused
// with what to do instead. An unknown key is an error with the nearest known one.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "app/config.h"
#include "app/config_read.h"
#include "base/result.h"

namespace berth::app {

using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Errc::invalid: one problem a line, each `file:line: key: what is wrong and what to write
// instead`. Errc::not_found, Errc::io: the file itself cannot be read.
Result<Config> load_config(const std::string& path, const Environment& environment,
                           NamedFiles files = NamedFiles::must_exist);
// `name` stands for the file in messages.
Result<Config> parse_config(const std::string& name, std::string_view yaml,
                            const Environment& environment,
                            NamedFiles files = NamedFiles::must_exist);
// Without a file: 127.0.0.1:5000, data in ./berth-data, deletes on.
Result<Config> default_config(const Environment& environment,
                              NamedFiles files = NamedFiles::must_exist);

// The file to use when none is named: $REGISTRY_CONFIGURATION_PATH, or the first that is there of
// $DISTRIBUTION_DIR/cmd/registry/config.yml, /etc/berth/config.yml, /etc/distribution/config.yml
// and /etc/docker/registry/config.yml; empty: none of them.
std::string find_config(const Environment& environment);

}  // namespace berth::app
