// Goal: `berth user` changes one user's line and nothing else, whole or not at all. Method: real
// files in a temporary directory; writers in parallel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "auth/password_file.h"
#include "support/temporary_directory.h"

namespace berth::auth {
namespace {

using testing::HasSubstr;

class PasswordEditTest : public testing::Test {
  protected:
    void write(std::string_view text) { std::ofstream(path_, std::ios::binary) << text; }
    std::string text() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    ::mode_t mode() const {
        struct ::stat status{};
        EXPECT_EQ(::stat(path_.c_str(), &status), 0);
        return status.st_mode & 07777;
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_.file("htpasswd");
};

TEST_F(PasswordEditTest, AddsChangesAndRemoves) {
    write("# ours\nalice:a\n\nbob:b\n");
    ASSERT_TRUE(set_password(path_, "carol", "c"));
    EXPECT_EQ(text(), "# ours\nalice:a\n\nbob:b\ncarol:c\n");
    ASSERT_TRUE(set_password(path_, "alice", "new"));
    EXPECT_EQ(text(), "# ours\nalice:new\n\nbob:b\ncarol:c\n");
    ASSERT_TRUE(remove_user(path_, "bob"));
    EXPECT_EQ(text(), "# ours\nalice:new\n\ncarol:c\n");
}

TEST_F(PasswordEditTest, AddsALineWhereTheLastHasNoEnd) {
    write("alice:a");
    ASSERT_TRUE(set_password(path_, "bob", "b"));
    EXPECT_EQ(text(), "alice:a\nbob:b\n");
}

TEST_F(PasswordEditTest, RemovesAllLinesOfAUser) {
    write("alice:a\nbob:b\n alice:b\n");
    ASSERT_TRUE(remove_user(path_, "alice"));
    EXPECT_EQ(text(), "bob:b\n");
}

TEST_F(PasswordEditTest, DoesNotTouchTheFileForAnUnknownUser) {
    write("alice:a");
    const auto done = remove_user(path_, "bob");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::not_found);
    EXPECT_THAT(done.error().detail, HasSubstr("bob"));
    EXPECT_EQ(text(), "alice:a");
}

TEST_F(PasswordEditTest, MakesAMissingFileThatOthersCannotRead) {
    ASSERT_TRUE(set_password(path_, "alice", "a"));
    EXPECT_EQ(text(), "alice:a\n");
    EXPECT_EQ(mode(), 0640u);
}

TEST_F(PasswordEditTest, KeepsTheMode) {
    write("alice:a\n");
    for (const ::mode_t kept : {0600u, 0644u, 0660u}) {
        ASSERT_EQ(::chmod(path_.c_str(), kept), 0);
        ASSERT_TRUE(set_password(path_, "alice", "b"));
        EXPECT_EQ(mode(), kept);
    }
}

TEST_F(PasswordEditTest, LeavesNothingElseBehind) {
    write("alice:a\n");
    ASSERT_TRUE(set_password(path_, "alice", "b"));
    ASSERT_FALSE(remove_user(path_, "bob"));
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
        names.push_back(entry.path().filename());
    EXPECT_THAT(names, testing::ElementsAre("htpasswd"));
}

TEST_F(PasswordEditTest, FollowsALink) {
    const std::string link = directory_.file("link");
    write("alice:a\n");
    std::filesystem::create_symlink("htpasswd", link);
    ASSERT_TRUE(set_password(link, "alice", "b"));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(text(), "alice:b\n");
}

TEST_F(PasswordEditTest, RefusesNamesThatTheFileCannotHold) {
    write("alice:a\n");
    for (const std::string_view user : {"", "a:b", "#a", " a", "a\nb", "a\rb", "a\tb", "\x7f"}) {
        const auto done = set_password(path_, user, "x");
        ASSERT_FALSE(done) << user;
        EXPECT_EQ(done.error().code, Errc::invalid);
        EXPECT_THAT(done.error().detail, HasSubstr("user name"));
    }
    EXPECT_THAT(set_password(path_, "a:b", "x").error().detail, HasSubstr("colon"));
    EXPECT_EQ(text(), "alice:a\n");
    EXPECT_TRUE(set_password(path_, "name with space", "x"));
    EXPECT_TRUE(set_password(path_, "J\xc3\xbcrgen", "x"));
}

TEST_F(PasswordEditTest, SaysWhereItCannotWrite) {
    const auto done = set_password(directory_.file("missing/htpasswd"), "alice", "a");
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().detail, HasSubstr("missing"));
}

TEST_F(PasswordEditTest, LosesNothingToAnotherWriter) {
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer) {
        writers.emplace_back([this, writer] {
            for (int i = 0; i < 10; ++i) {
                const std::string user = "u" + std::to_string(writer) + "-" + std::to_string(i);
                EXPECT_TRUE(set_password(path_, user, "x"));
            }
        });
    }
    for (std::thread& writer : writers)
        writer.join();
    EXPECT_EQ(parse_password_file(text())->size(), 40u);
}

}  // namespace
}  // namespace berth::auth
