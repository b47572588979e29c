// One text for each record, valid JSON whatever the bytes, within bounds; and back.
#include "auth/audit/audit_line.h"

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"
#include "oci/hasher.h"
#include "unit/auth/audit/audit_sample.h"

namespace berth::auth {
namespace {

AuditLine sample_line(AuditRecord record = sample_record()) {
    AuditLine line;
    line.seq = 17;
    line.prev = first_audit_hash();
    line.event = AuditEvent::access;
    line.record = std::move(record);
    return line;
}

AuditLine event_line(AuditEvent event, std::uint64_t number) {
    AuditLine line = sample_line();
    line.record = {};
    line.record.at = sample_record().at;
    line.event = event;
    line.number = number;
    return line;
}

// Without the line feed.
std::string text_of(const AuditLine& line) {
    std::string text;
    append_audit_line(text, line);
    text.pop_back();
    return text;
}

// `text` with the hash that fits it: a forger's line.
std::string with_hash(const std::string& hashed) {
    const auto digest = oci::digest_of(oci::Algorithm::sha256, as_bytes(hashed));
    return hashed + ",\"hash\":\"" + std::string(digest.hex()) + "\"}";
}

const std::string kZeros(64, '0');

TEST(AuditLine, HasItsFieldsInAFixedOrder) {
    const std::string hashed =
        R"({"seq":17,"prev":")" + kZeros +
        R"(","at":"2026-11-24T13:44:07.208Z","event":"access","request":"r-1","user":"alice",)"
        R"("kind":"user","proof":"htpasswd","groups":["dev","ops"],"address":"10.0.0.7",)"
        R"("method":"PUT","action":"create","repository":"team/app","reference":"1.0",)"
        R"("rule":"devs push","allowed":true,"status":201,"reason":"")";
    EXPECT_EQ(text_of(sample_line()), with_hash(hashed));
}

TEST(AuditLine, SaysWhatHappenedToTheLogItself) {
    struct Case {
        AuditEvent event;
        std::string text;
    };
    const Case cases[] = {{AuditEvent::opened, R"("event":"opened")"},
                          {AuditEvent::started, R"("event":"started")"},
                          {AuditEvent::resumed, R"("event":"resumed","bytes":42)"},
                          {AuditEvent::lost, R"("event":"lost","count":42)"},
                          {AuditEvent::stopped, R"("event":"stopped")"}};
    for (const Case& each : cases) {
        const std::string text = text_of(event_line(each.event, 42));
        EXPECT_EQ(text, with_hash(R"({"seq":17,"prev":")" + kZeros +
                                  R"(","at":"2026-11-24T13:44:07.208Z",)" + each.text));
        const auto line = read_audit_line(text);
        ASSERT_TRUE(line) << line.error().detail;
        EXPECT_EQ(line->event, each.event);
        EXPECT_EQ(line->number, each.text.contains("42") ? 42u : 0u);
        EXPECT_EQ(parse_audit_line(text)->action, "");
    }
}

TEST(AuditLine, ReadsBackWhatWasWritten) {
    AuditRecord record = sample_record("o'brien \"the\\boss\"\n\t\x01 Zoë 日本");
    record.allowed = false;
    record.groups.clear();
    record.status = 403;
    record.reason = "no rule allows it";
    const auto line = read_audit_line(text_of(sample_line(record)));
    ASSERT_TRUE(line) << line.error().detail;
    EXPECT_EQ(line->seq, 17u);
    EXPECT_EQ(line->prev, kZeros);
    EXPECT_EQ(line->record.user, record.user);
    EXPECT_EQ(line->record.at, record.at);
    EXPECT_EQ(line->record.request_id, "r-1");
    EXPECT_EQ(line->record.kind, "user");
    EXPECT_EQ(line->record.proof, "htpasswd");
    EXPECT_TRUE(line->record.groups.empty());
    EXPECT_EQ(line->record.address, "10.0.0.7");
    EXPECT_EQ(line->record.method, "PUT");
    EXPECT_EQ(line->record.action, "create");
    EXPECT_EQ(line->record.repository, "team/app");
    EXPECT_EQ(line->record.reference, "1.0");
    EXPECT_EQ(line->record.rule, "devs push");
    EXPECT_FALSE(line->record.allowed);
    EXPECT_EQ(line->record.status, 403);
    EXPECT_EQ(line->record.reason, record.reason);
}

