// Goal: the crash model loses what it may lose, keeps what was synced, and nothing else happens.
// Method: small scripts, looked at with many seeds; what can come out is written down as a set.
#include "io/crash_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace berth::io {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr std::uint64_t kSeeds = 300;

// `path`'s content after each of the crashes; "-" where it is not there.
std::set<std::string> contents_after(const CrashDirectory& directory, std::string_view path) {
    std::set<std::string> contents;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto content = read_file(*directory.crash(seed), path, 1 << 20);
        contents.insert(content ? *content : "-");
    }
    return contents;
}

std::unique_ptr<File> make_file(CrashDirectory& directory, std::string_view path,
                                std::string_view content) {
    auto file = directory.create(path).value();
    file->write_at(0, as_bytes(content)).value();
    return file;
}

TEST(CrashDirectory, KeepsWhatWasSynced) {
    CrashDirectory directory;
    ASSERT_TRUE(directory.make_directories("a"));
    const auto file = make_file(directory, "a/b", "bytes");
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory.sync_directory("a"));
    ASSERT_TRUE(directory.sync_directory(""));
    EXPECT_THAT(contents_after(directory, "a/b"), ElementsAre("bytes"));
}

TEST(CrashDirectory, KeepsEverythingThatWasSyncedAtOnce) {
    CrashDirectory directory;
    ASSERT_TRUE(directory.make_directories("a"));
    ASSERT_TRUE(directory.make_directories("c"));
    const auto first = make_file(directory, "a/b", "first");
    const auto second = make_file(directory, "c/d", "second");
    ASSERT_TRUE(directory.sync_all());
    EXPECT_THAT(contents_after(directory, "a/b"), ElementsAre("first"));
    EXPECT_THAT(contents_after(directory, "c/d"), ElementsAre("second"));
}

TEST(CrashDirectory, MayLoseBytesThatWereNotSynced) {
    CrashDirectory directory;
    const auto file = make_file(directory, "a", "1");
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(directory.sync_directory(""));
    ASSERT_TRUE(file->write_at(0, as_bytes("22")));
    EXPECT_THAT(contents_after(directory, "a"),
                UnorderedElementsAre("1", "22", std::string("1\0", 2)));
}

TEST(CrashDirectory, MayKeepALaterWriteWithoutAnEarlierOne) {
    CrashDirectory directory;
    const auto file = make_file(directory, "a", "");
    ASSERT_TRUE(directory.sync_directory(""));
    ASSERT_TRUE(file->write_at(0, as_bytes("1")));
    ASSERT_TRUE(file->write_at(1, as_bytes("2")));
    const auto contents = contents_after(directory, "a");
    EXPECT_TRUE(contents.contains(std::string("\0002", 2)));
    EXPECT_TRUE(contents.contains("1"));
}

TEST(CrashDirectory, TearsWritesAtSectors) {
    CrashDirectory directory;
    const auto file = make_file(directory, "a", "");
    ASSERT_TRUE(directory.sync_directory(""));
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string(512, '1') + std::string(512, '2'))));
    const auto contents = contents_after(directory, "a");
    EXPECT_TRUE(contents.contains(std::string(512, '1')));
    EXPECT_TRUE(contents.contains(std::string(512, '\0') + std::string(512, '2')));
}

TEST(CrashDirectory, MayLoseANameWhoseFolderWasNotSynced) {
    CrashDirectory directory;
    ASSERT_TRUE(make_file(directory, "a", "1")->sync());
    EXPECT_THAT(contents_after(directory, "a"), UnorderedElementsAre("1", "-"));
}

TEST(CrashDirectory, MayLoseAFolderWhoseParentWasNotSynced) {
    CrashDirectory directory;
    ASSERT_TRUE(directory.make_directories("a"));
    ASSERT_TRUE(make_file(directory, "a/b", "1")->sync());
    ASSERT_TRUE(directory.sync_directory("a"));
    EXPECT_THAT(contents_after(directory, "a/b"), UnorderedElementsAre("1", "-"));
}

