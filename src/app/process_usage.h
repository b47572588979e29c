// What this process uses of its machine, as the kernel and the allocator say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace berth::app {

// NaN: not known.
struct ProcessUsage {
    double cpu_seconds;
    double resident_bytes;
    double virtual_bytes;
    double open_files;
    double files_max;
    double virtual_bytes_max;
    double started_at;  // in seconds since 1970
};
ProcessUsage process_usage();

// The command line, word by word.
std::vector<std::string> command_line();

// Of the allocator.
struct HeapUsage {
    std::uint64_t used_bytes = 0;    // by the program
    std::uint64_t unused_bytes = 0;  // kept for it
    std::uint64_t mapped_bytes = 0;  // of those used: in large blocks of their own
};
HeapUsage heap_usage();

}  // namespace berth::app
