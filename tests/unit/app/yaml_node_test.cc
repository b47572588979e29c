// YAML as plain values with their places, and what hostile documents meet.
#include "app/yaml_node.h"

#include <gtest/gtest.h>

namespace berth::app {
namespace {

std::string problem_of(const std::string& text) {
    const auto node = parse_yaml("c.yml", text);
    return node ? std::string() : node.error().detail;
}

TEST(YamlNode, KnowsTheLineOfEachKey) {
    const auto root = parse_yaml("c.yml", "a: 1\nb:\n  c: [x, y]\n  d: {e: null}\n");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->find("a")->source, "c.yml:1");
    EXPECT_EQ(root->find("b")->source, "c.yml:2");
    const auto* c = root->find("b")->find("c");
    EXPECT_EQ(c->source, "c.yml:3");
    ASSERT_EQ(c->children.size(), 2u);
    EXPECT_EQ(c->children[1].text, "y");
    EXPECT_EQ(root->find("b")->find("d")->find("e")->kind, YamlNode::Kind::null);
    EXPECT_EQ(root->find("none"), nullptr);
}

TEST(YamlNode, AnEmptyDocumentIsNull) {
    for (const auto* text : {"", "\n", "# words\n", "---\n", "~"}) {
        const auto root = parse_yaml("c.yml", text);
        ASSERT_TRUE(root) << text;
        EXPECT_EQ(root->kind, YamlNode::Kind::null) << text;
    }
}

TEST(YamlNode, WhatStandsInAMapWinsOverWhatIsMergedIntoIt) {
    const auto root = parse_yaml(
        "c.yml",
        "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nto: {<<: [*base, *more], a: 5}\n");
    ASSERT_TRUE(root) << root.error().detail;
    const auto* to = root->find("to");
    EXPECT_EQ(to->find("a")->text, "5");
    EXPECT_EQ(to->find("b")->text, "2");
    EXPECT_EQ(to->find("c")->text, "4");
}

TEST(YamlNode, NamesTheLineOfWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"a: 1\na: 2\n", "c.yml:2: a: stands here twice"},
        {"a: 1\n[b]: 2\n", "c.yml:2: a key must be a word"},
        {"a: 1\n---\nb: 2\n", "c.yml:2: a second document or a stray character"},
        {"a: 1\n}, b\nc: 2\n", "c.yml:2: not YAML: illegal flow end"},
        {", #\na: 1\n", "c.yml:1: a second document or a stray character"},
        {"a: {<<: [1]}\n", "c.yml:1: <<: only maps can be merged"},
        {"a: [1\nb: {\n", "c.yml:2: not YAML: end of sequence flow not found"},
    };
    for (const auto& [text, problem] : cases)
        EXPECT_EQ(problem_of(text).substr(0, std::string_view(problem).size()), problem) << text;
}

TEST(YamlNode, BoundsHostileDocuments) {
    const std::string deep(1000, '[');
    EXPECT_NE(problem_of(deep), "");
    EXPECT_NE(problem_of(std::string(100, '[') + std::string(100, ']')), "");
    EXPECT_EQ(problem_of(std::string(kYamlBytesMax + 1, ' ')), "c.yml: too long to be read");
    // Each line has the one before it ten times: a billion values if they were all made.
    std::string laughs = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const auto before = "*l" + std::to_string(i - 1);
        laughs += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" + before;
        for (int j = 1; j < 10; ++j)
            laughs += ", " + before;
        laughs += "]\n";
    }
    EXPECT_NE(problem_of(laughs).find("too many values"), std::string::npos);
    EXPECT_NE(problem_of("a: &a [*a]\n"), "");
}

TEST(YamlNode, BlankIsWhatHoldsNoText) {
    for (const auto* text : {"", "a: null", "a: ''", "a: []", "a: {b: [{}]}"})
        EXPECT_TRUE(is_blank(*parse_yaml("c.yml", text))) << text;
    EXPECT_FALSE(is_blank(*parse_yaml("c.yml", "a: {b: [x]}")));
}

}  // namespace
}  // namespace berth::app
