// What the tests of the configuration share: parsing text under a fixed name, without the files it
// names.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "app/config_load.h"

namespace berth::app {

// A whole configuration but for what a test adds.
inline constexpr std::string_view kBase = "version: 0.1\nstorage: {inmemory: {}}\n";

inline Result<Config> parse(std::string_view text, const Environment& environment = {}) {
    return parse_config("c.yml", text, environment, NamedFiles::may_be_missing);
}

// The problems of `text` behind kBase, whose lines are 1 and 2; empty: none.
inline std::string problems_of(std::string_view text, const Environment& environment = {}) {
    const auto config = parse(std::string(kBase) + std::string(text), environment);
    return config ? std::string() : config.error().detail;
}

// The configuration of `text` behind kBase; a wrong one shows as its problems in warnings.
inline Config config_of(std::string_view text, const Environment& environment = {}) {
    auto config = parse(std::string(kBase) + std::string(text), environment);
    if (config) return *std::move(config);
    Config none;
    none.warnings.push_back("wrong: " + config.error().detail);
    return none;
}

// A text behind kBase, and what is wrong with it.
struct Case {
    const char* text;
    const char* problem;
};

inline void expect_problems(std::span<const Case> cases) {
    for (const auto& [text, problem] : cases)
        EXPECT_EQ(problems_of(text), problem) << text;
}

}  // namespace berth::app
