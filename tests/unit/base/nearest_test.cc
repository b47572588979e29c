// Goal: a typing mistake is recognised, and a word that nobody meant is not suggested.
#include "base/nearest.h"

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

constexpr std::string_view kWords[] = {"addr", "secret", "headers", "relativeurls", "tls", "http2"};

TEST(Nearest, FindsTheWordMeant) {
    struct Row {
        std::string_view typed;
        std::string_view meant;
    };
    const Row table[] = {
        {"addr", "addr"},
        {"adr", "addr"},
        {"addrr", "addr"},
        {"adrd", "addr"},
        {"ADDR", "addr"},
        {"secrets", "secret"},
        {"sercet", "secret"},
        {"haeders", "headers"},
        {"relativeUrl", "relativeurls"},
        {"relative_urls", "relativeurls"},
        {"tsl", "tls"},
        {"http", "http2"},
    };
    for (const auto& row : table)
        EXPECT_EQ(nearest(row.typed, kWords), row.meant) << row.typed;
}

TEST(Nearest, SuggestsNothingFarAway) {
    for (const std::string_view typed : {"", "a", "xyz", "host", "loglevel", "relatives"})
        EXPECT_EQ(nearest(typed, kWords), "") << typed;
    EXPECT_EQ(nearest("addr", {}), "");
}

TEST(Nearest, TakesTheFirstOfEquals) {
    constexpr std::string_view kPair[] = {"pull", "push"};
    EXPECT_EQ(nearest("pul", kPair), "pull");
    constexpr std::string_view kEquals[] = {"cat", "bat"};
    EXPECT_EQ(nearest("hat", kEquals), "cat");
}

TEST(Nearest, IsCheapForHostileWords) {
    const std::string lengthy(1 << 20, 'a');
    EXPECT_EQ(nearest(lengthy, kWords), "");
    const std::string_view candidates[] = {lengthy, "aaa"};
    EXPECT_EQ(nearest("aab", candidates), "aaa");
}

}  // namespace
}  // namespace berth
