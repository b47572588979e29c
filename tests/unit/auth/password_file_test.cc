// Goal: an htpasswd file is read as Apache reads it, and again when it changes. Method: real files
// in a temporary directory, a clock that moves when told to.
#include "auth/password_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "support/fake_clock.h"
#include "support/temporary_directory.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kSecret = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
const std::string kOther = "$2y$04$1RFjd88C/c1gM.ROl5T9Iey//chBkTElz6kw7QbthpsFV0vwjonIm";

TEST(ParsePasswordFile, ReadsAsApacheDoes) {
    const auto entries = parse_password_file(
        "# users\n"
        "\n"
        "alice:hash\n"
        "  bob:hash2  \r\n"
        "   # not carol:x\n"
        "name with space:hash3:and:more\n"
        "J\xc3\xbcrgen:h\n"
        "alice:second\n"
        "empty:\n"
        "last:no line feed");
    ASSERT_TRUE(entries);
    std::vector<std::pair<std::string, std::string>> got;
    for (const PasswordEntry& entry : *entries)
        got.emplace_back(entry.user, entry.hash);
    EXPECT_THAT(got, testing::ElementsAre(
                         testing::Pair("alice", "hash"), testing::Pair("bob", "hash2"),
                         testing::Pair("name with space", "hash3"),
                         testing::Pair("J\xc3\xbcrgen", "h"), testing::Pair("alice", "second"),
                         testing::Pair("empty", ""), testing::Pair("last", "no line feed")));
}

TEST(ParsePasswordFile, NamesTheBrokenLineAndNotWhatIsInIt) {
    for (const std::string_view broken : {"my secret", ":my secret"}) {
        const auto entries = parse_password_file("# users\nalice:x\n" + std::string(broken) + "\n");
        ASSERT_FALSE(entries);
        EXPECT_EQ(entries.error().code, Errc::invalid);
        EXPECT_THAT(entries.error().detail, HasSubstr("line 3"));
        EXPECT_THAT(entries.error().detail, testing::Not(HasSubstr("secret")));
    }
}

class PasswordFileTest : public testing::Test {
  protected:
    void write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }

    std::unique_ptr<PasswordFile> open() {
        auto file = PasswordFile::open(
            path_, clock_, [this](const Error& error) { reports_.push_back(error.detail); });
        EXPECT_TRUE(file) << file.error().detail;
        return file ? std::move(*file) : nullptr;
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_.file("htpasswd");
    FakeClock clock_;
    std::vector<std::string> reports_;
};

TEST_F(PasswordFileTest, FindsUsers) {
    write("alice:" + kSecret + "\nalice:" + kOther + "\nbob:" + kOther + "\n");
    const auto file = open();
    EXPECT_TRUE(file->entry_of("alice").known);
    EXPECT_EQ(file->entry_of("alice").hash, kSecret) << "the first entry counts";
    EXPECT_EQ(file->entry_of("bob").hash, kOther);
    EXPECT_THAT(reports_, testing::IsEmpty());
}

TEST_F(PasswordFileTest, GivesUnknownUsersAHashThatFitsNothing) {
    write("alice:" + kSecret + "\nbob:" + kOther + "\n");
    const auto file = open();
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto lookup = file->entry_of("nobody" + std::to_string(i));
        EXPECT_FALSE(lookup.known);
        EXPECT_FALSE(verify_password("secret", lookup.hash));
        EXPECT_FALSE(verify_password("wonder:land", lookup.hash));
        EXPECT_EQ(lookup.hash, file->entry_of("nobody" + std::to_string(i)).hash);
        seen.insert(lookup.hash);
    }
    // Each kind in the file, with the cost it has there.
    EXPECT_EQ(seen, (std::set<std::string>{kSecret.substr(0, kSecret.size() - 1) + "~",
                                           kOther.substr(0, kOther.size() - 1) + "~"}));
}

TEST_F(PasswordFileTest, OfNoUsersKnowsNobody) {
    write("# nobody yet\n");
    const auto lookup = open()->entry_of("alice");
    EXPECT_FALSE(lookup.known);
    EXPECT_FALSE(verify_password("", lookup.hash));
}

TEST_F(PasswordFileTest, SaysHowToMakeAMissingFile) {
    const auto file = PasswordFile::open(path_, clock_, [](const Error&) {});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::not_found);
    EXPECT_THAT(file.error().detail, HasSubstr("htpasswd -B -c " + path_));
}

TEST_F(PasswordFileTest, RefusesABrokenFileAtTheStart) {
    write("alice\n");
    const auto file = PasswordFile::open(path_, clock_, [](const Error&) {});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::invalid);
    EXPECT_THAT(file.error().detail, HasSubstr(path_ + ": line 1"));
}

TEST_F(PasswordFileTest, FindsInAChangedFileAtOnce) {
    write("alice:" + kSecret + "\n");
    const auto file = open();
    ASSERT_FALSE(file->entry_of("bob").known);
    write("alice:" + kSecret + "\nbob:" + kOther + "\n");
    EXPECT_TRUE(file->entry_of("bob").known);
    write("bob:" + kOther + "\n");
    EXPECT_FALSE(file->entry_of("alice").known);
}

