#include "app/process.h"

#include <sys/resource.h>

#include <csignal>

namespace berth::app {

namespace {

sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
        sigaddset(&set, signal);
    return set;
}

}  // namespace

void claim_process() {
    const auto set = our_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

Wish wait_for_wish(std::chrono::milliseconds patience_max) {
    const auto set = our_signals();
    const timespec patience{patience_max.count() / 1'000, patience_max.count() % 1'000 * 1'000'000};
    switch (sigtimedwait(&set, nullptr, &patience)) {
        case SIGTERM:
        case SIGINT:
            return Wish::end;
        case SIGHUP:
            return Wish::reload;
        case SIGUSR1:
            return Wish::reopen;
        default:
            return Wish::nothing;
    }
}

}  // namespace berth::app
