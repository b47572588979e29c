// What every io::Directory does. Include it, make a fixture type with `io::Directory& directory()`,
// and
//
//     INSTANTIATE_TYPED_TEST_SUITE_P(Memory, DirectorySuite, MemoryFixture);
//
// Method: each test goes through the interface alone and looks at what it then reads and lists.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/page_buffer.h"
#include "io/directory.h"

namespace berth::io {

template <class Fixture>
class DirectorySuite : public testing::Test {
  protected:
    Directory& directory() { return fixture_.directory(); }

    void write(std::string_view path, std::string_view content) {
        auto file = directory().create(path);
        ASSERT_TRUE(file) << file.error().detail;
        ASSERT_TRUE((*file)->write_at(0, as_bytes(content)));
    }
    std::string read(std::string_view path) {
        const auto content = read_file(directory(), path, 1 << 20);
        return content ? *content : std::string(name_of(content.error().code));
    }
    std::vector<std::string> names(std::string_view path) {
        const auto entries = directory().list(path);
        std::vector<std::string> names;
        if (!entries) return {std::string(name_of(entries.error().code))};
        for (const auto& entry : *entries)
            names.push_back(entry.name + (entry.is_directory ? "/" : ""));
        std::ranges::sort(names);
        return names;
    }

  private:
    Fixture fixture_;
};

template <class T>
std::string code_of(const Result<T>& result) {
    return result ? "ok" : std::string(name_of(result.error().code));
}

TYPED_TEST_SUITE_P(DirectorySuite);

TYPED_TEST_P(DirectorySuite, ReadsBackWhatWasWritten) {
    auto file = this->directory().create("a");
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->write_at(0, as_bytes("hello world")));
    EXPECT_TRUE((*file)->write_at(6, as_bytes("there")));
    EXPECT_TRUE((*file)->sync());
    EXPECT_EQ(this->read("a"), "hello there");
}

// Large aligned writes may take another way to the disk than the others; all of them must agree.
TYPED_TEST_P(DirectorySuite, ReadsBackLargeAlignedWritesBetweenSmallOnes) {
    constexpr std::size_t kBlock = 512 << 10;
    PageBuffer block(kBlock);
    std::string expected;
    auto file = this->directory().create("a");
    ASSERT_TRUE(file);
    for (const char letter : {'a', 'b', 'c'}) {
        std::ranges::fill(block.bytes(), static_cast<std::byte>(letter));
        ASSERT_TRUE((*file)->write_at(expected.size(), block.bytes()));
        expected.append(kBlock, letter);
    }
    ASSERT_TRUE((*file)->write_at(expected.size(), as_bytes("the end")));
    expected += "the end";
    ASSERT_TRUE((*file)->write_at(kBlock - 2, as_bytes("seam")));
    expected.replace(kBlock - 2, 4, "seam");
    std::ranges::fill(block.bytes(), std::byte{'d'});
    ASSERT_TRUE((*file)->write_at(2 * kBlock, block.bytes()));
    expected.replace(2 * kBlock, kBlock, kBlock, 'd');
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->size().value(), expected.size());
    const auto content = read_file(this->directory(), "a", 4 << 20);
    ASSERT_TRUE(content);
    EXPECT_TRUE(*content == expected);
}

TYPED_TEST_P(DirectorySuite, WritesThroughAFileOpenedAgain) {
    this->write("a", "12345");
    auto file = this->directory().open_to_write("a");
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->write_at(5, as_bytes("678")));
    EXPECT_EQ((*file)->size().value(), 8u);
    EXPECT_TRUE((*file)->truncate(2));
    EXPECT_EQ(this->read("a"), "12");
}

TYPED_TEST_P(DirectorySuite, ReadsFewerBytesOnlyAtTheEnd) {
    this->write("a", "abcdef");
    const auto file = this->directory().open("a");
    ASSERT_TRUE(file);
    std::string out(4, '.');
    EXPECT_EQ((*file)->read_at(1, std::as_writable_bytes(std::span(out))).value(), 4u);
    EXPECT_EQ(out, "bcde");
    EXPECT_EQ((*file)->read_at(4, std::as_writable_bytes(std::span(out))).value(), 2u);
    EXPECT_EQ((*file)->read_at(9, std::as_writable_bytes(std::span(out))).value(), 0u);
}

TYPED_TEST_P(DirectorySuite, AFileHasADescriptorForSendfile) {
    this->write("a", "abcdef");
    const auto file = this->directory().open("a");
    ASSERT_TRUE(file);
    char out[3];
    EXPECT_EQ(::pread((*file)->fd(), out, 3, 2), 3);
    EXPECT_EQ(std::string_view(out, 3), "cde");
}

