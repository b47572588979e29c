// Goal: log lines have registry:2's and Apache's forms, and nothing that a client sent can end a
// line, leave its quotes or reach a terminal as a control character.
#include "base/log_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace berth {
namespace {

using namespace std::chrono_literals;

// 2026-11-24T13:44:07.208Z
const Time kAt =
    Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)) + 13h + 44min + 7s + 208ms;

std::string text_line(std::string_view message, const LogFields& fields = {}) {
    return format_log_line(LogFormat::text, kAt, LogLevel::info, message, fields);
}

std::string json_line(std::string_view message, const LogFields& fields = {}) {
    return format_log_line(LogFormat::json, kAt, LogLevel::info, message, fields);
}

std::string access_line(const AccessRecord& record) {
    std::string out;
    append_access_line(out, record);
    return out;
}

TEST(LogLine, IsLogrussText) {
    EXPECT_EQ(
        text_line("listening on [::]:5000", {{"service", "registry"}, {"environment", "a b"}}),
        "time=\"2026-11-24T13:44:07.208Z\" level=info msg=\"listening on [::]:5000\" "
        "environment=\"a b\" service=registry\n");
    EXPECT_EQ(format_log_line(LogFormat::text, kAt, LogLevel::warn, "x", {}),
              "time=\"2026-11-24T13:44:07.208Z\" level=warning msg=x\n");
}

TEST(LogLine, IsOneJsonObject) {
    EXPECT_EQ(json_line("a \"b\"", {{"k", "v"}}),
              R"({"time":"2026-11-24T13:44:07.208Z","level":"info","msg":"a \"b\"","k":"v"})"
              "\n");
}

TEST(LogLine, IsLogstashsObject) {
    EXPECT_EQ(format_log_line(LogFormat::logstash, kAt, LogLevel::error, "m", {{"k", "v"}}),
              R"({"@timestamp":"2026-11-24T13:44:07.208Z","level":"error","message":"m",)"
              R"("@version":"1","k":"v"})"
              "\n");
}

TEST(LogLine, RenamesFieldsThatClash) {
    EXPECT_EQ(text_line("m", {{"level", "x"}, {"msg", "y"}, {"message", "z"}}),
              "time=\"2026-11-24T13:44:07.208Z\" level=info msg=m fields.level=x message=z "
              "fields.msg=y\n");
}

TEST(LogLine, QuotesAndEscapesInText) {
    struct Row {
        std::string_view value;
        std::string_view written;
    };
    using namespace std::string_view_literals;
    const Row table[] = {
        {"a-b._/@^+9", "a-b._/@^+9"},
        {"", R"("")"},
        {"a b", R"("a b")"},
        {"a=b", R"("a=b")"},
        {"\"\\", R"("\"\\")"},
        {"\n\r\t", R"("\n\r\t")"},
        {"\0\x1b[31m\x7f"sv, R"("\x00\x1b[31m\x7f")"},
        {"\xc3\xa4\xf0\x9f\x98\x80", "\"\xc3\xa4\xf0\x9f\x98\x80\""},
        {"\xc2\x9b", R"("\xc2\x9b")"},                          // C1: a terminal's CSI
        {"\xe2\x80\xae", R"("\xe2\x80\xae")"},                  // turns the writing direction
        {"\xff\xc3", R"("\xff\xc3")"},                          // not UTF-8
        {"\xc0\x8a\xed\xa0\x80", R"("\xc0\x8a\xed\xa0\x80")"},  // overlong; a surrogate
    };
    for (const auto& row : table) {
        EXPECT_EQ(text_line("m", {{"k", row.value}}),
                  "time=\"2026-11-24T13:44:07.208Z\" level=info msg=m k=" +
                      std::string(row.written) + "\n");
    }
}

TEST(LogLine, EscapesInJson) {
    struct Row {
        std::string_view value;
        std::string_view written;
    };
    const Row table[] = {
        {"\"\\/", R"(\"\\/)"},
        {"\n\r\t\x1b\x7f", R"(\n\r\t\u001b\u007f)"},
        {"\xc3\xa4", "\xc3\xa4"},
        {"\xff", "\xef\xbf\xbd"},
    };
    for (const auto& row : table) {
        EXPECT_EQ(json_line("m", {{"k", row.value}}),
                  R"({"time":"2026-11-24T13:44:07.208Z","level":"info","msg":"m","k":")" +
                      std::string(row.written) + "\"}\n");
    }
}

TEST(LogLine, IsOneLineWhateverItSays) {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += static_cast<char>(i);
    for (const auto format : {LogFormat::text, LogFormat::json, LogFormat::logstash}) {
        const auto line = format_log_line(format, kAt, LogLevel::info, all, {{all, all}});
        EXPECT_EQ(std::ranges::count(line, '\n'), 1);
        EXPECT_TRUE(line.ends_with('\n'));
        EXPECT_TRUE(std::ranges::none_of(line.substr(0, line.size() - 1), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        }));
    }
}

TEST(AccessLine, IsApachesCombinedFormat) {
    EXPECT_EQ(access_line({.remote_address = "192.0.2.7",
                           .user = "jenkins",
                           .at = kAt,
                           .method = "GET",
                           .target = "/v2/a/manifests/latest",
                           .protocol = "HTTP/1.1",
                           .status = 200,
                           .body_bytes = 1234,
                           .referer = "",
                           .user_agent = "docker/24.0 (linux)"}),
              "192.0.2.7 - jenkins [24/Nov/2026:13:44:07 +0000] \"GET /v2/a/manifests/latest "
              "HTTP/1.1\" 200 1234 \"\" \"docker/24.0 (linux)\"\n");
}

TEST(LogMessage, HasFieldsBehindTheText) {
    EXPECT_EQ(format_log_message("a \"b\"\n\xff", {{"k", "v w"}, {"l", "x"}}),
              "a \"b\"\\n\\xff k=\"v w\" l=x");
    EXPECT_EQ(format_log_message("a", {}), "a");
}

TEST(AccessLine, EscapesWhatClientsSend) {
    EXPECT_EQ(access_line({.remote_address = "::1",
                           .user = "a b\"\n",
                           .at = Time(-1ms),
                           .method = "GET",
                           .target = "/\" 200 1\r\n",
                           .protocol = "HTTP/1.1",
                           .status = 404,
                           .body_bytes = 0,
                           .referer = "\\",
                           .user_agent = "\x1b[2J\xc3\xa4"}),
              "::1 - a\\x20b\\\"\\x0a [31/Dec/1969:23:59:59 +0000] \"GET /\\\" 200 1\\x0d\\x0a "
              "HTTP/1.1\" 404 0 \"\\\\\" \"\\x1b[2J\\xc3\\xa4\"\n");
    EXPECT_TRUE(access_line({.remote_address = "::1",
                             .user = "",
                             .at = kAt,
                             .method = "",
                             .target = "",
                             .protocol = "",
                             .referer = "",
                             .user_agent = ""})
                    .starts_with("::1 - - ["));
}

}  // namespace
}  // namespace berth
