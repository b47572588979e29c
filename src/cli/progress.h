// Progress: says on standard error how far a long command is. On a terminal in one line that is
// written over; elsewhere in a line now and then, for logs.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace berth::cli {

// Used by one thread at a time.
class Progress {
  public:
    // Not `wanted`: says nothing. The clock outlives this.
    Progress(const Clock& clock, bool wanted);
    ~Progress();  // ends the line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // Is it time to say something again?
    bool due() const;
    void say(std::string_view text);
    // A line of its own, whatever is on the terminal.
    void note(std::string_view text);

  private:
    void clear();

    const Clock& clock_;
    const bool wanted_;
    const bool on_terminal_;
    SteadyTime next_;
    std::size_t width_ = 0;  // of the line on the terminal
};

}  // namespace berth::cli
