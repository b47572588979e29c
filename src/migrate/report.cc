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
    const auto [begin, end] = lines_.equal_range(order);
    const bool known = std::any_of(begin, end, [&](const auto& entry) {
        return entry.second.place == line.place && entry.second.text == line.text;
    });
    if (!known) lines_.emplace(order, std::move(line));
}

std::vector<ReportLine> Report::take() {
    std::vector<ReportLine> lines;
    for (auto& [order, line] : lines_)
        lines.push_back(std::move(line));
    lines_.clear();
    return lines;
}

}  // namespace berth::migrate
