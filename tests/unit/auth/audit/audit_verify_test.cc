// What was done to a log shows: each byte, each line, each file.
#include "auth/audit/audit_verify.h"

#include "auth/audit/audit_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/auth/audit/audit_sample.h"

namespace berth::auth {
namespace {

using testing::HasSubstr;

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += line + "\n";
    return text;
}

// Three files of some lines each, as rotation leaves them.
class AuditVerify : public testing::Test {
  protected:
    void SetUp() override {
        place.options.bytes_max = 1500;
        place.run({"a", "b", "c", "d", "e", "f", "g", "h"});
        files = *audit_files(place.path());
        ASSERT_EQ(files.size(), 3u);
    }
    std::string verdict() const {
        const auto verified = verify_audit(files);
        return verified ? "whole" : verified.error().detail;
    }
    std::string verdict_with(const std::string& file, const std::string& text) const {
        const std::string before = read_text(file);
        write_text(file, text);
        const std::string said = verdict();
        write_text(file, before);
        return said;
    }

    AuditPlace place;
    std::vector<std::string> files;
};

TEST_F(AuditVerify, CountsWhatIsWhole) {
    const auto verified = verify_audit(files);
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_EQ(verified->first, 1u);
    EXPECT_EQ(verified->last, verified->lines);
    EXPECT_EQ(verified->lines, 8u + 3 + 2);  // opened each, started, stopped
    EXPECT_EQ(verified->head, read_audit_line(lines_of(place.path()).back())->hash);
    EXPECT_EQ(verified->lost, 0u);
}

TEST_F(AuditVerify, FindsAChangeOfAnyByte) {
    for (const std::string& path : files) {
        const std::string whole = read_text(path);
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        const auto put = [&](std::size_t at, char byte) {
            file.seekp(static_cast<std::streamoff>(at)).put(byte).flush();
        };
        for (std::size_t i = 0; i < whole.size(); ++i) {
            // The last line feed's change looks like a line being written, and takes a while.
            if (i + 1 == whole.size() && &path != files.data()) continue;
            put(i, static_cast<char>(static_cast<unsigned char>(whole[i]) ^ 1));
            ASSERT_THAT(verdict(), HasSubstr(path + " line ")) << "at " << i;
            put(i, whole[i]);
        }
    }
    EXPECT_EQ(verdict(), "whole");
}

TEST_F(AuditVerify, FindsALineThatWasTakenOut) {
    for (const std::string& file : files) {
        const auto lines = lines_of(file);
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (i + 1 == lines.size() && file == place.path()) continue;  // the log's last
            auto less = lines;
            less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
            EXPECT_NE(verdict_with(file, joined(less)), "whole") << file << " line " << i + 1;
        }
    }
}

TEST_F(AuditVerify, FindsALineThatWasPutInOrMoved) {
    const auto lines = lines_of(files[1]);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto more = lines;
        more.insert(more.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
        EXPECT_NE(verdict_with(files[1], joined(more)), "whole");
        if (i == 0) continue;
        auto moved = lines;
        std::swap(moved[i], moved[i - 1]);
        EXPECT_NE(verdict_with(files[1], joined(moved)), "whole");
    }
}

// A forger can compute hashes: the next line gives it away.
TEST_F(AuditVerify, FindsALineThatWasWrittenAnew) {
    auto lines = lines_of(files[1]);
    auto line = *read_audit_line(lines[1]);
    line.record.user = "mallory";
    std::string forged;
    append_audit_line(forged, line);
    lines[1] = forged.substr(0, forged.size() - 1);
    EXPECT_EQ(verdict_with(files[1], joined(lines)),
              files[1] + " line 3: it does not follow the line before: `prev` is not its hash");
}

TEST_F(AuditVerify, SaysWhatIsWrong) {
    const auto lines = lines_of(files[1]);
    const auto from = [&](std::size_t first) {
        return joined({lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end()});
    };
    EXPECT_EQ(verdict_with(files[1], from(1)),
              files[1] + " line 1: the beginning of the file was cut off");
    EXPECT_EQ(verdict_with(files[1], ""), files[1] + " is empty: its lines were removed");
    EXPECT_THAT(verdict_with(files[1], lines[0] + "\n" + from(2)),
                HasSubstr(" line 2: lines are missing: line "));
    EXPECT_THAT(verdict_with(files[1], lines[0] + "\n" + from(0)),
                HasSubstr(" line 2: the lines are not in order: line "));
    EXPECT_EQ(verdict_with(files[1], std::string(200'000, 'x')), files[1] + " line 1 is too long");
    EXPECT_EQ(verdict_with(files[2], joined(lines_of(files[2])) + "{\"seq\":"),
              files[2] + " line " + std::to_string(lines_of(files[2]).size() + 1) +
                  " is not whole: its end is missing");
    EXPECT_EQ(verify_audit({files[1], files[0]}).error().detail,
              files[0] + " line 1: another log begins here");
    EXPECT_THAT(verify_audit({files[0], files[2]}).error().detail, HasSubstr("lines are missing"));
    EXPECT_EQ(verify_audit({place.path() + ".9"}).error().code, Errc::not_found);
}

TEST_F(AuditVerify, TakesALogWhoseOldestFilesAreGone) {
    const auto verified = verify_audit({files[1], files[2]});
    ASSERT_TRUE(verified) << verified.error().detail;
    EXPECT_GT(verified->first, 1u);
    EXPECT_EQ(verified->lines, verified->last - verified->first + 1);
}

TEST_F(AuditVerify, FindsAHeadThatWasNotedBefore) {
    const auto last = *read_audit_line(lines_of(files[2]).back());
    const auto middle = *read_audit_line(lines_of(files[1])[1]);
    EXPECT_TRUE(verify_audit(files, last.hash));
    EXPECT_TRUE(verify_audit(files, middle.hash));
    // The last line of the file before: the first line follows it.
    const auto before = *read_audit_line(lines_of(files[0]).back());
    EXPECT_TRUE(verify_audit({files[1], files[2]}, before.hash));

    auto lines = lines_of(files[2]);
    lines.pop_back();
    write_text(files[2], joined(lines));
    EXPECT_TRUE(verify_audit(files)) << "the log's own end cannot be missed";
    const auto verified = verify_audit(files, last.hash);
    ASSERT_FALSE(verified);
    EXPECT_THAT(verified.error().detail, HasSubstr("no line has the hash " + last.hash));
}

TEST(AuditFiles, AreListedOldestFirst) {
    TemporaryDirectory directory;
    for (const char* name :
         {"a.log", "a.log.1", "a.log.2", "a.log.10", "a.log.x", "a.log.1.gz", "b.log.3", "a.log."})
        write_text(directory.file(name), "");
    const auto files = audit_files(directory.file("a.log"));
    ASSERT_TRUE(files);
    EXPECT_EQ(*files, (std::vector{directory.file("a.log.10"), directory.file("a.log.2"),
                                   directory.file("a.log.1"), directory.file("a.log")}));
    EXPECT_EQ(audit_files(directory.file("c.log")).error().code, Errc::not_found);
    EXPECT_EQ(audit_files(directory.file("none/c.log")).error().code, Errc::not_found);
}

}  // namespace
}  // namespace berth::auth
