// Goal: a file is changed at one stroke and keeps what it is; whatever goes wrong changes nothing.
// Method: real files in a temporary directory.
#include "base/rewrite_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "support/temporary_directory.h"

namespace berth {
namespace {

class RewriteFile : public testing::Test {
  protected:
    std::string path() const { return files_.file("file"); }
    std::string text() const {
        std::ostringstream all;
        all << std::ifstream(path()).rdbuf();
        return all.str();
    }
    struct ::stat status() const {
        struct ::stat found{};
        EXPECT_EQ(::stat(path().c_str(), &found), 0);
        return found;
    }
    std::size_t files() const {
        const auto entries = std::filesystem::directory_iterator(files_.path());
        return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
    }

    TemporaryDirectory files_;
};

TextChange append(std::string more) {
    return [more](std::string_view old) { return Result<std::string>(std::string(old) + more); };
}

TEST_F(RewriteFile, MakesAFileWithItsMode) {
    ASSERT_TRUE(rewrite_file(path(), 0600, append("one")));
    EXPECT_EQ(text(), "one");
    EXPECT_EQ(status().st_mode & 07777, 0600U);
    EXPECT_EQ(files(), 1U);
}

TEST_F(RewriteFile, KeepsTheModeOfAFileThatIsThere) {
    ASSERT_TRUE(rewrite_file(path(), 0600, append("one")));
    ASSERT_EQ(::chmod(path().c_str(), 0640), 0);
    ASSERT_TRUE(rewrite_file(path(), 0600, append(" two")));
    EXPECT_EQ(text(), "one two");
    EXPECT_EQ(status().st_mode & 07777, 0640U);
}

TEST_F(RewriteFile, WritesNothingWhenNothingChanges) {
    ASSERT_TRUE(rewrite_file(path(), 0600, append("one")));
    const auto before = status().st_ino;
    ASSERT_TRUE(rewrite_file(path(), 0600, append("")));
    EXPECT_EQ(status().st_ino, before);
}

TEST_F(RewriteFile, FollowsALink) {
    std::ofstream(files_.file("real")) << "one";
    ASSERT_EQ(::symlink("real", path().c_str()), 0);
    ASSERT_TRUE(rewrite_file(path(), 0600, append(" two")));
    EXPECT_TRUE(std::filesystem::is_symlink(path()));
    EXPECT_EQ(text(), "one two");
}

TEST_F(RewriteFile, AChangeThatFailsChangesNothing) {
    ASSERT_TRUE(rewrite_file(path(), 0600, append("one")));
    const auto done = rewrite_file(path(), 0600, [](std::string_view) -> Result<std::string> {
        return fail(Errc::conflict, "no");
    });
    EXPECT_EQ(done.error().code, Errc::conflict);
    EXPECT_EQ(text(), "one");
    EXPECT_EQ(files(), 1U);
}

TEST_F(RewriteFile, SaysWhichFolderIsMissing) {
    const auto done = rewrite_file(files_.file("none/file"), 0600, append("one"));
    EXPECT_EQ(done.error().code, Errc::not_found);
    EXPECT_THAT(done.error().detail, testing::HasSubstr(files_.file("none")));
}

TEST_F(RewriteFile, TakesTheWayOverWhatAKilledWriterLeft) {
    std::ofstream(path() + ".new") << "half a te";
    ASSERT_TRUE(rewrite_file(path(), 0600, append("one")));
    EXPECT_EQ(text(), "one");
    EXPECT_EQ(files(), 1U);
}

TEST_F(RewriteFile, WritersWaitForEachOther) {
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 4; ++writer) {
        writers.emplace_back([this] {
            for (int number = 0; number < 25; ++number)
                EXPECT_TRUE(rewrite_file(path(), 0600, append("x")));
        });
    }
    for (std::thread& writer : writers)
        writer.join();
    EXPECT_EQ(text(), std::string(100, 'x'));
}

}  // namespace
}  // namespace berth