TYPED_TEST_P(DirectorySuite, AnOpenFileOutlivesItsName) {
    this->write("a", "abc");
    const auto file = this->directory().open("a");
    ASSERT_TRUE(file);
    EXPECT_TRUE(this->directory().remove("a"));
    this->write("a", "other");
    std::string out(3, '.');
    EXPECT_EQ((*file)->read_at(0, std::as_writable_bytes(std::span(out))).value(), 3u);
    EXPECT_EQ(out, "abc");
}

TYPED_TEST_P(DirectorySuite, CreateRefusesANameThatIsTaken) {
    this->write("a", "abc");
    EXPECT_EQ(code_of(this->directory().create("a")), "already_exists");
    EXPECT_EQ(this->read("a"), "abc");
}

TYPED_TEST_P(DirectorySuite, SaysWhatIsNotThere) {
    this->write("file", "");
    EXPECT_EQ(code_of(this->directory().open("a")), "not_found");
    EXPECT_EQ(code_of(this->directory().open_to_write("a")), "not_found");
    EXPECT_EQ(code_of(this->directory().create("a/b")), "not_found");
    EXPECT_EQ(code_of(this->directory().create("file/b")), "not_found");
    EXPECT_EQ(code_of(this->directory().rename("a", "b")), "not_found");
    EXPECT_EQ(code_of(this->directory().remove("a")), "not_found");
    EXPECT_EQ(code_of(this->directory().list("a")), "not_found");
    EXPECT_EQ(code_of(this->directory().list("file")), "not_found");
    EXPECT_EQ(code_of(this->directory().sync_directory("a")), "not_found");
}

TYPED_TEST_P(DirectorySuite, DoesNotOpenAFolderAsAFile) {
    ASSERT_TRUE(this->directory().make_directories("a"));
    EXPECT_EQ(code_of(this->directory().open("a")), "io");
    EXPECT_EQ(code_of(this->directory().open_to_write("a")), "io");
}

TYPED_TEST_P(DirectorySuite, RenameReplaces) {
    this->write("a", "new");
    this->write("b", "old");
    EXPECT_TRUE(this->directory().rename("a", "b"));
    EXPECT_EQ(this->read("b"), "new");
    EXPECT_THAT(this->names(""), testing::ElementsAre("b"));
    EXPECT_TRUE(this->directory().rename("b", "b"));
    EXPECT_EQ(this->read("b"), "new");
}

TYPED_TEST_P(DirectorySuite, RenameMovesFoldersWithWhatIsInThem) {
    ASSERT_TRUE(this->directory().make_directories("a/b"));
    this->write("a/b/c", "abc");
    ASSERT_TRUE(this->directory().make_directories("z"));
    EXPECT_TRUE(this->directory().rename("a/b", "z/y"));
    EXPECT_EQ(this->read("z/y/c"), "abc");
    EXPECT_THAT(this->names("a"), testing::IsEmpty());
    EXPECT_EQ(code_of(this->directory().rename("z", "z/y/c2")), "io");
}

TYPED_TEST_P(DirectorySuite, RemovesFilesAndEmptyFoldersOnly) {
    ASSERT_TRUE(this->directory().make_directories("a"));
    this->write("a/b", "");
    EXPECT_EQ(code_of(this->directory().remove("a")), "io");
    EXPECT_TRUE(this->directory().remove("a/b"));
    EXPECT_TRUE(this->directory().remove("a"));
    EXPECT_THAT(this->names(""), testing::IsEmpty());
}

TYPED_TEST_P(DirectorySuite, MakesMissingParentsAndSaysWhatToSync) {
    const auto made = this->directory().make_directories("a/b/c");
    ASSERT_TRUE(made);
    EXPECT_THAT(*made, testing::ElementsAre("a/b", "a", ""));
    const auto more = this->directory().make_directories("a/b/d");
    ASSERT_TRUE(more);
    EXPECT_THAT(*more, testing::ElementsAre("a/b"));
    for (const auto& folder : *made)
        EXPECT_TRUE(this->directory().sync_directory(folder));
    EXPECT_THAT(this->directory().make_directories("a/b/c").value(), testing::IsEmpty());
    EXPECT_THAT(this->names("a/b"), testing::ElementsAre("c/", "d/"));
}

TYPED_TEST_P(DirectorySuite, MakesNoFolderWhereAFileIs) {
    this->write("a", "");
    EXPECT_EQ(code_of(this->directory().make_directories("a")), "not_found");
    EXPECT_EQ(code_of(this->directory().make_directories("a/b")), "not_found");
}

