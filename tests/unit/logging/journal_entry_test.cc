// Goal: an entry is what journald's native protocol wants, whatever bytes a line holds.
#include "logging/journal_entry.h"

#include <gtest/gtest.h>

#include <string>

#include "base/log_format.h"

namespace berth::logging {
namespace {

using namespace std::string_literals;

std::string format(LogLevel level, std::string_view message, const LogFields& fields = {}) {
    return format_journal_entry({Time(), level, message, fields});
}

TEST(JournalEntry, HasAFieldALine) {
    EXPECT_EQ(format(LogLevel::error, "no", {{"http.request.method", "GET"}}),
              "MESSAGE=no http.request.method=GET\nPRIORITY=3\nSYSLOG_IDENTIFIER=berth\n"
              "BERTH_LOG=server\nBERTH_HTTP_REQUEST_METHOD=GET\n");
}

TEST(JournalEntry, HasThePriorityOfTheLevel) {
    EXPECT_TRUE(format(LogLevel::debug, "a").contains("\nPRIORITY=7\n"));
    EXPECT_TRUE(format(LogLevel::info, "a").contains("\nPRIORITY=6\n"));
    EXPECT_TRUE(format(LogLevel::warn, "a").contains("\nPRIORITY=4\n"));
}

TEST(JournalEntry, HasTheLengthBeforeAValueOfSeveralLines) {
    const auto entry = format(LogLevel::info, "m", {{"k", "a\nMESSAGE=forged"}});
    EXPECT_TRUE(entry.ends_with("\nBERTH_K\n\x10\0\0\0\0\0\0\0a\nMESSAGE=forged\n"s)) << entry;
    EXPECT_TRUE(entry.starts_with("MESSAGE=m k=\"a\\nMESSAGE=forged\"\n")) << entry;
}

TEST(JournalEntry, HasALengthOfSixtyFourBits) {
    const auto entry = format(LogLevel::info, "m", {{"k", std::string(0x10203, '\n')}});
    EXPECT_TRUE(entry.contains("\nBERTH_K\n\x03\x02\x01\0\0\0\0\0\n\n"s));
}

TEST(JournalEntry, KeepsTheMessageOnOneLine) {
    EXPECT_TRUE(format(LogLevel::info, "a\nPRIORITY=0\x1b")
                    .starts_with("MESSAGE=a\\nPRIORITY=0\\x1b\nPRIORITY=6\n"));
}

TEST(JournalEntry, HasValidNames) {
    const auto entry =
        format(LogLevel::info, "m",
               {{"", "1"}, {"a=b\nc", "2"}, {"\xc3\xa9", "3"}, {std::string(99, 'x'), "4"}});
    EXPECT_TRUE(entry.contains("\nBERTH_=1\n"));
    EXPECT_TRUE(entry.contains("\nBERTH_A_B_C=2\n"));
    EXPECT_TRUE(entry.contains("\nBERTH___=3\n"));
    EXPECT_TRUE(entry.contains("\nBERTH_" + std::string(58, 'X') + "=4\n"));
}

TEST(JournalEntry, HasAccessLines) {
    EXPECT_EQ(format_journal_access("::1 - -"),
              "MESSAGE=::1 - -\nPRIORITY=6\nSYSLOG_IDENTIFIER=berth\nBERTH_LOG=access\n");
}

}  // namespace
}  // namespace berth::logging
