// The notations of values: durations, sizes, truth.
#include "app/config_value.h"

#include <gtest/gtest.h>

namespace berth::app {
namespace {

using namespace std::chrono_literals;

TEST(ConfigValue, DurationsAreWrittenAsInGo) {
    const std::pair<const char*, std::chrono::nanoseconds> good[] = {
        {"30s", 30s},     {"168h", 168h},   {"1h30m", 90min},        {"10ms", 10ms},
        {"1.5s", 1500ms}, {"100us", 100us}, {"100\xc2\xb5s", 100us}, {"7ns", 7ns},
        {"0", 0ns},       {"0s", 0ns},      {"1000000000", 1s},
    };
    for (const auto& [text, value] : good)
        EXPECT_EQ(parse_duration(text), value) << text;
    for (const auto* text :
         {"", "s", "-1s", "1d", "1 s", "1s ", "1s2", "1..5s", "900000000000h", "1e5s"})
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(ConfigValue, SizesMayHaveUnits) {
    const std::pair<const char*, std::uint64_t> good[] = {
        {"0", 0},
        {"65536", 65536},
        {"64KiB", 65536},
        {"64 MiB", 64u << 20},
        {"1GB", 1000000000},
        {"1.5K", 1536},
        {"2TiB", 2ull << 40},
    };
    for (const auto& [text, value] : good)
        EXPECT_EQ(parse_size(text), value) << text;
    for (const auto* text : {"", "MiB", "-1", "1 XB", "1mib", "9999999TiB", "1.2.3"})
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(ConfigValue, TruthHasTheWordsOfYaml) {
    for (const auto* text : {"true", "True", "TRUE", "yes", "on", "y"})
        EXPECT_EQ(parse_bool(text), true) << text;
    for (const auto* text : {"false", "No", "OFF", "n"})
        EXPECT_EQ(parse_bool(text), false) << text;
    for (const auto* text : {"", "1", "0", "t", "enabled"})
        EXPECT_EQ(parse_bool(text), std::nullopt) << text;
}

}  // namespace
}  // namespace berth::app
