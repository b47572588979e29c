#include "cli/progress.h"

#include <unistd.h>

#include <iostream>

#include "cli/terminal.h"

namespace berth::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kOnTerminal = 200ms;
constexpr auto kInLogs = 10s;

}  // namespace

Progress::Progress(const Clock& clock, bool wanted)
    : clock_(clock),
      wanted_(wanted),
      on_terminal_(isatty(STDERR_FILENO) != 0),
      next_(clock.steady_now() + (on_terminal_ ? SteadyTime::duration(kOnTerminal) : kInLogs)) {}

Progress::~Progress() {
    clear();
}

bool Progress::due() const {
    return wanted_ && clock_.steady_now() >= next_;
}

void Progress::say(std::string_view text) {
    if (!wanted_) return;
    clear();
    std::cerr << text << (on_terminal_ ? "" : "\n") << std::flush;
    if (on_terminal_) width_ = text.size();
    next_ = clock_.steady_now() + (on_terminal_ ? SteadyTime::duration(kOnTerminal) : kInLogs);
}

void Progress::note(std::string_view text) {
    clear();
    std::cerr << plain_text(text) << '\n' << std::flush;
}

void Progress::clear() {
    if (width_ == 0) return;
    std::cerr << '\r' << std::string(width_, ' ') << '\r' << std::flush;
    width_ = 0;
}

}  // namespace berth::cli
