// Goal: names, choices and challenges are understood as their writers mean them.
// Method: tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/parallel.h"
#include "transfer/challenge.h"
#include "transfer/image_name.h"
#include "transfer/remote_client.h"

namespace berth::transfer {
namespace {

std::string parsed(const std::string& text) {
    const auto name = parse_image_name(text);
    if (!name) return "none";
    return name->repository.text() + (name->tag ? ":" + name->tag->text() : "");
}

TEST(ImageName, LosesItsHost) {
    const std::pair<const char*, const char*> table[] = {
        {"alpine", "alpine"},
        {"alpine:3", "alpine:3"},
        {"docker.io/library/alpine:3", "library/alpine:3"},
        {"localhost/a:1", "a:1"},
        {"localhost:5000/a/b:1", "a/b:1"},
        {"team/app", "team/app"},
        {"Team/app", "none"},
        {"<none>:<none>", "none"},
        {"a:", "none"},
    };
    for (const auto& [text, expected] : table)
        EXPECT_EQ(parsed(text), expected) << text;
}

TEST(Selection, ChoosesRepositoriesPrefixesAndTags) {
    const auto selection = Selection::parse({"a", "b:1", "c/**"}).value();
    const auto name = [](const char* text) { return oci::RepositoryName::parse(text).value(); };
    const auto tag = oci::Tag::parse("2").value();
    EXPECT_TRUE(selection.has_all_of(name("a")));
    EXPECT_TRUE(selection.has(name("b")));
    EXPECT_FALSE(selection.has_all_of(name("b")));
    EXPECT_FALSE(selection.has(name("b"), tag));
    EXPECT_TRUE(selection.has(name("c/d/e"), tag));
    EXPECT_FALSE(selection.has(name("c")));
    EXPECT_FALSE(selection.has(name("cd/e")));
    EXPECT_FALSE(selection.is_named_only());
    EXPECT_EQ(selection.named().size(), 2u);
    EXPECT_TRUE(Selection().has_all_of(name("x")));
    EXPECT_FALSE(Selection::parse({"a*"}));
    EXPECT_TRUE(Selection::parse({"**"}).value().has_all_of(name("x")));
}

TEST(Challenges, AreTakenApart) {
    auto found =
        parse_challenges(R"(Bearer realm="https://a/t",service="x, y",scope="repository:a:pull", )"
                         R"(Basic realm="\"q\"")");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].scheme, "bearer");
    EXPECT_EQ(found[0].parameters.at("service"), "x, y");
    EXPECT_EQ(found[0].parameters.at("scope"), "repository:a:pull");
    EXPECT_EQ(found[1].scheme, "basic");
    EXPECT_EQ(found[1].parameters.at("realm"), "\"q\"");
    for (const char* broken : {"", "=", "\"", "Bearer realm=\"", "Basic =,=", ",,,", "a=\"\\"})
        EXPECT_LE(parse_challenges(broken).size(), 1u) << broken;
}

TEST(RemoteClient, KnowsThisMachine) {
    for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const char* host : {"127.example.org", "128.0.0.1", "localhost.example.org", ""})
        EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Parallel, DoesEverythingOnceAlsoInside) {
    Parallel parallel(3);
    std::atomic<int> done = 0;
    const auto outer = [&](std::size_t) {
        return parallel.each(20, [&](std::size_t) -> Result<void> {
            ++done;
            return {};
        });
    };
    ASSERT_TRUE(parallel.each(20, outer));
    EXPECT_EQ(done, 400);
    ASSERT_TRUE(parallel.each(0, outer));
}

TEST(Parallel, EndsWithTheFirstError) {
    Parallel parallel(2);
    const auto done = parallel.each(1000, [](std::size_t i) -> Result<void> {
        if (i == 3) return fail(Errc::no_space, "full");
        return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Errc::no_space);
}

}  // namespace
}  // namespace berth::transfer
