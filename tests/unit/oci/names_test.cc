// Goal: repository names, tags and references are exactly the distribution-spec's grammar.
#include "oci/names.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::oci {
namespace {

std::string repeat(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i)
        out += text;
    return out;
}

TEST(RepositoryName, AcceptsTheGrammar) {
    const std::string table[] = {
        "a",
        "0",
        "alpine",
        "library/alpine",
        "a.b",
        "a_b",
        "a__b",
        "a-b",
        "a---b",
        "a.b_c__d-e--f/0.1",
        "team/app/1/2/3/4/5/6/7/8/9",
        std::string(255, 'a'),
        repeat("a/", 127) + "b",
        "blobs/uploads",
        "v2/manifests/tags/list",
    };
    for (const auto& text : table) {
        const auto name = RepositoryName::parse(text);
        ASSERT_TRUE(name) << text;
        EXPECT_EQ(name->text(), text);
    }
}

TEST(RepositoryName, RefusesEveryOtherForm) {
    const std::string table[] = {
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/..",
        "../a",
        "a/./b",
        ".a",
        "a.",
        "a..b",
        "-a",
        "a-",
        "_a",
        "a_",
        "a___b",
        "a._b",
        "a-_b",
        "a.-b",
        "A",
        "aB",
        "a b",
        "a\n",
        "a%2fb",
        "a\\b",
        "a:b",
        "a@b",
        "a+b",
        "\xc3\xa4",
        std::string("a\0b", 3),
        std::string(256, 'a'),
        repeat("a/", 127) + "bb",
    };
    for (const auto& text : table) {
        const auto name = RepositoryName::parse(text);
        ASSERT_FALSE(name) << text;
        EXPECT_EQ(name.error().code, Errc::invalid) << text;
    }
}

TEST(Tag, AcceptsTheGrammar) {
    const std::string table[] = {
        "latest",
        "v1.2.3",
        "_",
        "__",
        "A",
        "0",
        "a-",
        "a.",
        "a..b",
        "V1_rc-2",
        std::string(128, 'x'),
    };
    for (const auto& text : table) {
        const auto tag = Tag::parse(text);
        ASSERT_TRUE(tag) << text;
        EXPECT_EQ(tag->text(), text);
    }
}

TEST(Tag, RefusesEveryOtherForm) {
    const std::string table[] = {
        "",
        ".",
        "..",
        "-",
        ".a",
        "-a",
        "a b",
        "a/b",
        "a:b",
        "a@b",
        "a+b",
        "a\n",
        std::string(129, 'x'),
        "../a",
        "a%",
        "a,b",
        "*",
        "\xe4",
        "a\x7f",
        std::string("a\0", 2),
    };
    for (const auto& text : table) {
        const auto tag = Tag::parse(text);
        ASSERT_FALSE(tag) << text;
        EXPECT_EQ(tag.error().code, Errc::invalid) << text;
    }
}

TEST(Tag, OrdersByBytes) {
    EXPECT_LT(*Tag::parse("Z"), *Tag::parse("a"));
    EXPECT_LT(*Tag::parse("1.10"), *Tag::parse("1.9"));
    EXPECT_LT(*Tag::parse("a"), *Tag::parse("a-"));
}

TEST(Reference, IsADigestWhereThereIsAColon) {
    const std::string digest = "sha256:" + std::string(64, '0');
    const auto by_digest = parse_reference(digest);
    ASSERT_TRUE(by_digest);
    EXPECT_TRUE(std::holds_alternative<Digest>(*by_digest));
    EXPECT_EQ(text_of(*by_digest), digest);

    const auto by_tag = parse_reference("v1");
    ASSERT_TRUE(by_tag);
    EXPECT_TRUE(std::holds_alternative<Tag>(*by_tag));
    EXPECT_EQ(text_of(*by_tag), "v1");
}

TEST(Reference, IsNeverAMixOfTagAndDigest) {
    const std::string digest = "sha256:" + std::string(64, '0');
    for (const auto& text : {"v1@" + digest, digest + ":v1", std::string("v1:v2"), std::string()}) {
        const auto reference = parse_reference(text);
        ASSERT_FALSE(reference) << text;
        EXPECT_EQ(reference.error().code, Errc::invalid) << text;
    }
}

}  // namespace
}  // namespace berth::oci
