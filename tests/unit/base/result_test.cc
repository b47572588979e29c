// Goal: errors travel upwards with their code, and gain context on the way.
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

namespace berth {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail(Errc::invalid, "odd");
    return number / 2;
}

Result<int> quarter(int number) {
    BERTH_TRY(const auto once, half(number));
    BERTH_TRY(const auto twice, half(once));
    return twice;
}

Result<void> check_even(int number) {
    BERTH_CHECK(half(number));
    return {};
}

Result<std::unique_ptr<int>> boxed(int number) {
    BERTH_TRY(auto box, Result<std::unique_ptr<int>>(std::make_unique<int>(number)));
    return box;
}

TEST(Result, IsPassedOnByTry) {
    EXPECT_EQ(quarter(8), 2);
    const auto odd = quarter(6);
    ASSERT_FALSE(odd);
    EXPECT_EQ(odd.error().code, Errc::invalid);
    EXPECT_EQ(odd.error().detail, "odd");
}

TEST(Result, IsPassedOnByCheck) {
    EXPECT_TRUE(check_even(2));
    ASSERT_FALSE(check_even(1));
    EXPECT_EQ(check_even(1).error().detail, "odd");
}

TEST(Result, CarriesWhatOnlyMoves) {
    const auto box = boxed(7);
    ASSERT_TRUE(box);
    EXPECT_EQ(**box, 7);
}

TEST(Error, GainsContextAndKeepsTheRest) {
    const auto error = Error{Errc::io, "no luck", EIO}.with_context("inner").with_context("outer");
    EXPECT_EQ(error.code, Errc::io);
    EXPECT_EQ(error.detail, "outer: inner: no luck");
    EXPECT_EQ(error.os_errno, EIO);
}

TEST(Error, TakesItsCodeFromErrno) {
    struct Row {
        int os_errno;
        Errc code;
    };
    const Row table[] = {
        {ENOENT, Errc::not_found}, {ENOTDIR, Errc::not_found}, {EEXIST, Errc::already_exists},
        {ENOSPC, Errc::no_space},  {EDQUOT, Errc::no_space},   {EIO, Errc::io},
        {EACCES, Errc::io},
    };
    for (const auto& row : table) {
        const auto error = fail_errno("open x", row.os_errno).error();
        EXPECT_EQ(error.code, row.code) << row.os_errno;
        EXPECT_EQ(error.os_errno, row.os_errno);
    }
    EXPECT_EQ(fail_errno("open x", ENOENT).error().detail, "open x: No such file or directory");
}

TEST(Errc, HasANameForEachCode) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Errc::corrupt); ++i) {
        const auto name = name_of(static_cast<Errc>(i));
        EXPECT_NE(name, "unknown") << i;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_EQ(name_of(Errc::no_space), "no_space");
}

}  // namespace
}  // namespace berth
