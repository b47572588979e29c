// Goal: a mail is well-formed, and a line in it can neither add a header nor end the mail.
#include "logging/mail_message.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"
#include "base/encoding.h"

namespace berth::logging {
namespace {

MailMessage message(std::string subject, std::string body = "hello\n") {
    return {.from = "berth@example.com",
            .to = {"ops@example.com", "root"},
            .at = Time(std::chrono::seconds(1'700'000'000)),
            .id = "1@host",
            .subject = std::move(subject),
            .body = std::move(body)};
}

std::string header(const std::string& mail, const std::string& name) {
    const auto begin = mail.find("\r\n" + name + ": ") + name.size() + 4;
    return mail.substr(begin, mail.find("\r\n", begin) - begin);
}

std::string body(const std::string& mail) {
    std::string text = mail.substr(mail.find("\r\n\r\n") + 4);
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    return base64_decode(text).value();
}

TEST(MailMessage, HasItsHeadersAndItsBody) {
    EXPECT_EQ(format_mail(message("[error] host: no")),
              "From: berth@example.com\r\n"
              "To: ops@example.com,\r\n root\r\n"
              "Subject: [error] host: no\r\n"
              "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
              "Message-ID: <1@host>\r\n"
              "Auto-Submitted: auto-generated\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=UTF-8\r\n"
              "Content-Transfer-Encoding: base64\r\n"
              "\r\n"
              "aGVsbG8K\r\n");
}

TEST(MailMessage, HasNoHeaderFromASubject) {
    EXPECT_EQ(header(format_mail(message("a\r\nBcc: x@example.com\r\n\r\nb")), "Subject"),
              "a\\r\\nBcc: x@example.com\\r\\n\\r\\nb");
}

TEST(MailMessage, EncodesASubjectThatIsNotAscii) {
    EXPECT_EQ(header(format_mail(message("\xc3\xa9")), "Subject"), "=?UTF-8?B?w6k=?=");
}

TEST(MailMessage, EncodesASubjectThatLooksEncoded) {
    EXPECT_EQ(header(format_mail(message("=?UTF-8?Q?a?=")), "Subject"),
              "=?UTF-8?B?PT9VVEYtOD9RP2E/PQ==?=");
}

TEST(MailMessage, CutsALongSubjectAndFoldsItBetweenCharacters) {
    std::string subject = "x";
    while (subject.size() < 1000)
        subject += "\xe2\x82\xac";
    const auto mail = format_mail(message(subject));
    const auto begin = mail.find("Subject: ") + 9;
    std::string folded = mail.substr(begin, mail.find("\r\nDate") - begin);
    std::string decoded;
    while (!folded.empty()) {
        const auto end = std::min(folded.find("\r\n "), folded.size());
        const auto word = folded.substr(0, end);
        EXPECT_LE(word.size(), 75u);
        ASSERT_TRUE(word.starts_with("=?UTF-8?B?") && word.ends_with("?=")) << word;
        decoded += base64_decode(word.substr(10, word.size() - 12)).value();
        folded.erase(0, end + 3);
    }
    EXPECT_EQ(decoded, subject.substr(0, decoded.size()));
    EXPECT_EQ(decoded.size(), 148u);
}

TEST(MailMessage, HasShortLinesWhateverTheBody) {
    const std::string text(5000, '.');
    const auto mail = format_mail(message("a", text + "\n.\r\n.\n\xff"));
    EXPECT_EQ(body(mail), text + "\n.\r\n.\n\xff");
    for (std::size_t begin = 0; begin < mail.size();) {
        const auto end = mail.find("\r\n", begin);
        ASSERT_NE(end, mail.npos);
        EXPECT_LE(end - begin, 76u);
        begin = end + 2;
    }
}

TEST(MailMessage, KnowsPlainAddresses) {
    for (const auto* good : {"a@example.com", "root", "first.last+tag@mail.example.com"})
        EXPECT_TRUE(is_mail_address(good)) << good;
    for (const auto* bad : {"", "a b@example.com", "A <a@example.com>", "a@b\r\nRCPT TO:<c@d>",
                            "a@b,c@d", "\xc3\xa9@example.com"})
        EXPECT_FALSE(is_mail_address(bad)) << bad;
    EXPECT_FALSE(is_mail_address(std::string(255, 'a')));
}

}  // namespace
}  // namespace berth::logging