// Every byte, every pair of a lead byte and another, and a surrogate, as a name.
TEST(AuditLine, IsValidJsonWhateverTheBytes) {
    std::vector<std::string> names;
    for (int first = 0; first < 256; ++first) {
        names.push_back(std::string(1, static_cast<char>(first)));
        for (const int second : {0x00, 0x22, 0x41, 0x80, 0xa0, 0xbf, 0xff})
            names.push_back({static_cast<char>(first), static_cast<char>(second)});
    }
    names.push_back("\xed\xa0\x80");
    names.push_back("\xf4\x90\x80\x80");
    names.push_back("\xe2\x80\xae");  // turns the writing direction
    for (const std::string& name : names) {
        const std::string text = text_of(sample_line(sample_record(name)));
        const auto json = nlohmann::json::parse(text, nullptr, false);
        ASSERT_FALSE(json.is_discarded()) << text;
        const auto line = read_audit_line(text);
        ASSERT_TRUE(line) << line.error().detail << ": " << text;
        EXPECT_EQ(line->record.user, json["user"].get<std::string>());
        EXPECT_EQ(text.find_first_of(std::string_view("\0\n\r\x1b\x7f", 5)), std::string::npos);
    }
}

TEST(AuditLine, StaysWithinItsBoundWhenARecordIsTrimmed) {
    const std::string endless(200'000, '\x01');  // six bytes each
    AuditRecord record;
    record.request_id = record.user = record.kind = record.proof = record.address = record.method =
        record.action = record.repository = record.reference = record.rule = record.reason =
            endless;
    record.groups.assign(250, endless);
    trim(record);
    const std::string text = text_of(sample_line(record));
    EXPECT_LE(text.size(), kAuditLineMax);
    EXPECT_TRUE(read_audit_line(text));
    EXPECT_TRUE(record.user.ends_with("…"));
    EXPECT_EQ(record.groups.back(), "…");

    record.groups.assign(5000, "");
    trim(record);
    EXPECT_LE(text_of(sample_line(record)).size(), kAuditLineMax);
}

TEST(AuditLine, IsNotTrimmedWithinACharacter) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
        AuditRecord record = sample_record(std::string(shift, 'x'));
        while (record.user.size() < 600)
            record.user += "\xf0\x9f\x90\xb3";
        trim(record);
        EXPECT_FALSE(text_of(sample_line(record)).contains("\xef\xbf\xbd"));
    }
    AuditRecord record = sample_record();
    trim(record);
    EXPECT_EQ(text_of(sample_line(record)), text_of(sample_line()));
}

TEST(AuditLine, IsRefusedWhenItIsNotAsItIsWritten) {
    const std::string good = text_of(sample_line());
    const std::string hashed = good.substr(0, good.rfind(",\"hash\""));
    ASSERT_TRUE(read_audit_line(with_hash(hashed)));
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string text = hashed;
        text.replace(text.find(from), from.size(), to);
        return with_hash(text);
    };
    // Their hashes fit: what is refused is the form.
    const std::string refused[] = {
        changed("17", "017"),
        changed("17", "0"),
        changed("17", "-1"),
        changed("17", "99999999999999999999"),
        changed("\"seq\":17", "\"seq\": 17"),
        changed(kZeros, kZeros.substr(1)),
        changed(kZeros, "X" + kZeros.substr(1)),
        changed("208Z", "2081Z"),
        changed("208Z", "208+00:00"),
        changed("2026-11-24", "yesterday"),
        changed("access", "excess"),
        changed("access", "started"),
        changed("alice", "\\u0061lice"),
        changed("alice", "al\\ice"),
        changed("alice", "al\\u00"),
        changed("alice", "al\xff"),
        changed("alice", "al\nice"),
        changed("alice", "al\\u000aice"),
        changed("\"dev\",\"ops\"", "\"dev\",\"ops\","),
        changed("[\"dev\",\"ops\"]", "null"),
        changed("true", "1"),
        changed("201", "201.0"),
        changed("201", "+201"),
        changed(",\"kind\":\"user\"", ""),
        changed("\"user\":\"alice\",\"kind\":\"user\"", "\"kind\":\"user\",\"user\":\"alice\""),
        with_hash(hashed + ",\"more\":1"),
        with_hash(hashed.substr(0, 40)),
        with_hash(""),
        with_hash("{"),
    };
    for (const std::string& text : refused) {
        const auto line = read_audit_line(text);
        ASSERT_FALSE(line) << text;
        EXPECT_EQ(line.error().code, Errc::corrupt);
    }
    for (const std::string& text :
         {good + " ", " " + good, good + "\n", good.substr(1), good.substr(0, good.size() - 1),
          std::string(), std::string("}"), std::string(kAuditLineMax + 1, 'x')}) {
        EXPECT_FALSE(read_audit_line(text)) << text.substr(0, 300);
    }
}

TEST(AuditLine, IsRefusedWhenAnyByteOfItIsChanged) {
    const std::string good = text_of(sample_line());
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const int flip : {1, 32, 128}) {
            std::string bad = good;
            bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ flip);
            EXPECT_FALSE(read_audit_line(bad)) << "at " << i;
        }
    }
}

}  // namespace
}  // namespace berth::auth
