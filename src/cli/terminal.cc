#include "cli/terminal.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/encoding.h"
#include "base/log_format.h"

namespace berth::cli {

namespace {

class EchoOff {
  public:
    EchoOff() {
        if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    ~EchoOff() {
        if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    EchoOff(const EchoOff&) = delete;
    EchoOff& operator=(const EchoOff&) = delete;

  private:
    termios before_{};
    bool changed_ = false;
};

std::string ask(const std::string& prompt) {
    const EchoOff silent;
    std::cerr << prompt << std::flush;
    std::string line;
    std::getline(std::cin, line);
    std::cerr << '\n';
    return line;
}

}  // namespace

bool colourful() {
    // Read before any thread starts.
    static const bool yes =
        isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;  // NOLINT(*-mt-unsafe)
    return yes;
}

std::string bold(std::string_view text) {
    if (!colourful()) return std::string(text);
    return "\x1b[1m" + std::string(text) + "\x1b[0m";
}

void print(std::string_view line) {
    std::cout << line << '\n';
}

void Table::print() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
        }
        cli::print(&row == rows_.data() ? bold(line) : line);
    }
}

std::string plain_text(std::string_view text) {
    std::string quoted;
    append_json_string(quoted, text);
    return quoted.substr(1, quoted.size() - 2);
}

std::string human_size(std::uint64_t bytes) {
    static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit)
        value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text.data();
}

std::string human_time(Time time) {
    auto text = format_rfc3339(time);  // 2026-11-24T13:44:07.208Z
    text.resize(std::min<std::size_t>(text.size(), 19));
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text + " UTC";
}

Result<std::string> read_new_password(const std::string& user) {
    std::string password;
    if (isatty(STDIN_FILENO) != 0) {
        password = ask("Password for " + user + ": ");
        if (password != ask("Again: ")) {
            return fail(Errc::invalid, "the two passwords differ: nothing was changed");
        }
    } else {
        std::getline(std::cin, password);
        if (password.ends_with('\r')) password.pop_back();
    }
    if (password.empty()) {
        return fail(Errc::invalid, "an empty password: type one, or pipe it in as one line");
    }
    return password;
}

}  // namespace berth::cli