TYPED_TEST_P(DirectorySuite, ListsNamesAndKinds) {
    this->write("file", "");
    ASSERT_TRUE(this->directory().make_directories("folder/inner"));
    EXPECT_THAT(this->names(""), testing::ElementsAre("file", "folder/"));
    EXPECT_THAT(this->names("folder"), testing::ElementsAre("inner/"));
}

TYPED_TEST_P(DirectorySuite, RefusesPathsThatLeaveTheTree) {
    using namespace std::string_view_literals;
    for (const auto path : {"/etc/passwd"sv, "../x"sv, "a/../b"sv, "."sv, ".."sv, "a//b"sv, "a/"sv,
                            "./a"sv, "a/."sv, ""sv, "a\0b"sv}) {
        EXPECT_EQ(code_of(this->directory().open(path)), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().open_to_write(path)), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().create(path)), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().rename(path, "b")), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().rename("b", path)), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().remove(path)), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().make_directories(path)), "invalid") << path;
        if (path.empty()) continue;  // the root
        EXPECT_EQ(code_of(this->directory().list(path)), "invalid") << path;
        EXPECT_EQ(code_of(this->directory().sync_directory(path)), "invalid") << path;
    }
}

TYPED_TEST_P(DirectorySuite, HasSpace) {
    const auto space = this->directory().space();
    ASSERT_TRUE(space);
    EXPECT_GT(space->free_bytes, 0u);
    EXPECT_GE(space->total_bytes, space->free_bytes);
}

TYPED_TEST_P(DirectorySuite, AFileHasTheTimeOfItsLastChange) {
    this->write("a", "old");
    const auto file = this->directory().open("a").value();
    const timespec times[] = {{1, 0}, {1'500'000'000, 250'999'999}};
    ASSERT_EQ(::futimens(file->fd(), times), 0);
    EXPECT_EQ(file->modified_at().value(), Time(std::chrono::milliseconds(1'500'000'000'250)));
    ASSERT_TRUE(this->directory().open_to_write("a").value()->write_at(0, as_bytes("new")));
    EXPECT_GT(file->modified_at().value(), Time(std::chrono::milliseconds(1'500'000'000'250)));
}

TYPED_TEST_P(DirectorySuite, ReadFileStopsAtTheLimit) {
    this->write("a", "12345");
    EXPECT_EQ(code_of(read_file(this->directory(), "a", 4)), "too_large");
    EXPECT_EQ(read_file(this->directory(), "a", 5).value(), "12345");
}

TYPED_TEST_P(DirectorySuite, ReplaceFileLeavesNothingElseBehind) {
    ASSERT_TRUE(this->directory().make_directories("a"));
    ASSERT_TRUE(replace_file(this->directory(), "a/b", "first, longer"));
    this->write("a/b.tmp", "what a crash left");
    ASSERT_TRUE(replace_file(this->directory(), "a/b", "second"));
    EXPECT_EQ(this->read("a/b"), "second");
    EXPECT_THAT(this->names("a"), testing::ElementsAre("b"));
}

TYPED_TEST_P(DirectorySuite, ServesManyThreads) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([this, i] {
            for (int j = 0; j < 50; ++j) {
                const std::string folder = "shared/" + std::to_string(j);
                const std::string path = folder + "/" + std::to_string(i);
                EXPECT_TRUE(this->directory().make_directories(folder));
                EXPECT_TRUE(replace_file(this->directory(), path, path));
                EXPECT_EQ(this->read(path), path);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(this->names("shared").size(), 50u);
    EXPECT_EQ(this->names("shared/7").size(), 4u);
}

REGISTER_TYPED_TEST_SUITE_P(DirectorySuite, ReadsBackWhatWasWritten,
                            ReadsBackLargeAlignedWritesBetweenSmallOnes,
                            WritesThroughAFileOpenedAgain, ReadsFewerBytesOnlyAtTheEnd,
                            AFileHasADescriptorForSendfile, AnOpenFileOutlivesItsName,
                            CreateRefusesANameThatIsTaken, SaysWhatIsNotThere,
                            DoesNotOpenAFolderAsAFile, RenameReplaces,
                            RenameMovesFoldersWithWhatIsInThem, RemovesFilesAndEmptyFoldersOnly,
                            MakesMissingParentsAndSaysWhatToSync, MakesNoFolderWhereAFileIs,
                            ListsNamesAndKinds, RefusesPathsThatLeaveTheTree, HasSpace,
                            AFileHasTheTimeOfItsLastChange, ReadFileStopsAtTheLimit,
                            ReplaceFileLeavesNothingElseBehind, ServesManyThreads);

}  // namespace berth::io
