// Family: one metric with all its series, as it is at a moment; and the text that Prometheus
// scrapes (its text exposition format 0.0.4). Numbers are written as Go's client does, so that the
// bounds of buckets are the very strings that distribution exports.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::metrics {

// Name and value, in the order in which they are written.
using Labels = std::vector<std::pair<std::string, std::string>>;

enum class Kind { counter, gauge, histogram };

struct Sample {
    std::string_view suffix;  // of a histogram's series: _bucket, _sum, _count
    Labels labels;
    double value = 0;
};

struct Family {
    std::string name;
    std::string help;
    Kind kind{};
    std::vector<Sample> samples;
};

// A family without samples is left out.
std::string exposition(const std::vector<Family>& families);

// As Go's strconv.FormatFloat(number, 'g', -1, 64) does: the shortest text that reads back as it.
std::string format_number(double number);

}  // namespace berth::metrics
