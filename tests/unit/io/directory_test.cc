// Goal: the three directories behave alike; the one on a disk also keeps to its tree.
// Method: the suite for each; a temporary directory for what only an operating system has.
#include "io/directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "io/crash_directory.h"
#include "suites/directory_suite.h"
#include "support/temporary_directory.h"

namespace berth::io {
namespace {

class PosixFixture {
  public:
    Directory& directory() { return *directory_; }

  private:
    TemporaryDirectory temporary_;
    std::unique_ptr<Directory> directory_ = open_directory(temporary_.path()).value();
};

class MemoryFixture {
  public:
    Directory& directory() { return *directory_; }

  private:
    std::unique_ptr<Directory> directory_ = make_memory_directory();
};

class CrashFixture {
  public:
    Directory& directory() { return directory_; }

  private:
    CrashDirectory directory_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Posix, DirectorySuite, PosixFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, DirectorySuite, MemoryFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Crash, DirectorySuite, CrashFixture);

TEST(PosixDirectory, MakesItsRootWithMissingParents) {
    const TemporaryDirectory temporary;
    ASSERT_TRUE(open_directory(temporary.file("a/b/c/")));
    EXPECT_TRUE(std::filesystem::is_directory(temporary.file("a/b/c")));
    ASSERT_TRUE(open_directory(temporary.file("a/b/c")));
}

TEST(PosixDirectory, SaysWhyARootCannotBe) {
    const TemporaryDirectory temporary;
    ASSERT_TRUE(open_directory(temporary.path()).value()->create("file"));
    const auto root = open_directory(temporary.file("file/inner"));
    ASSERT_FALSE(root);
    EXPECT_NE(root.error().detail.find(temporary.file("file")), std::string::npos);
    EXPECT_EQ(code_of(open_directory("")), "invalid");
}

TEST(PosixDirectory, DoesNotFollowALinkInPlaceOfAFile) {
    const TemporaryDirectory temporary;
    const auto directory = open_directory(temporary.path()).value();
    ASSERT_EQ(::symlink("/etc/passwd", temporary.file("link").c_str()), 0);
    EXPECT_EQ(code_of(directory->open("link")), "io");
    EXPECT_EQ(code_of(directory->open_to_write("link")), "io");
    EXPECT_EQ(code_of(directory->create("link")), "already_exists");
}

TEST(PosixDirectory, FollowsALinkInPlaceOfAFolder) {
    const TemporaryDirectory temporary, other_disk;
    const auto directory = open_directory(temporary.path()).value();
    ASSERT_EQ(::symlink(other_disk.path().c_str(), temporary.file("link").c_str()), 0);
    ASSERT_TRUE(directory->make_directories("link"));
    ASSERT_TRUE(replace_file(*directory, "link/file", "text"));
    EXPECT_TRUE(std::filesystem::exists(other_disk.file("file")));
    EXPECT_TRUE(directory->list("").value().at(0).is_directory);
}

TEST(PosixDirectory, OpensOnlyWhatIsThereWhenAskedTo) {
    const TemporaryDirectory temporary;
    EXPECT_EQ(code_of(open_existing_directory(temporary.file("missing"))), "not_found");
    EXPECT_TRUE(open_existing_directory(temporary.path()));
}

TEST(PosixDirectory, SharesAFileOfItsOwnUser) {
    const TemporaryDirectory temporary;
    const auto directory = open_directory(temporary.path()).value();
    ASSERT_TRUE(replace_file(*directory, "file", "bytes"));
    const auto file = directory->open("file").value();
    ASSERT_TRUE(directory->share(*file, "again").value());
    EXPECT_EQ(read_file(*directory, "again", 100).value(), "bytes");
    ASSERT_TRUE(directory->remove("file"));
    EXPECT_EQ(read_file(*directory, "again", 100).value(), "bytes");
    EXPECT_EQ(code_of(directory->share(*file, "again")), "already_exists");
}

TEST(PosixDirectory, SharesNothingAcrossFileSystems) {
    const TemporaryDirectory temporary;
    const auto directory = open_directory(temporary.path()).value();
    const auto memory = make_memory_directory();
    ASSERT_TRUE(replace_file(*memory, "file", "bytes"));
    EXPECT_FALSE(directory->share(*memory->open("file").value(), "again").value());
    EXPECT_TRUE(directory->list("").value().empty());
}

TEST(PosixDirectory, DoesNotWaitForAFifo) {
    const TemporaryDirectory temporary;
    const auto directory = open_directory(temporary.path()).value();
    ASSERT_EQ(::mkfifo(temporary.file("fifo").c_str(), 0600), 0);
    EXPECT_EQ(code_of(directory->open("fifo")), "io");
}

}  // namespace
}  // namespace berth::io
