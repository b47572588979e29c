// What a command writes to people: tables that line up, colour only where somebody looks at a
// terminal, passwords asked for without showing them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace berth::cli {

// Standard output is a terminal, and NO_COLOR is not set.
bool colourful();
std::string bold(std::string_view text);  // plain text where there is no colour

void print(std::string_view line);

// Columns of the widths they need, two spaces apart, under bold headings.
class Table {
  public:
    explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    void print() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

// Names come from strangers: with control characters escaped, so that nothing moves the cursor.
std::string plain_text(std::string_view text);
std::string human_size(std::uint64_t bytes);  // 1.5 MiB
std::string human_time(Time time);            // 2026-11-24 13:44:07 UTC

// From the terminal, asked for twice without echo; else the first line of standard input.
Result<std::string> read_new_password(const std::string& user);

}  // namespace berth::cli
