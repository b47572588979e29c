// The command line: `berth serve`, `berth user`, … One file a command; this puts them together.
#pragma once

namespace berth::cli {

// Runs the command that argv names and returns the process's exit code: 0 done, 1 failed, 2 wrong
// usage.
int run(int argc, char** argv);

}  // namespace berth::cli