TEST_F(PasswordFileTest, ChangesItsVersionWithTheFileWithinTwoMilliseconds) {
    write("alice:" + kSecret + "\n");
    const auto file = open();
    const auto first = file->version();
    EXPECT_EQ(file->version(), first);
    write("# longer\nalice:" + kSecret + "\n");
    EXPECT_EQ(file->version(), first) << "the stat is looked at once in 2 ms";
    clock_.advance(2ms);
    const auto second = file->version();
    EXPECT_NE(second, first);
    clock_.advance(2ms);
    EXPECT_EQ(file->version(), second);
}

TEST_F(PasswordFileTest, NoticesAFileOfTheSameSizePutInItsPlace) {
    write("alice:" + kSecret + "\n");
    const auto file = open();
    const auto first = file->version();
    const std::string fresh = directory_.file("fresh");
    std::ofstream(fresh) << "alicf:" + kSecret + "\n";
    std::filesystem::last_write_time(fresh, std::filesystem::last_write_time(path_));
    std::filesystem::rename(fresh, path_);
    clock_.advance(2ms);
    EXPECT_NE(file->version(), first);
    EXPECT_FALSE(file->entry_of("alice").known);
}

TEST_F(PasswordFileTest, KeepsTheLastGoodFileInForceAndReportsOnce) {
    write("alice:" + kSecret + "\n");
    const auto file = open();
    write("broken\n");
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(file->entry_of("alice").known);
        clock_.advance(5s);
    }
    ASSERT_EQ(reports_.size(), 1u);
    EXPECT_THAT(reports_[0], HasSubstr(path_ + ": line 1"));
    EXPECT_THAT(reports_[0], HasSubstr("stays in force"));

    std::filesystem::remove(path_);
    EXPECT_TRUE(file->entry_of("alice").known);
    EXPECT_EQ(reports_.size(), 2u) << "another error is another report";

    write("bob:" + kOther + "\n");
    EXPECT_TRUE(file->entry_of("bob").known);
    EXPECT_FALSE(file->entry_of("alice").known);
    write("broken\n");
    EXPECT_TRUE(file->entry_of("bob").known);
    EXPECT_EQ(reports_.size(), 3u) << "broken anew after it was good";
}

// An error of the moment, after which no stat changes any more: here, no file descriptor is left.
TEST_F(PasswordFileTest, TriesAgainAfterAnError) {
    write("alice:" + kSecret + "\n");
    const auto file = open();
    write("alice:" + kSecret + "\nbob:" + kOther + "\n");
    struct ::rlimit usual{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct ::rlimit none{0, usual.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_TRUE(file->entry_of("alice").known);
    EXPECT_FALSE(file->entry_of("bob").known);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
    EXPECT_EQ(reports_.size(), 1u);
    EXPECT_FALSE(file->entry_of("bob").known) << "not at each login";
    clock_.advance(1s);
    EXPECT_TRUE(file->entry_of("bob").known);
    EXPECT_EQ(reports_.size(), 1u);
}

TEST_F(PasswordFileTest, VerifiesBasicCredentialsOnly) {
    write("alice:" + kSecret + "\n");
    const auto file = open();
    const auto login = file->verify({.user = "alice", .secret = "secret"});
    ASSERT_TRUE(login && *login);
    EXPECT_EQ((*login)->identity.name, "alice");
    EXPECT_EQ((*login)->identity.proof, "htpasswd");
    using Scheme = Credentials::Scheme;
    EXPECT_FALSE(file->verify({.user = "alice", .secret = "guess"})->has_value());
    EXPECT_FALSE(file->verify({.user = "bob", .secret = "secret"})->has_value());
    EXPECT_FALSE(file->verify({.scheme = Scheme::bearer, .secret = "secret"})->has_value());
}

TEST_F(PasswordFileTest, FindsAccountsWithAMarkThatChangesWithThePassword) {
    write("alice:" + kSecret + "\nlocked:!\n");
    const auto file = open();
    const auto before = file->find("alice");
    ASSERT_TRUE(before && *before);
    EXPECT_EQ((*before)->identity.name, "alice");
    EXPECT_FALSE(file->find("bob")->has_value());
    EXPECT_FALSE(file->find("locked")->has_value());
    write("alice:" + kOther + "\n");
    EXPECT_NE((*file->find("alice"))->mark, (*before)->mark);
}

TEST_F(PasswordFileTest, ReportsEntriesThatNoPasswordFits) {
    write("alice:" + kSecret + "\nbob:plain\n");
    const auto file = open();
    ASSERT_EQ(reports_.size(), 1u);
    EXPECT_THAT(reports_[0], HasSubstr("user bob cannot log in"));
    EXPECT_THAT(reports_[0], testing::Not(HasSubstr("plain")));
}

}  // namespace
}  // namespace berth::auth
