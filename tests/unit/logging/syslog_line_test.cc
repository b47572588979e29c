// Goal: every message is well-formed by RFC 5424, and as long as allowed at most, whatever bytes a
// line holds.
#include "logging/syslog_line.h"

#include <gtest/gtest.h>

#include <string>

#include "base/log_format.h"
#include "base/utf8.h"

namespace berth::logging {
namespace {

constexpr std::size_t kMax = 2'048;
const Time kAt(std::chrono::milliseconds(1'700'000'000'007));

SyslogSource source() {
    return {.facility = 16, .host = "host", .app_name = "berth", .process_id = "42"};
}

std::string format(LogLevel level, std::string_view message, const LogFields& fields = {},
                   std::size_t bytes_max = kMax) {
    return format_syslog(source(), {kAt, level, message, fields}, bytes_max);
}

TEST(SyslogLine, HasThePartsOfTheHeaderInOrder) {
    EXPECT_EQ(format(LogLevel::info, "listening on [::1]:5000"),
              "<134>1 2023-11-14T22:13:20.007Z host berth 42 server - listening on [::1]:5000");
}

TEST(SyslogLine, HasAPriorityOfFacilityAndLevel) {
    EXPECT_TRUE(format(LogLevel::debug, "a").starts_with("<135>1 "));
    EXPECT_TRUE(format(LogLevel::info, "a").starts_with("<134>1 "));
    EXPECT_TRUE(format(LogLevel::warn, "a").starts_with("<132>1 "));
    EXPECT_TRUE(format(LogLevel::error, "a").starts_with("<131>1 "));
}

TEST(SyslogLine, HasFieldsInStructuredDataAndBehindTheText) {
    EXPECT_EQ(format(LogLevel::error, "no", {{"http.request.method", "GET"}, {"why", "a b"}}),
              "<131>1 2023-11-14T22:13:20.007Z host berth 42 server "
              "[berth@32473 http.request.method=\"GET\" why=\"a b\"] "
              "no http.request.method=GET why=\"a b\"");
}

struct Value {
    std::string_view value, written;
};

class SyslogValue : public testing::TestWithParam<Value> {};

TEST_P(SyslogValue, IsEscaped) {
    const auto line = format(LogLevel::info, "m", {{"k", GetParam().value}});
    EXPECT_TRUE(line.contains("[berth@32473 k=\"" + std::string(GetParam().written) + "\"] m k="))
        << line;
    EXPECT_TRUE(is_utf8(line));
    EXPECT_FALSE(line.contains('\n'));
}

INSTANTIATE_TEST_SUITE_P(Bytes, SyslogValue,
                         testing::Values(Value{"", ""}, Value{"a\"b", "a\\\"b"},
                                         Value{"a]b", "a\\]b"}, Value{"a\\b", "a\\\\b"},
                                         Value{"a\nb", "a\\\\nb"},
                                         Value{"a\x1b[1mb", "a\\\\x1b[1mb"},
                                         Value{std::string_view("a\0b", 3), "a\\\\x00b"},
                                         Value{"\xff", "\\\\xff"}, Value{"\xc3\xa9", "\xc3\xa9"},
                                         Value{"\"] <13>1", "\\\"\\] <13>1"}));

struct Name {
    std::string_view name, written;
};

class SyslogName : public testing::TestWithParam<Name> {};

TEST_P(SyslogName, IsMadeValid) {
    const auto line = format(LogLevel::info, "m", {{GetParam().name, "v"}});
    EXPECT_TRUE(line.contains("[berth@32473 " + std::string(GetParam().written) + "=\"v\"] "))
        << line;
}

INSTANTIATE_TEST_SUITE_P(Bytes, SyslogName,
                         testing::Values(Name{"a b", "a_b"}, Name{"a=b", "a_b"}, Name{"a]", "a_"},
                                         Name{"a\"", "a_"}, Name{"a\n", "a_"},
                                         Name{"\xc3\xa9", "__"},
                                         Name{"0123456789012345678901234567890123456789",
                                              "01234567890123456789012345678901"}));

TEST(SyslogLine, HasNoStructuredDataForAFieldWithoutAName) {
    EXPECT_TRUE(format(LogLevel::info, "m", {{"", "v"}}).contains(" server - m"));
}

TEST(SyslogLine, KeepsTheTextOnOneLine) {
    EXPECT_TRUE(
        format(LogLevel::info, "a\nb\r<0>1\x7f\xfe").ends_with(" - a\\nb\\r<0>1\\x7f\\xfe"));
}

TEST(SyslogLine, IsCutAfterAWholeCharacter) {
    std::string text;
    while (text.size() < 3 * kMax)
        text += "\xe2\x82\xac";
    for (const std::size_t max : {1'024u, 1'025u, 1'026u, 1'027u}) {
        const auto line = format(LogLevel::info, text, {}, max);
        EXPECT_LE(line.size(), max);
        EXPECT_GT(line.size(), max - 3);
        EXPECT_TRUE(is_utf8(line));
    }
}

TEST(SyslogLine, LeavesOutFieldsThatDoNotFit) {
    const std::string large(kMax, ']');
    const auto line = format(LogLevel::info, "m", {{"a", "1"}, {"b", large}, {"c", "3"}});
    EXPECT_TRUE(line.contains("[berth@32473 a=\"1\" c=\"3\"] m a=1 b=\"]]")) << line;
    EXPECT_EQ(line.size(), kMax);
}

TEST(SyslogLine, HasAccessLinesAsTheyAre) {
    EXPECT_EQ(format_syslog_access(source(), kAt, "::1 - - \"GET / HTTP/1.1\"", kMax),
              "<134>1 2023-11-14T22:13:20.007Z host berth 42 access - ::1 - - \"GET / HTTP/1.1\"");
    EXPECT_EQ(format_syslog_access(source(), kAt, std::string(2 * kMax, 'a'), kMax).size(), kMax);
}

TEST(SyslogLine, KnowsFacilitiesByName) {
    EXPECT_EQ(parse_facility("kern"), 0);
    EXPECT_EQ(parse_facility("daemon"), 3);
    EXPECT_EQ(parse_facility("authpriv"), 10);
    EXPECT_EQ(parse_facility("local7"), 23);
    for (const auto* name : {"", "Daemon", "local8", "3"})
        EXPECT_EQ(parse_facility(name).error().code, Errc::invalid) << name;
}

TEST(SyslogLine, HasHeaderTextWithoutSpaces) {
    EXPECT_EQ(syslog_header_text("a b\n\xc3\xa9", 255), "ab");
    EXPECT_EQ(syslog_header_text("", 255), "-");
    EXPECT_EQ(syslog_header_text("\n", 255), "-");
    EXPECT_EQ(syslog_header_text("abcdef", 3), "abc");
}

}  // namespace
}  // namespace berth::logging
