#include "migrate/report.h"

#include <algorithm>
#include <array>

namespace berth::migrate {

std::string_view name_of(Fate fate) {
    constexpr std::array<std::string_view, 3> kNames{"carried", "needless", "lost"};
    return kNames[static_cast<std::size_t>(fate)];
}

std::string format_report(const std::vector<ReportLine>& report) {
    std::string text;
    std::array<std::size_t, 3> counts{};
    for (const auto& line : report) {
        ++counts[static_cast<std::size_t>(line.fate)];
        text += line.place + ": " + line.directive + "\n    " + std::string(name_of(line.fate)) +
                ": " + line.text + "\n";
    }
    return text + std::to_string(counts[0]) + " carried, " + std::to_string(counts[1]) +
           " needless, " + std::to_string(counts[2]) + " lost\n";
}

void Report::add(std::size_t order, ReportLine line) {
    const bool known = std::ranges::any_of(lines_, [&](const auto& entry) {
        return entry.first == order && entry.second.place == line.place &&
               entry.second.text == line.text;
    });
    if (!known) lines_.emplace_back(order, std::move(line));
}

std::vector<ReportLine> Report::take() {
    std::ranges::stable_sort(lines_, {}, [](const auto& entry) { return entry.first; });
    std::vector<ReportLine> lines;
    for (auto& entry : lines_)
        lines.push_back(std::move(entry.second));
    lines_.clear();
    return lines;
}

}  // namespace berth::migrate
