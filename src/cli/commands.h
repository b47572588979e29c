// What a command is to the command line: it adds itself to the parser, and what it does is run
// after parsing. Failures are printed in one place, as `berth: <detail>`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "app/config_load.h"
#include "base/result.h"

namespace berth::cli {

// What was chosen by the arguments; set by the command's callback, run once parsing is done.
using Run = std::function<Result<void>()>;

void add_serve(CLI::App& app, Run& run);
void add_config(CLI::App& app, Run& run);
void add_user(CLI::App& app, Run& run);
void add_listings(CLI::App& app, Run& run);  // ls, tags
void add_inspect(CLI::App& app, Run& run);
void add_policy(CLI::App& app, Run& run);
void add_migrate(CLI::App& app, Run& run);
void add_token(CLI::App& app, Run& run);
void add_keys(CLI::App& app, Run& run);
void add_audit(CLI::App& app, Run& run);
void add_events(CLI::App& app, Run& run);
void add_import(CLI::App& app, Run& run);
void add_export(CLI::App& app, Run& run);
void add_fsck(CLI::App& app, Run& run);
// Hidden: what packages are made with.
void add_manual(CLI::App& app, Run& run);
void add_completion(CLI::App& app, Run& run);

// `--config FILE` of a command that needs the configuration. `path` outlives the parsing.
void add_config_option(CLI::App& command, std::string& path);

// The configuration a command works with: `path`, or else find_config()'s, or else what `berth
// serve` uses without a file.
Result<app::Config> command_config(const std::string& path,
                                   app::NamedFiles files = app::NamedFiles::must_exist);

}  // namespace berth::cli