TEST(CrashDirectory, ARenameIsThereInWholeOrNotAtAll) {
    CrashDirectory directory;
    ASSERT_TRUE(replace_file(directory, "old", "1"));
    ASSERT_TRUE(directory.make_directories("a"));
    ASSERT_TRUE(directory.sync_directory(""));
    ASSERT_TRUE(directory.rename("old", "a/new"));
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        const auto found = directory.crash(seed);
        EXPECT_NE(found->open("old").has_value(), found->open("a/new").has_value()) << seed;
    }
    ASSERT_TRUE(directory.sync_directory("a"));
    EXPECT_THAT(contents_after(directory, "old"), ElementsAre("-"));
    EXPECT_THAT(contents_after(directory, "a/new"), ElementsAre("1"));
}

TEST(CrashDirectory, ReplacedNamesAreOldOrNew) {
    CrashDirectory directory;
    ASSERT_TRUE(replace_file(directory, "a", "old"));
    ASSERT_TRUE(make_file(directory, "b", "new")->sync());
    ASSERT_TRUE(directory.rename("b", "a"));
    EXPECT_THAT(contents_after(directory, "a"), UnorderedElementsAre("old", "new"));
}

TEST(CrashDirectory, ReplaceFileIsDurableAndNeverTorn) {
    for (std::uint64_t step = 1;; ++step) {
        CrashDirectory directory;
        ASSERT_TRUE(replace_file(directory, "a", "old"));
        directory.fail_at(directory.steps() + step);
        const auto replaced = replace_file(directory, "a", "new");
        const auto contents = contents_after(directory, "a");
        if (replaced) {
            EXPECT_THAT(contents, ElementsAre("new"));
            break;
        }
        EXPECT_THAT(contents, testing::AnyOf(ElementsAre("old"), ElementsAre("new", "old")))
            << "step " << step;
    }
}

TEST(CrashDirectory, FailsFromTheStepOfThePowerCutOn) {
    CrashDirectory directory;
    directory.fail_at(2);
    EXPECT_TRUE(directory.create("a"));
    EXPECT_EQ(directory.create("b").error().code, Errc::io);
    EXPECT_EQ(directory.make_directories("c").error().code, Errc::io);
    EXPECT_EQ(directory.sync_directory("").error().code, Errc::io);
    EXPECT_EQ(directory.remove("a").error().code, Errc::io);
    EXPECT_EQ(directory.steps(), 5u);
}

TEST(CrashDirectory, TheStepOfThePowerCutMayTakeEffect) {
    CrashDirectory directory;
    directory.fail_at(1);
    EXPECT_FALSE(directory.create("a"));
    EXPECT_THAT(contents_after(directory, "a"), UnorderedElementsAre("-", ""));
}

TEST(CrashDirectory, FailsOneStepAsAFullDiskDoes) {
    CrashDirectory directory;
    const auto file = make_file(directory, "a", "1");
    directory.fail_once_at(3, ENOSPC);
    const auto refused = file->write_at(1, as_bytes("2"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::no_space);
    EXPECT_EQ(file->size().value(), 1u);
    EXPECT_TRUE(file->write_at(1, as_bytes("2")));
}

TEST(CrashDirectory, TheSameSeedFindsTheSameTree) {
    CrashDirectory directory;
    for (int i = 0; i < 10; ++i)
        make_file(directory, std::to_string(i), "1");
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto first = directory.crash(seed), second = directory.crash(seed);
        EXPECT_EQ(first->list("").value().size(), second->list("").value().size());
    }
}

TEST(CrashDirectory, SaysTheSpaceItWasGiven) {
    CrashDirectory directory;
    directory.set_space({100, 7});
    EXPECT_EQ(directory.space().value().free_bytes, 7u);
}

}  // namespace
}  // namespace berth::io
