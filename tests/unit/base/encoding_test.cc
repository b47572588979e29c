// Goal: each text form is its RFC's, and what is not of the form is refused rather than guessed at.
#include "base/encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    return bytes;
}

Time at(int year, unsigned month, unsigned day, std::chrono::milliseconds of_day) {
    return Time(std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                      static_cast<int>(day))) +
           of_day;
}

TEST(Hex, IsLowerCaseAndReadsBoth) {
    EXPECT_EQ(hex_encode(as_bytes("\x00\x0f\xf0\xab"s)), "000ff0ab");
    EXPECT_EQ(hex_decode("000ff0ab"), "\x00\x0f\xf0\xab"s);
    EXPECT_EQ(hex_decode("AbCd"), "\xab\xcd");
    EXPECT_EQ(hex_decode(""), "");
    EXPECT_EQ(hex_decode(hex_encode(as_bytes(all_bytes()))), all_bytes());
}

TEST(Hex, RefusesOtherText) {
    for (const auto* text : {"0", "000", "0g", "g0", " 0", "0x10", "00 "})
        EXPECT_EQ(hex_decode(text), std::nullopt) << text;
}

// RFC 4648, section 10
TEST(Base64, FollowsTheRfcsVectors) {
    struct Row {
        std::string_view bytes;
        std::string_view text;
    };
    const Row table[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };
    for (const auto& row : table) {
        EXPECT_EQ(base64_encode(as_bytes(row.bytes)), row.text);
        EXPECT_EQ(base64_decode(row.text), row.bytes);
        const auto bare = row.text.substr(0, row.text.find('='));
        EXPECT_EQ(base64_decode(bare), row.bytes) << bare;
    }
    EXPECT_EQ(base64_decode(base64_encode(as_bytes(all_bytes()))), all_bytes());
}

TEST(Base64, RefusesEveryOtherDeviation) {
    for (const std::string_view text :
         {"Z", "Zg=", "Zg===", "=", "==", "====", "Z===", "Zm9v=", "Zm9v====", "Zg==Zg==", "Zm 9v",
          "Zm9v\n", "Zm9-", "Zm9_", "Zh==", "Zm9=", "Zh", "\xff\xff\xff\xff"}) {
        EXPECT_EQ(base64_decode(text), std::nullopt) << text;
    }
    EXPECT_EQ(base64_decode("Zm9v\0Zg="s), std::nullopt);
}

TEST(Base64Url, HasItsOwnAlphabetAndNoPadding) {
    struct Row {
        std::string_view bytes;
        std::string_view text;
    };
    const Row table[] = {
        {"", ""},
        {"f", "Zg"},
        {"fo", "Zm8"},
        {"foo", "Zm9v"},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "-__-"},
    };
    for (const auto& row : table) {
        EXPECT_EQ(base64url_encode(as_bytes(row.bytes)), row.text);
        EXPECT_EQ(base64url_decode(row.text), row.bytes) << row.text;
    }
    EXPECT_EQ(base64url_decode(base64url_encode(as_bytes(all_bytes()))), all_bytes());
}

TEST(Base64Url, RefusesEveryDeviation) {
    for (const std::string_view text : {"Z", "Zg=", "Zg==", "=", "Zm9+", "Zm9/", "Zm 9", "Zm9v\n",
                                        "Zh", "Zm9", "Zm9vY", "\xff\xff"}) {
        EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
    }
    EXPECT_EQ(base64url_decode("Zm9v\0Zg"s), std::nullopt);
}

TEST(Percent, EscapesAllButUnreservedCharacters) {
    EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
    EXPECT_EQ(percent_encode("a/b c+d&e=f%\xc3\xa4\x7f"s + '\0'),
              "a%2Fb%20c%2Bd%26e%3Df%25%C3%A4%7F%00");
    EXPECT_EQ(percent_decode(percent_encode(all_bytes())), all_bytes());
}

TEST(Percent, DecodesEscapesAndLeavesThePlus) {
    EXPECT_EQ(percent_decode("a%2fb%2Fc+d"), "a/b/c+d");
    EXPECT_EQ(percent_decode("%2525"), "%25");
    EXPECT_EQ(percent_decode(""), "");
    for (const auto* text : {"%", "%4", "a%", "%zz", "%4g", "%g4", "%%20", "% 4"})
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(Rfc3339, FormatsToTheMillisecondInUtc) {
    EXPECT_EQ(format_rfc3339(at(2026, 11, 24, 13h + 44min + 7s + 208ms)),
              "2026-11-24T13:44:07.208Z");
    EXPECT_EQ(format_rfc3339(Time{}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(Time(-1ms)), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(format_rfc3339(at(2024, 2, 29, 0ms)), "2024-02-29T00:00:00.000Z");
}

TEST(Rfc3339, ReadsEveryFormOfTheRfc) {
    struct Row {
        std::string_view text;
        Time time;
    };
    const Row table[] = {
        {"2026-11-24T13:44:07.208Z", at(2026, 11, 24, 13h + 44min + 7s + 208ms)},
        {"2026-11-24T13:44:07Z", at(2026, 11, 24, 13h + 44min + 7s)},
        {"2026-11-24t13:44:07z", at(2026, 11, 24, 13h + 44min + 7s)},
        {"2026-11-24T13:44:07.5Z", at(2026, 11, 24, 13h + 44min + 7s + 500ms)},
        {"2026-11-24T13:44:07.123456789Z", at(2026, 11, 24, 13h + 44min + 7s + 123ms)},
        {"2026-11-24T13:44:07+02:30", at(2026, 11, 24, 11h + 14min + 7s)},
        {"2026-11-24T23:44:07-00:30", at(2026, 11, 25, 14min + 7s)},
        {"2016-12-31T23:59:60Z", at(2017, 1, 1, 0ms)},
        {"2024-02-29T00:00:00Z", at(2024, 2, 29, 0ms)},
    };
    for (const auto& row : table)
        EXPECT_EQ(parse_rfc3339(row.text), row.time) << row.text;
}

TEST(Rfc3339, RefusesOtherText) {
    for (const std::string_view text : {"",
                                        "2026-11-24",
                                        "2026-11-24T13:44:07",
                                        "2026-11-24 13:44:07Z",
                                        "2026-11-24T13:44Z",
                                        "2026-1-24T13:44:07Z",
                                        "26-11-24T13:44:07Z",
                                        "2026-13-24T13:44:07Z",
                                        "2026-00-24T13:44:07Z",
                                        "2026-11-31T13:44:07Z",
                                        "2025-02-29T00:00:00Z",
                                        "2026-11-24T24:00:00Z",
                                        "2026-11-24T13:60:07Z",
                                        "2026-11-24T13:44:61Z",
                                        "2026-11-24T13:44:07.Z",
                                        "2026-11-24T13:44:07Zx",
                                        "2026-11-24T13:44:07+0200",
                                        "2026-11-24T13:44:07+24:00",
                                        "2026-11-24T13:44:07+02:60",
                                        "2026-11-24T13:44:07+2:00",
                                        "-026-11-24T13:44:07Z",
                                        "2026-11-24T+3:44:07Z",
                                        " 2026-11-24T13:44:07Z"}) {
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace berth
