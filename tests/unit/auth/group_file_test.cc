// Goal: an AuthGroupFile is read as Apache reads it, and again when it changes. Method: texts, and
// real files in a temporary directory.
#include "auth/group_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "support/fake_clock.h"
#include "support/temporary_directory.h"

namespace berth::auth {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(ParseGroupFile, ReadsAsApacheDoes) {
    const auto groups = parse_group_file(
        "# who is who\n"
        "\n"
        "dev: alice bob\r\n"
        "  ops:carol\talice  \n"
        "dev: dave alice\n"
        "empty:\n"
        "last: bob");
    ASSERT_TRUE(groups);
    EXPECT_THAT(*groups,
                ElementsAre(Pair("alice", ElementsAre("dev", "ops")),
                            Pair("bob", ElementsAre("dev", "last")),
                            Pair("carol", ElementsAre("ops")), Pair("dave", ElementsAre("dev"))));
}

TEST(ParseGroupFile, NamesTheBrokenLine) {
    for (const std::string broken : {"dev alice", ": alice", "two words: alice"}) {
        const auto groups = parse_group_file("dev: alice\n" + broken + "\n");
        ASSERT_FALSE(groups) << broken;
        EXPECT_EQ(groups.error().code, Errc::invalid);
        EXPECT_THAT(groups.error().detail, HasSubstr("line 2"));
    }
}

class GroupFileTest : public testing::Test {
  protected:
    static void write(const std::string& path, std::string_view text) {
        std::ofstream(path, std::ios::binary) << text;
    }
    std::unique_ptr<GroupFile> open() {
        return GroupFile::open(path_, clock_,
                               [this](const Error& error) { reports_.push_back(error.detail); })
            .value();
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_.file("groups");
    FakeClock clock_;
    std::vector<std::string> reports_;
};

TEST_F(GroupFileTest, OfNothingHasNoGroups) {
    const auto file = GroupFile::open("/dev/null", clock_, [](const Error&) {});
    ASSERT_TRUE(file);
    EXPECT_THAT((*file)->groups_of("alice"), IsEmpty());
}

TEST_F(GroupFileTest, ThatIsNotThereIsAnError) {
    EXPECT_EQ(GroupFile::open(path_, clock_, [](const Error&) {}).error().code, Errc::not_found);
}

TEST_F(GroupFileTest, FollowsWritesRenamesAndSymbolicLinks) {
    const std::string first = directory_.file("first"), second = directory_.file("second");
    write(first, "dev: alice\n");
    write(second, "ops: alice\n");
    ASSERT_EQ(::symlink("first", path_.c_str()), 0);
    const auto file = open();
    EXPECT_THAT(file->groups_of("alice"), ElementsAre("dev"));

    auto version = file->version();
    const auto changes = [&] {
        clock_.advance(2ms);
        const auto now = file->version();
        return std::exchange(version, now) != now;
    };
    EXPECT_FALSE(changes());
    // As Kubernetes turns a mounted secret to its new version.
    ASSERT_EQ(::symlink("second", directory_.file("fresh").c_str()), 0);
    std::filesystem::rename(directory_.file("fresh"), path_);
    EXPECT_TRUE(changes());
    EXPECT_THAT(file->groups_of("alice"), ElementsAre("ops"));
    write(second, "ops: alice\nmore: alice\n");
    EXPECT_TRUE(changes());
    EXPECT_THAT(file->groups_of("alice"), ElementsAre("ops", "more"));
    write(first, "renamed: alice\n");
    std::filesystem::rename(first, second);
    EXPECT_TRUE(changes());
    EXPECT_THAT(file->groups_of("alice"), ElementsAre("renamed"));
}

TEST_F(GroupFileTest, KeepsTheLastGoodFileInForceAndReportsOnce) {
    write(path_, "dev: alice\n");
    const auto file = open();
    write(path_, "broken\n");
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(file->groups_of("alice"), ElementsAre("dev"));
        clock_.advance(5s);
    }
    ASSERT_EQ(reports_.size(), 1u);
    EXPECT_THAT(reports_[0], HasSubstr(path_ + ": line 1"));
    EXPECT_THAT(reports_[0], HasSubstr("stays in force"));
}

}  // namespace
}  // namespace berth::auth
