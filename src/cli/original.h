// The command line of the original, registry:2: what its image, its package and the scripts around
// them call. Berth understands it where it is called by that name, `registry`, as in its own image.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace berth::cli {

bool called_as_original(std::string_view program);

// The original's arguments as Berth's. A configuration alone is served, as the image's entry point
// does it, and `serve` without one takes that of find_config(). A first word that names the program
// again is left out: it is the command of a container whose entry point is this program.
std::vector<std::string> from_original(std::vector<std::string> arguments);

// garbage-collect, which jobs of the original's users call: says that it is not there.
void add_garbage_collect(CLI::App& app, Run& run);

}  // namespace berth::cli
