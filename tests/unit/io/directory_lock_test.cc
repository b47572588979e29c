// Goal: two servers never work on one tree, and the second one says who the first is.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "io/directory.h"
#include "support/temporary_directory.h"

namespace berth::io {
namespace {

TEST(DirectoryLock, RefusesTheSecondHolderAndNamesTheFirst) {
    const TemporaryDirectory temporary;
    const auto held = DirectoryLock::acquire(temporary.path(), "berth/lock", "pid 123");
    ASSERT_TRUE(held);
    const auto second = DirectoryLock::acquire(temporary.path(), "berth/lock", "pid 456");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_EQ(second.error().detail,
              "another berth holds " + temporary.file("berth/lock") + " (pid 123)");
}

TEST(DirectoryLock, IsFreeAgainWhenTheObjectGoes) {
    const TemporaryDirectory temporary;
    std::optional held =
        DirectoryLock::acquire(temporary.path(), "berth/lock", "pid 12345").value();
    held.reset();
    held = DirectoryLock::acquire(temporary.path(), "berth/lock", "pid 1").value();
    const auto second = DirectoryLock::acquire(temporary.path(), "berth/lock", "pid 2");
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().detail.ends_with("(pid 1)")) << second.error().detail;
}

TEST(DirectoryLock, RefusesAPathOutsideOfTheRoot) {
    const TemporaryDirectory temporary;
    const auto lock = DirectoryLock::acquire(temporary.path(), "../lock", "pid 1");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Errc::invalid);
}

}  // namespace
}  // namespace berth::io
