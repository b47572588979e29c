// Goal: the text is what Prometheus reads, with numbers as distribution writes them.
// Method: tables of numbers and of awkward text; what is written is read by a strict reader.
#include "metrics/family.h"

#include <limits>

#include "support/exposition.h"

namespace berth::metrics {
namespace {

TEST(MetricsNumber, IsWrittenAsGoDoes) {
    const std::pair<double, const char*> kRows[] = {
        {0, "0"},
        {1, "1"},
        {-1, "-1"},
        {0.005, "0.005"},
        {0.1, "0.1"},
        {2.5, "2.5"},
        {1024, "1024"},
        {524288, "524288"},
        {999999, "999999"},
        {1000000, "1e+06"},
        {1048576, "1.048576e+06"},
        {2147483648.0, "2.147483648e+09"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {7.591e-06, "7.591e-06"},
        {1.8446744073709552e+19, "1.8446744073709552e+19"},
        {std::numeric_limits<double>::infinity(), "+Inf"},
        {-std::numeric_limits<double>::infinity(), "-Inf"},
        {std::numeric_limits<double>::quiet_NaN(), "NaN"},
    };
    for (const auto& [number, text] : kRows)
        EXPECT_EQ(format_number(number), text);
}

TEST(MetricsExposition, WritesHelpTypeAndSeries) {
    EXPECT_EQ(exposition({{"berth_a",
                           "What it is.",
                           Kind::gauge,
                           {{"", {{"pool", "disk"}, {"state", "busy"}}, 2}, {"", {}, 0.5}}},
                          {"berth_b_total", "Another.", Kind::counter, {{"", {}, 7}}}}),
              "# HELP berth_a What it is.\n"
              "# TYPE berth_a gauge\n"
              "berth_a{pool=\"disk\",state=\"busy\"} 2\n"
              "berth_a 0.5\n"
              "# HELP berth_b_total Another.\n"
              "# TYPE berth_b_total counter\n"
              "berth_b_total 7\n");
}

TEST(MetricsExposition, LeavesOutAFamilyWithoutSeries) {
    EXPECT_EQ(exposition({{"berth_a", "What it is.", Kind::gauge, {}}}), "");
}

TEST(MetricsExposition, EscapesWhatWouldBreakALine) {
    const std::string text = exposition(
        {{"berth_a", "one\ntwo \\ \"three\"", Kind::gauge, {{"", {{"name", "a\"b\\c\nd"}}, 1}}}});
    EXPECT_EQ(text,
              "# HELP berth_a one\\ntwo \\\\ \"three\"\n"
              "# TYPE berth_a gauge\n"
              "berth_a{name=\"a\\\"b\\\\c\\nd\"} 1\n");
    EXPECT_EQ(read_exposition(text).values.size(), 1u);
}

}  // namespace
}  // namespace berth::metrics
