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

struct ConfigText {
    std::string name;  // of the file, in messages
    std::string yaml;
};

// An empty path stands for what serves without a file: 127.0.0.1:5000, data in ./berth-data,
// deletes on. Errc::not_found, Errc::io: the file cannot be read.
Result<ConfigText> read_config_text(const std::string& path);

// A configuration, right or wrong.
struct ExaminedConfig {
    Config config;
    std::vector<std::string> problems;  // `file:line: key: what is wrong and what to write instead`
};
ExaminedConfig examine_config(const ConfigText& text, const Environment& environment,
                              NamedFiles files = NamedFiles::must_exist);

// Errc::invalid: the problems, one a line.
Result<Config> parse_config(const std::string& name, std::string_view yaml,
                            const Environment& environment,
                            NamedFiles files = NamedFiles::must_exist);
// The text of a path as above, parsed.
Result<Config> load_config(const std::string& path, const Environment& environment,
                           NamedFiles files = NamedFiles::must_exist);

// The file to use when none is named: $REGISTRY_CONFIGURATION_PATH, or the first that is there of
// $DISTRIBUTION_DIR/cmd/registry/config.yml, /etc/berth/config.yml, /etc/distribution/config.yml
// and /etc/docker/registry/config.yml; empty: none of them.
std::string find_config(const Environment& environment);

}  // namespace berth::app
