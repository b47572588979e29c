// The process of a server: its signals and its limits.
#pragma once

#include <chrono>

namespace berth::app {

// Takes the process's signals, and as many open files as it may have. Before any thread starts: all
// of them inherit it, and only wait_for_wish() takes a signal.
void claim_process();

// What the process is asked for from outside.
enum class Wish {
    nothing,
    end,     // SIGTERM, SIGINT
    reload,  // SIGHUP
    reopen,  // SIGUSR1
};

// Waits for a signal, but no longer than this.
Wish wait_for_wish(std::chrono::milliseconds patience_max);

}  // namespace berth::app
